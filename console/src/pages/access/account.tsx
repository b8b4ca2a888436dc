/** One's own account: password and sessions. */
import { Button, Card, PasswordInput, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data } from '../../api/client'
import { ago, t } from '../../i18n'
import { tell, useAct } from '../../ui/act'
import { Outcome, PageHead } from '../../ui/panels'
import { plain } from '../../ui/text'
import { SecondFactor } from './second-factor'

export function Account() {
  return (
    <>
      <PageHead title={t('account.title')} />
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Password />
        <SecondFactor />
        <Sessions />
      </SimpleGrid>
    </>
  )
}

function Password() {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useAct(
    () => client.POST('/api/v1/me/password', { body: { current, new: next } }),
    ['me'],
    () => tell(t('account.changed')),
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    change.mutate(undefined)
  }
  return (
    <Card withBorder>
      <form onSubmit={submit}>
        <Stack>
          <Title order={2} size="h4">
            {t('account.password')}
          </Title>
          <PasswordInput label={t('account.current')} value={current} onChange={(e) => setCurrent(e.currentTarget.value)} autoComplete="current-password" required />
          <PasswordInput label={t('account.new')} value={next} onChange={(e) => setNext(e.currentTarget.value)} autoComplete="new-password" required />
          <Button type="submit" loading={change.isPending}>
            {t('account.password')}
          </Button>
        </Stack>
      </form>
    </Card>
  )
}

function Sessions() {
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => data(client.GET('/api/v1/me/sessions')) })
  const end = useAct((id: string) => client.DELETE('/api/v1/me/sessions/{id}', { params: { path: { id } } }), ['sessions'])
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        {t('account.sessions')}
      </Title>
      <Outcome of={sessions}>
        {(list) => (
          <Table verticalSpacing={6}>
            <Table.Tbody>
              {list.map((s) => (
                <Table.Tr key={s.id}>
                  <Table.Td>
                    <Text size="sm">{plain(s.device || s.user_agent || t('sessions.unknown'))}</Text>
                    <Text size="xs" c="dimmed">
                      {plain(s.client_ip ?? '')} · {ago(s.last_used_at)}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Button size="compact-sm" variant="subtle" onClick={() => end.mutate(s.id)} aria-label={`${t('account.end')}: ${ago(s.created_at)}`}>
                      {t('account.end')}
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Outcome>
    </Card>
  )
}
