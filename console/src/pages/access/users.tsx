/** Users and their roles. */
import { Badge, Button, Group, Modal, MultiSelect, PasswordInput, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconMail, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { ago, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { useAct } from '../../ui/act'
import { Outcome, PageHead } from '../../ui/panels'
import { StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { Invite } from './invite'

export const rolesQuery = {
  queryKey: ['roles'],
  queryFn: () => data(client.GET('/api/v1/roles', { params: { query: { limit: 500 } } })),
}

export const usersQuery = {
  queryKey: ['users'],
  queryFn: () => data(client.GET('/api/v1/users', { params: { query: { limit: 500 } } })),
}

export function Users() {
  const may = useMay()
  const [adding, setAdding] = useState(false)
  const [inviting, setInviting] = useState(false)
  useLive(['user.'], ['users'])
  const users = useQuery(usersQuery)
  return (
    <>
      <PageHead title={t('users.title')}>
        {may('users:manage') ? (
          <>
            <Button variant="default" leftSection={<IconMail size={16} aria-hidden />} onClick={() => setInviting(true)}>
              {t('invite.title')}
            </Button>
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
              {t('users.add')}
            </Button>
          </>
        ) : null}
      </PageHead>
      <Outcome of={users}>{(page) => <UserTable users={page.items} />}</Outcome>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('users.add')}>
        <AddUser done={() => setAdding(false)} />
      </Modal>
      <Modal opened={inviting} onClose={() => setInviting(false)} title={t('invite.title')} size="lg">
        <Invite />
      </Modal>
    </>
  )
}

function UserTable({ users }: { users: Schema['User'][] }) {
  const may = useMay()
  const change = useAct(
    ([id, state]: [string, Schema['UserState']]) =>
      client.PATCH('/api/v1/users/{id}', { params: { path: { id } }, body: { state } }),
    ['users'],
  )
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={t('users.title')}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('users.name')}</Table.Th>
            <Table.Th>{t('users.roles')}</Table.Th>
            <Table.Th>{t('machine.state')}</Table.Th>
            <Table.Th>{t('users.login')}</Table.Th>
            <Table.Th>{t('app.actions')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {users.map((user) => (
            <Table.Tr key={user.id}>
              <Table.Td>
                <Text size="sm" fw={600}>
                  {plain(user.name)}
                </Text>
                <Text size="xs" c="dimmed">
                  {plain(user.display_name)}
                </Text>
              </Table.Td>
              <Table.Td>
                <Group gap={4}>
                  {user.roles.map((role) => (
                    <Badge key={role} variant="light" tt="none" color="gray">
                      {plain(role)}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
              <Table.Td>
                <StateBadge state={user.state} />
              </Table.Td>
              <Table.Td>
                <Text size="sm">{ago(user.last_login_at)}</Text>
              </Table.Td>
              <Table.Td>
                {may('users:manage') ? (
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    onClick={() => change.mutate([user.id, user.state === 'active' ? 'disabled' : 'active'])}
                    aria-label={`${t(user.state === 'active' ? 'users.disable' : 'users.enable')}: ${plain(user.name)}`}
                  >
                    {t(user.state === 'active' ? 'users.disable' : 'users.enable')}
                  </Button>
                ) : null}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function AddUser({ done }: { done: () => void }) {
  const roles = useQuery(rolesQuery)
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const add = useAct(
    () => data(client.POST('/api/v1/users', { body: { name, password, roles: chosen } })),
    ['users'],
    done,
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    add.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={t('users.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required data-autofocus />
        <PasswordInput label={t('signin.password')} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="new-password" required />
        <MultiSelect label={t('users.roles')} data={roles.data?.items.map((r) => r.name) ?? []} value={chosen} onChange={setChosen} />
        <Button type="submit" loading={add.isPending}>
          {t('users.add')}
        </Button>
      </Stack>
    </form>
  )
}
