/** Roles against permissions: a tick where a role holds one. Built-in roles are shown, one's own are edited in place. */
import { Badge, Button, Checkbox, Code, Group, Modal, Stack, Switch, Table, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Fragment, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { t, word } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { Outcome } from '../../ui/panels'
import { plain } from '../../ui/text'

type Role = Schema['Role']
type Permission = Schema['Permission']

export const permissionsQuery = {
  queryKey: ['permissions'],
  queryFn: () => data(client.GET('/api/v1/permissions')),
}

/** Whether one of a role's permissions, which may end in `*`, covers `name`. */
export function covers(held: string[], name: string): boolean {
  return held.some((h) => h === name || h === '*' || (h.endsWith('*') && name.startsWith(h.slice(0, -1))))
}

const area = (name: string) => name.split(':')[0]!

export function Matrix({ roles }: { roles: Role[] }) {
  const permissions = useQuery(permissionsQuery)
  return <Outcome of={permissions}>{(all) => <Grid roles={roles} permissions={all} />}</Outcome>
}

function Grid({ roles, permissions }: { roles: Role[]; permissions: Permission[] }) {
  const may = useMay()
  // What is ticked and not saved yet, by role.
  const [drafts, setDrafts] = useState<Record<string, string[]>>({})
  const [edited, setEdited] = useState<Role>()
  const save = useAct(
    async () => {
      for (const [id, held] of Object.entries(drafts)) {
        const role = roles.find((r) => r.id === id)
        if (!role) continue
        const body = { name: role.name, description: role.description, scope: role.scope, require_totp: role.require_totp, permissions: held }
        await client.PUT('/api/v1/roles/{id}', { params: { path: { id } }, body })
      }
    },
    ['roles', 'permissions', 'me'],
    () => {
      setDrafts({})
      tell(t('app.saved'))
    },
  )
  const held = (role: Role) => drafts[role.id] ?? role.permissions
  function toggle(role: Role, name: string, on: boolean) {
    const next = on ? [...held(role), name] : held(role).filter((p) => p !== name)
    setDrafts({ ...drafts, [role.id]: next })
  }
  const areas = [...new Set(permissions.map((p) => area(p.name)))]
  const changed = Object.keys(drafts).length
  return (
    <Stack mb="lg">
      <div className="table-wrap matrix" tabIndex={0} role="region" aria-label={t('roles.matrix')}>
        <Table stickyHeader verticalSpacing={3} withColumnBorders>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('roles.permissions')}</Table.Th>
              {roles.map((role) => (
                <Table.Th key={role.id} miw={110}>
                  <Head role={role} edit={may('roles:manage') && !role.built_in ? () => setEdited(role) : undefined} />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {areas.map((a) => (
              <Fragment key={a}>
                <Table.Tr className="area">
                  <Table.Td colSpan={roles.length + 1}>
                    <Text size="sm" fw={600}>
                      {plain(a)}
                    </Text>
                  </Table.Td>
                </Table.Tr>
                {permissions
                  .filter((p) => area(p.name) === a)
                  .map((p) => (
                    <Table.Tr key={p.name}>
                      <Table.Td>
                        <Code>{plain(p.name)}</Code>
                        <Text size="xs" c="dimmed">
                          {plain(p.description)}
                        </Text>
                      </Table.Td>
                      {roles.map((role) => {
                        const exact = held(role).includes(p.name)
                        const on = covers(held(role), p.name)
                        return (
                          <Table.Td key={role.id}>
                            <Checkbox
                              aria-label={`${plain(role.name)}: ${plain(p.name)}`}
                              checked={on}
                              // What a pattern grants cannot be taken away one by one.
                              disabled={role.built_in || !may('roles:manage') || (on && !exact)}
                              onChange={(e) => toggle(role, p.name, e.currentTarget.checked)}
                            />
                          </Table.Td>
                        )
                      })}
                    </Table.Tr>
                  ))}
              </Fragment>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {changed > 0 ? (
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setDrafts({})}>
            {t('app.cancel')}
          </Button>
          <Button loading={save.isPending} onClick={() => save.mutate(undefined)}>
            {t('roles.save', { count: changed })}
          </Button>
        </Group>
      ) : null}
      <Modal opened={edited !== undefined} onClose={() => setEdited(undefined)} title={plain(edited?.name ?? '')}>
        {edited ? <Edit role={edited} done={() => setEdited(undefined)} /> : null}
      </Modal>
    </Stack>
  )
}

function Head({ role, edit }: { role: Role; edit?: () => void }) {
  return (
    <Stack gap={2} align="flex-start">
      <Text size="sm" fw={700} title={plain(role.description)}>
        {plain(role.name)}
      </Text>
      {role.built_in ? (
        <Badge size="xs" color="gray" variant="light" tt="none">
          {t('roles.builtin')}
        </Badge>
      ) : null}
      {role.scope ? <Code>{plain(role.scope)}</Code> : null}
      {edit ? (
        <Button size="compact-xs" variant="subtle" onClick={edit} aria-label={`${t('roles.edit')}: ${plain(role.name)}`}>
          {t('roles.edit')}
        </Button>
      ) : null}
    </Stack>
  )
}

function Edit({ role, done }: { role: Role; done: () => void }) {
  const [name, setName] = useState(role.name)
  const [description, setDescription] = useState(role.description)
  const [scope, setScope] = useState(role.scope)
  const [totp, setTotp] = useState(role.require_totp ?? false)
  const at = { params: { path: { id: role.id } } }
  const body = { name, description, scope, permissions: role.permissions, require_totp: totp }
  const save = useAct(() => data(client.PUT('/api/v1/roles/{id}', { ...at, body })), ['roles', 'permissions'], done)
  const remove = useAct(() => client.DELETE('/api/v1/roles/{id}', at), ['roles', 'permissions'], done)
  return (
    <Stack>
      <TextInput label={t('users.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required data-autofocus />
      <TextInput label={t('roles.description')} value={description} onChange={(e) => setDescription(e.currentTarget.value)} />
      <TextInput label={t('roles.scope')} description={word('roles', 'scope.hint')} value={scope} onChange={(e) => setScope(e.currentTarget.value)} />
      <Switch label={t('roles.totp')} checked={totp} onChange={(e) => setTotp(e.currentTarget.checked)} />
      <Group justify="space-between">
        <Button color="red" variant="outline" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
          {t('app.delete')}
        </Button>
        <Button loading={save.isPending} onClick={() => save.mutate(undefined)}>
          {t('app.save')}
        </Button>
      </Group>
    </Stack>
  )
}
