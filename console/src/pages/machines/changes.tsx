/** What changed in the fleet since a moment: which host, which section, from what to what. */
import { Anchor, Badge, Button, Code, Group, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useMemo, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { date, t, word } from '../../i18n'
import { Empty, PageHead } from '../../ui/panels'
import { useAddress } from '../../ui/search'
import { Paged, usePages } from '../../ui/table'
import { plain } from '../../ui/text'
import { ChangeLines } from './inventory'

interface Address extends Record<string, string | undefined> {
  q?: string
  section?: string
  since?: string
}

const SPANS: Record<string, number> = { '1h': 3_600_000, '24h': 86_400_000, '7d': 7 * 86_400_000, '30d': 30 * 86_400_000 }
export const SECTIONS = [
  'packages', 'updates', 'services', 'users', 'certificates', 'firewall', 'antivirus', 'sockets', 'guests', 'network', 'disks',
  'hardware', 'cpu', 'memory', 'os', 'reboot', 'roles', 'ubuntu_pro',
]

export function FleetChanges() {
  const [{ q = '', section = '', since = '24h' }, change] = useAddress<Address>()
  const [filter, setFilter] = useState(q)
  useLive(['machine.inventory_changed'], ['fleet-changes'])
  // Fixed while the page shows it: pages of one list must begin at one moment.
  const from = useMemo(() => new Date(Date.now() - (SPANS[since] ?? SPANS['24h']!)).toISOString(), [since])
  const pages = usePages(['fleet-changes', q, section, from], (cursor) => {
    const query = { q: q || undefined, section: section || undefined, since: from, limit: 50, cursor }
    return data(client.GET('/api/v1/changes', { params: { query } }))
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    change({ q: filter.trim() })
  }
  return (
    <>
      <PageHead title={t('changes.title')} />
      <Group mb="md" align="flex-end">
        <SegmentedControl
          aria-label={t('changes.since')}
          value={since}
          onChange={(next) => change({ since: next })}
          data={Object.keys(SPANS).map((value) => ({ value, label: word('span', value) }))}
        />
        <Select
          aria-label={t('changes.section')}
          placeholder={t('changes.anysection')}
          data={SECTIONS.map((value) => ({ value, label: word('section', value) }))}
          value={section || null}
          onChange={(next) => change({ section: next ?? undefined })}
          clearable
          clearButtonProps={{ 'aria-label': t('changes.anysection') }}
        />
        <form onSubmit={submit} role="search" className="grow">
          <Group gap="xs" wrap="nowrap">
            <TextInput className="grow" aria-label={t('machines.filter')} placeholder={t('machines.filter.example')} value={filter} onChange={(e) => setFilter(e.currentTarget.value)} />
            <Button type="submit" variant="default">
              {t('machines.filter')}
            </Button>
          </Group>
        </form>
      </Group>
      <Paged of={pages} empty={<Empty title={t('changes.empty')} hint={t('changes.empty.hint')} />}>
        {(rows) => (
          <Stack gap="md">
            {rows.map((item) => (
              <Changed key={item.id} item={item} />
            ))}
          </Stack>
        )}
      </Paged>
    </>
  )
}

function Changed({ item }: { item: Schema['InventoryChange'] }) {
  return (
    <article aria-label={`${plain(item.machine_name)}: ${word('section', item.section)}`}>
      <Group gap="sm" mb={6}>
        <Anchor component={Link} to={`/machines/${item.machine_id}`} size="sm" fw={600}>
          {plain(item.machine_name)}
        </Anchor>
        <Badge variant="light" color="gray" tt="none">
          {plain(word('section', item.section))}
        </Badge>
        <Text size="sm" c="dimmed">
          {date(item.at)}
        </Text>
        {item.truncated ? <Code>…</Code> : null}
      </Group>
      <ChangeLines changes={item.changes} />
    </article>
  )
}
