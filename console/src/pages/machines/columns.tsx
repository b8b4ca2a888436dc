/** Columns of the list of hosts, and which of them somebody wants to see. */
import { Badge, Group, Text } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import type { ReactNode } from 'react'

import type { Schema } from '../../api/client'
import { ago, bytes, type Key, number, t } from '../../i18n'
import { OnlineBadge, StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'

type Machine = Schema['Machine']

export interface MachineColumn {
  id: string
  label: Key
  width: number
  /** What the host sorts by. */
  sort?: string
  cell: (machine: Machine) => ReactNode
}

const line = (value: string) => (
  <Text size="sm" truncate title={value} dir="auto">
    {value}
  </Text>
)

export const COLUMNS: MachineColumn[] = [
  {
    id: 'state',
    label: 'machine.state',
    width: 105,
    cell: (m) => (m.state === 'approved' ? <OnlineBadge online={m.online} /> : <StateBadge state={m.state} />),
  },
  { id: 'os', label: 'machine.os', width: 175, sort: 'os', cell: (m) => line(plain(m.os_name)) },
  { id: 'addresses', label: 'machine.address', width: 135, cell: (m) => line(plain(m.addresses.slice(0, 2).join(', '))) },
  {
    id: 'tags',
    label: 'machine.tags',
    width: 110,
    cell: (m) => (
      <Group gap={4} wrap="nowrap" className="clip">
        {m.tags.slice(0, 4).map((tag) => (
          <Badge key={tag} variant="light" color="gray" tt="none" size="sm">
            {plain(tag)}
          </Badge>
        ))}
        {m.tags.length > 4 ? <Text size="xs">+{m.tags.length - 4}</Text> : null}
      </Group>
    ),
  },
  {
    id: 'updates',
    label: 'updates.title',
    width: 145,
    sort: '-updates',
    cell: (m) => (
      <Group gap={6} wrap="nowrap">
        <Text size="sm">{number(m.updates ?? 0)}</Text>
        {m.security_updates ? (
          <Badge size="sm" color="red" variant="light" tt="none">
            {t('machines.security', { count: number(m.security_updates) })}
          </Badge>
        ) : null}
      </Group>
    ),
  },
  { id: 'seen', label: 'machine.lastseen', width: 135, sort: '-last_seen', cell: (m) => line(ago(m.last_seen_at)) },
  { id: 'reboot', label: 'machine.reboot', width: 150, cell: (m) => line(t(m.reboot_required ? 'app.yes' : 'app.no')) },
  { id: 'kernel', label: 'machine.kernel', width: 190, cell: (m) => line(plain(m.kernel)) },
  { id: 'arch', label: 'machine.arch', width: 100, cell: (m) => line(plain(m.arch)) },
  { id: 'cpus', label: 'machine.cpus', width: 110, cell: (m) => line(number(m.cpus)) },
  { id: 'memory', label: 'machine.memory', width: 110, cell: (m) => line(bytes(m.memory_bytes)) },
  { id: 'agent', label: 'machine.agent', width: 110, cell: (m) => line(plain(m.agent_version)) },
  { id: 'created', label: 'machine.created', width: 150, sort: '-created', cell: (m) => line(ago(m.created_at)) },
]

const FIRST = ['state', 'os', 'addresses', 'tags', 'updates', 'seen']

/** The ids of the columns shown, remembered by the browser. */
export function useColumns(): [string[], (ids: string[]) => void] {
  const [ids, set] = useLocalStorage({ key: 'sysmanage.columns', defaultValue: FIRST, getInitialValueInEffect: false })
  return [Array.isArray(ids) ? ids : FIRST, set]
}
