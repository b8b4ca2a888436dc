/** Who is signed in, on which device; any session can be ended. */
import { Accordion, Badge, Button, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { ago, date, t } from '../../i18n'
import { useAct } from '../../ui/act'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { DataTable } from '../../ui/table'
import { plain } from '../../ui/text'
import { usersQuery } from './users'

export function Sessions() {
  const users = useQuery(usersQuery)
  const [open, setOpen] = useState<string[]>()
  return (
    <>
      <PageHead title={t('sessions.title')} />
      <Outcome of={users}>
        {(page) => {
          const sorted = [...page.items].sort((a, b) => (b.last_login_at ?? '').localeCompare(a.last_login_at ?? ''))
          const shown = open ?? sorted.slice(0, 3).map((u) => u.id)
          return (
            <Accordion multiple variant="separated" value={shown} onChange={setOpen} order={2}>
              {sorted.map((user) => (
                <Accordion.Item key={user.id} value={user.id}>
                  <Accordion.Control>
                    <Group gap="sm">
                      <Text fw={600}>{plain(user.name)}</Text>
                      <Text size="sm" c="dimmed">
                        {t('users.login')}: {ago(user.last_login_at)}
                      </Text>
                    </Group>
                  </Accordion.Control>
                  <Accordion.Panel>{shown.includes(user.id) ? <Of user={user} /> : null}</Accordion.Panel>
                </Accordion.Item>
              ))}
            </Accordion>
          )
        }}
      </Outcome>
    </>
  )
}

function Of({ user }: { user: Schema['User'] }) {
  const sessions = useQuery({
    queryKey: ['user-sessions', user.id],
    queryFn: () => data(client.GET('/api/v1/users/{id}/sessions', { params: { path: { id: user.id } } })),
  })
  const end = useAct(
    (session: string) => client.DELETE('/api/v1/users/{id}/sessions/{session}', { params: { path: { id: user.id, session } } }),
    ['user-sessions'],
  )
  const endAll = useAct(() => client.DELETE('/api/v1/users/{id}/sessions', { params: { path: { id: user.id } } }), ['user-sessions'])
  return (
    <Outcome of={sessions}>
      {(found) =>
        found.length === 0 ? (
          <Empty title={t('sessions.none')} />
        ) : (
          <>
            <DataTable
              label={`${t('sessions.title')}: ${plain(user.name)}`}
              rows={found}
              rowKey={(s) => s.id}
              columns={[
                {
                  title: t('sessions.device'),
                  cell: (s) => (
                    <Group gap={6}>
                      <Text size="sm" title={plain(s.user_agent ?? '')}>
                        {plain(s.device || s.user_agent || t('sessions.unknown'))}
                      </Text>
                      {s.current ? (
                        <Badge size="sm" variant="light" tt="none">
                          {t('sessions.this')}
                        </Badge>
                      ) : null}
                    </Group>
                  ),
                },
                { title: t('machine.address'), cell: (s) => <Text size="sm">{plain(s.client_ip ?? '')}</Text> },
                { title: t('sessions.since'), cell: (s) => <Text size="sm">{date(s.created_at)}</Text> },
                { title: t('tokens.used'), cell: (s) => <Text size="sm">{ago(s.last_used_at)}</Text> },
                {
                  title: t('app.actions'),
                  cell: (s) => (
                    <Button size="compact-sm" variant="subtle" color="red" onClick={() => end.mutate(s.id)} aria-label={`${t('account.end')}: ${plain(s.device || s.id)}, ${date(s.created_at)}`}>
                      {t('account.end')}
                    </Button>
                  ),
                },
              ]}
            />
            <Group justify="flex-end" mt="xs">
              <Button size="xs" variant="default" loading={endAll.isPending} onClick={() => endAll.mutate(undefined)}>
                {t('sessions.endall')}
              </Button>
            </Group>
          </>
        )
      }
    </Outcome>
  )
}
