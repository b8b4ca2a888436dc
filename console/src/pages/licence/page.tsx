/** The licence: what it grants, how long, and what stops on a day to come. */
import { Alert, Button, Card, FileButton, Group, SimpleGrid, Stack, Table, Text, Textarea, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { call, client } from '../../api/client'
import { useLive } from '../../api/events'
import { date, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { type LicenseView, licenseQuery } from './queries'

export function License() {
  const may = useMay()
  useLive(['license.', 'engine.'], ['license'])
  const license = useQuery(licenseQuery)
  return (
    <>
      <PageHead title={t('license.title')} />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Outcome of={license}>{(view) => <Held view={view} />}</Outcome>
        {may('license:manage') ? <Install /> : null}
      </SimpleGrid>
      <WhatHolds />
    </>
  )
}

function Held({ view }: { view: LicenseView }) {
  const may = useMay()
  const remove = useAct((id: string) => client.DELETE('/api/v1/license/{id}', { params: { path: { id } } }), ['license', 'engines'])
  return (
    <Stack>
      {view.licenses.length === 0 ? <Empty title={t('license.none')} hint={t('license.none.hint')} /> : null}
      {view.licenses.map((held) => (
        <Card withBorder key={held.id} component="section" aria-label={plain(held.organisation)}>
          <Title order={2} size="h4" mb="xs">
            {plain(held.organisation)}
          </Title>
          <Facts
            facts={[
              [t('license.tier'), held.trial ? `${held.tier} (${t('license.trial')})` : held.tier],
              [t('license.until'), date(held.expires_at)],
              [t('license.grace'), date(held.grace_until)],
              [t('license.engines'), held.engines.join(', ')],
              [t('license.hosts'), view.limits.hosts === null ? '∞' : String(view.limits.hosts)],
            ]}
          />
          {held.revoked ? <Alert color="red">{plain(held.revoked)}</Alert> : null}
          {may('license:manage') ? (
            <Group justify="flex-end" mt="sm">
              <Button size="xs" variant="default" loading={remove.isPending} onClick={() => remove.mutate(held.id)}>
                {t('license.remove')}
              </Button>
            </Group>
          ) : null}
        </Card>
      ))}
      <Text size="sm" c="dimmed">
        {t('license.instance')}: {view.instance}
      </Text>
    </Stack>
  )
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <Stack gap={4}>
      {facts.map(([label, value]) => (
        <Group key={label} gap="xs" wrap="nowrap" align="flex-start">
          <Text size="sm" c="dimmed" w={110} className="fixed">
            {label}
          </Text>
          <Text size="sm">{plain(value)}</Text>
        </Group>
      ))}
    </Stack>
  )
}

function Install() {
  const [text, setText] = useState('')
  const install = useAct(
    (token: string) => call('PUT', '/api/v1/license', token.trim()),
    ['license', 'engines', 'engine'],
    () => {
      setText('')
      tell(t('license.installed'))
    },
  )
  return (
    <Card withBorder>
      <Stack>
        <Title order={2} size="h4">
          {t('license.install')}
        </Title>
        <Textarea
          label={t('license.paste')}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          minRows={4}
          autosize
          maxRows={8}
          spellCheck={false}
        />
        <Group justify="flex-end">
          <FileButton onChange={(file) => void file?.text().then((read) => setText(read))} accept=".jws,.license,.txt">
            {(props) => (
              <Button variant="default" {...props}>
                {t('license.choose')}
              </Button>
            )}
          </FileButton>
          <Button disabled={!text.trim()} loading={install.isPending} onClick={() => install.mutate(text)}>
            {t('license.install')}
          </Button>
        </Group>
      </Stack>
    </Card>
  )
}

/** What holds now, or would on a day: the same decision that the host makes. */
function WhatHolds() {
  const [day, setDay] = useState('')
  const view = useQuery({
    queryKey: ['license', 'explain', day],
    queryFn: () =>
      call<LicenseView>('GET', day ? `/api/v1/license/explain?at=${encodeURIComponent(`${day}T00:00:00Z`)}` : '/api/v1/license'),
  })
  return (
    <Card withBorder mt="md">
      <Group justify="space-between" mb="sm" align="flex-end">
        <Title order={2} size="h4">
          {t('license.at')} {day || t('license.now')}
        </Title>
        <TextInput type="date" label={t('license.at')} value={day} onChange={(e) => setDay(e.currentTarget.value)} />
      </Group>
      <Outcome of={view}>
        {(found) => (
          <div className="table-wrap" tabIndex={0} role="region" aria-label={t('license.engines')}>
            <Table verticalSpacing={6}>
              <Table.Tbody>
                {found.engines.map((e) => (
                  <Table.Tr key={e.engine}>
                    <Table.Td>
                      <Text size="sm" fw={600}>
                        {plain(e.engine)} {plain(e.version)}
                      </Text>
                    </Table.Td>
                    <Table.Td>
                      <StateBadge state={e.decision.state} />
                    </Table.Td>
                    <Table.Td>
                      <Text size="sm">{plain(e.sentence)}</Text>
                      {e.unlocks ? (
                        <Text size="sm" fw={600}>
                          {t('license.unlocks')}: {plain(e.unlocks)}
                        </Text>
                      ) : null}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
            {found.engines.length === 0 ? <Empty title={t('engines.empty')} hint={t('engines.empty.hint')} /> : null}
          </div>
        )}
      </Outcome>
    </Card>
  )
}
