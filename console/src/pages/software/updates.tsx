/** Updates that hosts wait for: by package and by host, with the ones that mend security told apart. */
import { Anchor, Badge, Button, Group, Modal, SegmentedControl, Switch, Text } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { ago, number, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tellFailure } from '../../ui/act'
import { Empty, PageHead } from '../../ui/panels'
import { type Plan, RunDialog } from '../../ui/run'
import { SearchInput, useAddress } from '../../ui/search'
import { OnlineBadge } from '../../ui/states'
import { DataTable, Paged, usePages } from '../../ui/table'
import { plain } from '../../ui/text'
import { Manager } from './list'
import { InstalledOn } from './title'

interface Address extends Record<string, string | undefined> {
  by?: string
  search?: string
  security?: string
}

const NEEDING = 'state:approved updates>0'
const NEEDING_SECURITY = 'state:approved security>0'

export function securityPlan(targets: { selector: string } | { machines: string[] }, where: string): Plan {
  return {
    title: t('updates.securityonly'),
    sentence: t('updates.securityonly.sentence', { where }),
    path: 'packages/upgrade',
    body: { ...targets, parameters: { packages: [], security_only: true } },
  }
}

export function upgradePlan(targets: { selector: string } | { machines: string[] }, where: string): Plan {
  return {
    title: t('updates.all'),
    sentence: t('updates.all.sentence', { where }),
    path: 'packages/upgrade',
    body: { ...targets, parameters: { packages: [], security_only: false } },
  }
}

export function Updates() {
  const may = useMay()
  const [{ by = 'package', search = '', security = '' }, change] = useAddress<Address>()
  const [plan, setPlan] = useState<Plan>()
  useLive(['machine.inventory_changed'], ['updates'])
  return (
    <>
      <PageHead title={t('updates.title')}>
        {may('packages:manage') ? (
          <>
            <Button variant="default" onClick={() => setPlan(upgradePlan({ selector: NEEDING }, t('updates.where')))}>
              {t('updates.all')}
            </Button>
            <Button
              leftSection={<IconShieldCheck size={16} aria-hidden />}
              onClick={() => setPlan(securityPlan({ selector: NEEDING_SECURITY }, t('updates.where.security')))}
            >
              {t('updates.securityonly')}
            </Button>
          </>
        ) : null}
      </PageHead>
      <Group mb="md">
        <SegmentedControl
          aria-label={t('updates.by')}
          value={by}
          onChange={(next) => change({ by: next })}
          data={[
            { value: 'package', label: t('updates.bypackage') },
            { value: 'host', label: t('updates.byhost') },
          ]}
        />
        <SearchInput className="grow" label={t(by === 'package' ? 'software.search' : 'updates.searchhost')} value={search} onChange={(text) => change({ search: text })} />
        <Switch
          label={t('updates.onlysecurity')}
          checked={security === 'yes'}
          onChange={(e) => change({ security: e.currentTarget.checked ? 'yes' : undefined })}
        />
      </Group>
      {by === 'package' ? (
        <ByPackage search={search} security={security === 'yes'} ask={setPlan} />
      ) : (
        <ByHost search={search} security={security === 'yes'} ask={setPlan} />
      )}
      <RunDialog plan={plan} close={() => setPlan(undefined)} />
    </>
  )
}

interface View {
  search: string
  security: boolean
  ask: (plan: Plan) => void
}

export function Security() {
  return (
    <Badge color="red" variant="light" tt="none" className="state">
      {t('updates.security')}
    </Badge>
  )
}

const PAGES_MOST = 20

/** Ids of every host that needs an update, a page of 500 at a time. */
async function needing(update: number): Promise<string[]> {
  const ids = new Set<string>()
  let cursor: string | undefined
  for (let page = 0; page < PAGES_MOST; page += 1) {
    const at = { params: { path: { update }, query: { limit: 500, cursor } } }
    const found = await data(client.GET('/api/v1/updates/{update}/machines', at))
    for (const m of found.items) ids.add(m.machine_id)
    cursor = found.next_cursor ?? undefined
    if (!cursor) break
  }
  return [...ids]
}

