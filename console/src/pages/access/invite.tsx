/** Inviting somebody by a link that works once. */
import { Button, Group, MultiSelect, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { date, t } from '../../i18n'
import { useAct } from '../../ui/act'
import { CopyLine } from '../../ui/copy'
import { DataTable } from '../../ui/table'
import { plain } from '../../ui/text'
import { rolesQuery } from './users'

export function Invite() {
  const roles = useQuery(rolesQuery)
  const open = useQuery({
    queryKey: ['invitations'],
    queryFn: () => data(client.GET('/api/v1/invitations', { params: { query: { limit: 100 } } })),
  })
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const [made, setMade] = useState<Schema['CreatedInvitation']>()
  const create = useAct(
    () => data(client.POST('/api/v1/invitations', { body: { name: name || null, roles: chosen } })),
    ['invitations'],
    setMade,
  )
  const revoke = useAct((id: string) => client.DELETE('/api/v1/invitations/{id}', { params: { path: { id } } }), ['invitations'])
  function submit(event: FormEvent) {
    event.preventDefault()
    create.mutate(undefined)
  }
  const items = open.data?.items ?? []
  return (
    <Stack>
      {made ? (
        <>
          <Text size="sm">{t('invite.link', { until: date(made.invitation.expires_at) })}</Text>
          <CopyLine text={made.url} label={t('invite.url')} />
        </>
      ) : (
        <form onSubmit={submit}>
          <Stack>
            <TextInput label={t('users.name')} description={t('invite.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
            <MultiSelect label={t('users.roles')} data={roles.data?.items.map((r) => r.name) ?? []} value={chosen} onChange={setChosen} />
            <Group justify="flex-end">
              <Button type="submit" loading={create.isPending}>
                {t('invite.make')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
      {items.length > 0 ? (
        <DataTable
          label={t('invite.open')}
          rows={items}
          rowKey={(i) => i.id}
          columns={[
            { title: t('invite.open'), cell: (i) => <Text size="sm">{plain(i.name ?? i.email ?? t('invite.anybody'))}</Text> },
            { title: t('users.roles'), cell: (i) => <Text size="sm">{plain(i.roles.join(', '))}</Text> },
            { title: t('tokens.expires'), cell: (i) => <Text size="sm">{date(i.expires_at)}</Text> },
            {
              title: t('app.actions'),
              cell: (i) => (
                <Button size="compact-sm" variant="subtle" color="red" onClick={() => revoke.mutate(i.id)} aria-label={`${t('invite.revoke')}: ${plain(i.name ?? i.id)}`}>
                  {t('invite.revoke')}
                </Button>
              ),
            },
          ]}
        />
      ) : null}
    </Stack>
  )
}
