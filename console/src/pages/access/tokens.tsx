/** One's API tokens. */
import { Alert, Button, Group, Modal, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data } from '../../api/client'
import { ago, date, t } from '../../i18n'
import { useAct } from '../../ui/act'
import { CopyLine } from '../../ui/copy'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { plain } from '../../ui/text'

export function Tokens() {
  const [adding, setAdding] = useState(false)
  const tokens = useQuery({
    queryKey: ['tokens'],
    queryFn: () => data(client.GET('/api/v1/tokens', { params: { query: { limit: 500 } } })),
  })
  const revoke = useAct((id: string) => client.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } }), ['tokens'])
  return (
    <>
      <PageHead title={t('tokens.title')}>
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          {t('tokens.add')}
        </Button>
      </PageHead>
      <Outcome of={tokens}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('tokens.empty')} />
          ) : (
            <div className="table-wrap" tabIndex={0} role="region" aria-label={t('tokens.title')}>
              <Table verticalSpacing={6}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{t('users.name')}</Table.Th>
                    <Table.Th>{t('tokens.used')}</Table.Th>
                    <Table.Th>{t('tokens.expires')}</Table.Th>
                    <Table.Th>{t('app.actions')}</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {page.items.map((token) => (
                    <Table.Tr key={token.id}>
                      <Table.Td>{plain(token.name)}</Table.Td>
                      <Table.Td>{ago(token.last_used_at)}</Table.Td>
                      <Table.Td>{date(token.expires_at)}</Table.Td>
                      <Table.Td>
                        <Button size="compact-sm" color="red" variant="subtle" onClick={() => revoke.mutate(token.id)} aria-label={`${t('app.delete')}: ${plain(token.name)}`}>
                          {t('app.delete')}
                        </Button>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </div>
          )
        }
      </Outcome>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('tokens.add')}>
        <AddToken />
      </Modal>
    </>
  )
}

function AddToken() {
  const [name, setName] = useState('')
  const [day, setDay] = useState('')
  const [secret, setSecret] = useState<string>()
  const make = useAct(
    () => data(client.POST('/api/v1/tokens', { body: { name, expires_at: day ? `${day}T00:00:00Z` : null } })),
    ['tokens'],
    (made) => setSecret(made.secret),
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    make.mutate(undefined)
  }
  if (secret) {
    return (
      <Alert color="green" title={t('tokens.secret')}>
        <CopyLine text={secret} label={t('tokens.secret')} />
      </Alert>
    )
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={t('users.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required data-autofocus />
        <TextInput label={t('tokens.expires')} type="date" value={day} onChange={(e) => setDay(e.currentTarget.value)} />
        <Group justify="flex-end">
          <Button type="submit" loading={make.isPending}>
            {t('tokens.add')}
          </Button>
        </Group>
        <Text size="xs" c="dimmed">
          {t('add.once')}
        </Text>
      </Stack>
    </form>
  )
}
