/** Hosts that ask to join. */
import { Button, Card, Code, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core'

import { client, type Schema } from '../../api/client'
import { ago, t } from '../../i18n'
import { usePending } from '../../shell/navigation'
import { useAct } from '../../ui/act'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { plain } from '../../ui/text'

const READ_AGAIN = ['pending', 'machines', 'count']

export function Approvals() {
  const pending = usePending()
  return (
    <>
      <PageHead title={t('approvals.title')} />
      <Outcome of={pending}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('approvals.empty')} hint={t('machines.empty.hint')} />
          ) : (
            <SimpleGrid cols={{ base: 1, lg: 2 }}>
              {page.items.map((m) => (
                <Candidate key={m.id} machine={m} />
              ))}
            </SimpleGrid>
          )
        }
      </Outcome>
    </>
  )
}

function Candidate({ machine }: { machine: Schema['Machine'] }) {
  const at = { params: { path: { id: machine.id } } }
  const approve = useAct(() => client.POST('/api/v1/machines/{id}/approve', at), READ_AGAIN)
  const reject = useAct(() => client.POST('/api/v1/machines/{id}/reject', at), READ_AGAIN)
  const facts: [string, string][] = [
    [t('machine.os'), machine.os_name],
    [t('machine.address'), machine.addresses.join(', ')],
    [t('machine.lastseen'), ago(machine.created_at)],
  ]
  return (
    <Card withBorder component="section" aria-label={plain(machine.name)}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          {plain(machine.name)}
        </Title>
        {facts.map(([label, value]) => (
          <Text size="sm" key={label}>
            <b>{label}:</b> {plain(value)}
          </Text>
        ))}
        <Text size="sm">
          <b>{t('machine.fingerprint')}:</b> <Code>{machine.key_fingerprint}</Code>
        </Text>
        <Text size="xs" c="dimmed">
          {t('approvals.check')}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" loading={reject.isPending} onClick={() => reject.mutate(undefined)}>
            {t('approvals.reject')}
          </Button>
          <Button color="green" loading={approve.isPending} onClick={() => approve.mutate(undefined)}>
            {t('approvals.approve')}
          </Button>
        </Group>
      </Stack>
    </Card>
  )
}
