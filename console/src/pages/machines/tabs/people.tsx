/** Users and groups that a host knows. */
import { Badge, Group, Stack, Switch, Text } from '@mantine/core'
import { useState } from 'react'

import type { Schema } from '../../../api/client'
import { date, number, t } from '../../../i18n'
import { DataTable } from '../../../ui/table'
import { plain } from '../../../ui/text'
import { Section } from './section'

interface User {
  name: string
  uid: number
  full_name?: string
  home?: string
  shell?: string
  admin?: string
  system?: boolean
  no_login?: boolean
  password?: string
  ssh_keys?: number
  groups?: string[]
  last_login?: number
}

interface People {
  users: User[]
  groups: { name: string; gid: number; members?: string[] }[]
}

export function PeopleTab({ machine }: { machine: Schema['MachineDetails'] }) {
  return (
    <Section<People> machine={machine.id} name="users">
      {(found) => <Lists found={found} />}
    </Section>
  )
}

function Mark({ color, children }: { color: string; children: string }) {
  return (
    <Badge size="sm" variant="light" color={color} tt="none">
      {children}
    </Badge>
  )
}

function Lists({ found }: { found: People }) {
  const [system, setSystem] = useState(false)
  const users = found.users.filter((u) => system || !u.system || u.uid === 0)
  const groups = found.groups.filter((g) => system || (g.members ?? []).length > 0 || g.gid >= 1000)
  return (
    <Stack>
      <Switch label={t('people.system')} checked={system} onChange={(e) => setSystem(e.currentTarget.checked)} />
      <DataTable
        label={t('people.users')}
        rows={users}
        rowKey={(u) => u.name}
        columns={[
          {
            title: t('people.users'),
            cell: (u) => (
              <>
                <Group gap={6}>
                  <Text size="sm" fw={600}>
                    {plain(u.name)}
                  </Text>
                  {u.admin ? <Mark color="red">{t('people.admin')}</Mark> : null}
                  {u.no_login ? <Mark color="gray">{t('people.nologin')}</Mark> : null}
                  {u.password === 'empty' ? <Mark color="red">{t('people.nopassword')}</Mark> : null}
                </Group>
                <Text size="xs" c="dimmed">
                  {plain(u.full_name ?? '')}
                </Text>
              </>
            ),
          },
          { title: 'UID', cell: (u) => <Text size="sm">{u.uid}</Text> },
          { title: t('people.shell'), cell: (u) => <Text size="sm">{plain(u.shell ?? '')}</Text> },
          { title: t('people.home'), cell: (u) => <Text size="sm">{plain(u.home ?? '')}</Text> },
          { title: t('people.keys'), cell: (u) => <Text size="sm">{number(u.ssh_keys ?? 0)}</Text> },
          { title: t('people.groups'), cell: (u) => <Text size="sm">{plain((u.groups ?? []).join(', '))}</Text> },
          {
            title: t('users.login'),
            cell: (u) => <Text size="sm">{date(u.last_login ? new Date(u.last_login * 1000).toISOString() : undefined)}</Text>,
          },
        ]}
      />
      <DataTable
        label={t('people.groups')}
        rows={groups}
        rowKey={(g) => g.name}
        columns={[
          { title: t('people.groups'), cell: (g) => <Text size="sm" fw={600}>{plain(g.name)}</Text> },
          { title: 'GID', cell: (g) => <Text size="sm">{g.gid}</Text> },
          { title: t('people.members'), cell: (g) => <Text size="sm">{plain((g.members ?? []).join(', '))}</Text> },
        ]}
      />
    </Stack>
  )
}
