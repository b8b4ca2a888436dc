/** Software that a host has, and the updates it waits for. */
import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { client, data, type Schema } from '../../../api/client'
import { useLive } from '../../../api/events'
import { bytes, t } from '../../../i18n'
import { useMay } from '../../../shell/session'
import { Empty } from '../../../ui/panels'
import { type Plan, RunDialog } from '../../../ui/run'
import { SearchInput } from '../../../ui/search'
import { DataTable, Paged, usePages } from '../../../ui/table'
import { plain } from '../../../ui/text'
import { Manager } from '../../software/list'
import { Security, securityPlan, upgradePlan } from '../../software/updates'

interface Package {
  key: string
  name: string
  version: string
  arch?: string
  manager: string
  title?: string
  installed_kib?: number
}

interface Update extends Package {
  installed?: string
  security?: boolean
  held?: boolean
  origin?: string
  download_bytes?: number
}

export function SoftwareTab({ machine }: { machine: Schema['MachineDetails'] }) {
  const [search, setSearch] = useState('')
  useLive(['machine.inventory_changed'], ['machine-software'])
  const pages = usePages<Package>(['machine-software', machine.id, search], async (cursor) => {
    const at = { params: { path: { id: machine.id }, query: { search: search || undefined, limit: 100, cursor } } }
    return (await data(client.GET('/api/v1/machines/{id}/software', at))) as { items: unknown[] } as { items: Package[] }
  })
  return (
    <Stack>
      <SearchInput label={t('software.search')} value={search} onChange={setSearch} />
      <Paged of={pages} empty={<Empty title={t(search ? 'software.nomatch' : 'software.empty')} />}>
        {(rows) => (
          <DataTable
            label={t('software.title')}
            rows={rows}
            rowKey={(p) => p.key}
            columns={[
              {
                title: t('software.name'),
                cell: (p) => (
                  <>
                    <Text size="sm" fw={600}>
                      {plain(p.name)}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {plain(p.title ?? '')}
                    </Text>
                  </>
                ),
              },
              { title: t('engines.version'), cell: (p) => <Text size="sm">{plain(p.version)}</Text> },
              { title: t('machine.arch'), cell: (p) => <Text size="sm">{plain(p.arch ?? '')}</Text> },
              { title: t('software.size'), cell: (p) => <Text size="sm">{p.installed_kib ? bytes(p.installed_kib * 1024) : ''}</Text> },
              { title: t('software.manager'), cell: (p) => <Manager name={p.manager} /> },
            ]}
          />
        )}
      </Paged>
    </Stack>
  )
}

export function UpdatesTab({ machine }: { machine: Schema['MachineDetails'] }) {
  const may = useMay()
  const [plan, setPlan] = useState<Plan>()
  useLive(['machine.inventory_changed'], ['machine-updates'])
  const pages = usePages<Update>(['machine-updates', machine.id], async (cursor) => {
    const at = { params: { path: { id: machine.id }, query: { limit: 100, cursor } } }
    return (await data(client.GET('/api/v1/machines/{id}/updates', at))) as { items: unknown[] } as { items: Update[] }
  })
  const target = { machines: [machine.id] }
  return (
    <Stack>
      {may('packages:manage') ? (
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setPlan(upgradePlan(target, plain(machine.name)))}>
            {t('updates.all')}
          </Button>
          <Button onClick={() => setPlan(securityPlan(target, plain(machine.name)))}>{t('updates.securityonly')}</Button>
        </Group>
      ) : null}
      <Paged of={pages} empty={<Empty title={t('updates.empty')} hint={t('updates.empty.hint')} />}>
        {(rows) => (
          <DataTable
            label={t('updates.title')}
            rows={rows}
            rowKey={(u) => u.key}
            columns={[
              {
                title: t('software.name'),
                cell: (u) => (
                  <Group gap="xs">
                    <Text size="sm" fw={600}>
                      {plain(u.name)}
                    </Text>
                    {u.security ? <Security /> : null}
                    {u.held ? (
                      <Badge color="gray" variant="light" tt="none">
                        {t('updates.held')}
                      </Badge>
                    ) : null}
                  </Group>
                ),
              },
              { title: t('updates.from'), cell: (u) => <Text size="sm">{plain(u.installed ?? '')}</Text> },
              { title: t('updates.to'), cell: (u) => <Text size="sm">{plain(u.version)}</Text> },
              { title: t('updates.origin'), cell: (u) => <Text size="sm">{plain(u.origin ?? '')}</Text> },
              { title: t('updates.download'), cell: (u) => <Text size="sm">{u.download_bytes ? bytes(u.download_bytes) : ''}</Text> },
            ]}
          />
        )}
      </Paged>
      <RunDialog plan={plan} close={() => setPlan(undefined)} />
    </Stack>
  )
}