function ByPackage({ search, security, ask }: View) {
  const may = useMay()
  const [shown, setShown] = useState<Schema['Update']>()
  const pages = usePages(['updates', search, security], (cursor) => {
    const query = { search: search || undefined, security: security || undefined, sort: '-machines', limit: 100, cursor }
    return data(client.GET('/api/v1/updates', { params: { query } }))
  })
  async function upgrade(update: Schema['Update']) {
    const machines = await needing(update.id)
    const name = plain(update.name)
    ask({
      title: t('software.upgrade', { name }),
      sentence: t('software.upgrade.sentence', { name, count: machines.length }),
      path: 'packages/upgrade',
      body: { machines, parameters: { packages: [update.name], security_only: false } },
    })
  }
  return (
    <>
      <Paged of={pages} empty={<Empty title={t('updates.empty')} hint={t('updates.empty.hint')} />}>
        {(rows) => (
          <DataTable
            label={t('updates.bypackage')}
            rows={rows}
            rowKey={(u) => u.id}
            columns={[
              {
                title: t('software.name'),
                cell: (u) => (
                  <Text size="sm" fw={600}>
                    {plain(u.name)}
                  </Text>
                ),
              },
              { title: t('updates.to'), cell: (u) => <Text size="sm">{plain(u.version)}</Text> },
              { title: t('updates.kind'), width: 110, cell: (u) => (u.security ? <Security /> : <Text size="sm">{t('updates.other')}</Text>) },
              { title: t('software.manager'), width: 100, cell: (u) => <Manager name={u.manager} /> },
              {
                title: t('nav.machines'),
                width: 100,
                cell: (u) => (
                  <Button size="compact-sm" variant="subtle" onClick={() => setShown(u)} aria-label={t('updates.who', { name: plain(u.name) })}>
                    {number(u.machines)}
                  </Button>
                ),
              },
              ...(may('packages:manage')
                ? [
                    {
                      title: t('app.actions'),
                      width: 110,
                      cell: (u: Schema['Update']) => (
                        <Button
                          size="compact-sm"
                          variant="light"
                          onClick={() => upgrade(u).catch(tellFailure)}
                          aria-label={t('software.upgrade', { name: plain(u.name) })}
                        >
                          {t('updates.upgrade')}
                        </Button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Paged>
      <Modal opened={shown !== undefined} onClose={() => setShown(undefined)} title={t('updates.who', { name: plain(shown?.name ?? '') })} size="lg">
        {shown ? <Who update={shown.id} /> : null}
      </Modal>
    </>
  )
}

function Who({ update }: { update: number }) {
  const pages = usePages(['update-machines', update], (cursor) => {
    const at = { params: { path: { update }, query: { limit: 100, cursor } } }
    return data(client.GET('/api/v1/updates/{update}/machines', at))
  })
  return (
    <Paged of={pages} empty={<Empty title={t('app.none')} />}>
      {(rows) => <InstalledOn rows={rows} />}
    </Paged>
  )
}

function ByHost({ search, security, ask }: View) {
  const may = useMay()
  const name = search.replaceAll(/["\\*?]/g, '')
  const q = [security ? NEEDING_SECURITY : NEEDING, name ? `name:"*${name}*"` : ''].join(' ').trim()
  const sort = security ? '-security' : '-updates'
  const pages = usePages(['updates', 'host', q, sort], (cursor) =>
    data(client.GET('/api/v1/machines', { params: { query: { q, sort, limit: 100, cursor } } })),
  )
  return (
    <Paged of={pages} empty={<Empty title={t('updates.empty')} hint={t('updates.empty.hint')} />}>
      {(rows) => (
        <DataTable
          label={t('updates.byhost')}
          rows={rows}
          rowKey={(m) => m.id}
          columns={[
            {
              title: t('operations.host'),
              cell: (m) => (
                <Anchor component={Link} to={`/machines/${m.id}`} search={{ tab: 'updates' } as never} size="sm" fw={600}>
                  {plain(m.name)}
                </Anchor>
              ),
            },
            { title: t('machine.state'), cell: (m) => <OnlineBadge online={m.online} /> },
            { title: t('updates.title'), cell: (m) => <Text size="sm">{number(m.updates ?? 0)}</Text> },
            {
              title: t('updates.security'),
              cell: (m) => <Text size="sm" fw={m.security_updates ? 700 : 400}>{number(m.security_updates ?? 0)}</Text>,
            },
            { title: t('machine.lastseen'), cell: (m) => <Text size="sm">{ago(m.last_seen_at)}</Text> },
            ...(may('packages:manage')
              ? [
                  {
                    title: t('app.actions'),
                    cell: (m: Schema['Machine']) => (
                      <Button
                        size="compact-sm"
                        variant="light"
                        disabled={!m.security_updates}
                        onClick={() => ask(securityPlan({ machines: [m.id] }, plain(m.name)))}
                        aria-label={`${t('updates.securityonly')}: ${plain(m.name)}`}
                      >
                        {t('updates.securityonly')}
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
    </Paged>
  )
}
