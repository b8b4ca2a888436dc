/** The menu: pages that the reader may see, with live counts. */
import { Badge, NavLink, Stack, Text } from '@mantine/core'
import {
  IconActivity, IconApps, IconBuildingStore, IconCertificate, IconDashboard, IconDevices, IconHistory, IconKey, IconListCheck, IconPackages, IconRefreshAlert, IconServer2, IconSettings, IconShieldCheck, IconUserCheck, IconUsers, type TablerIcon,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useRouterState } from '@tanstack/react-router'

import { client, data } from '../api/client'
import { useLive } from '../api/events'
import { type Key, number, t } from '../i18n'
import { statusQuery } from '../pages/marketplace/queries'
import { machinesWith, useOverview, useOverviewLive } from '../pages/overview/queries'
import { EngineLinks } from './engine-links'
import { useMay } from './session'

export interface Page {
  path: string
  title: Key
  group: Key
  icon: TablerIcon
  permission?: string
}

export const PAGES: Page[] = [
  { path: '/', title: 'nav.overview', group: 'nav.group.fleet', icon: IconDashboard },
  { path: '/machines', title: 'nav.machines', group: 'nav.group.fleet', icon: IconServer2, permission: 'machines:read' },
  { path: '/approvals', title: 'nav.approvals', group: 'nav.group.fleet', icon: IconUserCheck, permission: 'machines:approve' },
  { path: '/updates', title: 'nav.updates', group: 'nav.group.fleet', icon: IconRefreshAlert, permission: 'machines:read' },
  { path: '/software', title: 'nav.software', group: 'nav.group.fleet', icon: IconPackages, permission: 'machines:read' },
  { path: '/changes', title: 'nav.changes', group: 'nav.group.fleet', icon: IconHistory, permission: 'machines:read' },
  { path: '/operations', title: 'nav.operations', group: 'nav.group.fleet', icon: IconListCheck, permission: 'operations:read' },
  { path: '/engines', title: 'nav.engines', group: 'nav.group.product', icon: IconApps, permission: 'engines:read' },
  { path: '/marketplace', title: 'nav.marketplace', group: 'nav.group.product', icon: IconBuildingStore, permission: 'engines:read' },
  { path: '/license', title: 'nav.license', group: 'nav.group.product', icon: IconCertificate, permission: 'license:read' },
  { path: '/users', title: 'nav.users', group: 'nav.group.access', icon: IconUsers, permission: 'users:read' },
  { path: '/roles', title: 'nav.roles', group: 'nav.group.access', icon: IconShieldCheck, permission: 'roles:read' },
  { path: '/sessions', title: 'nav.sessions', group: 'nav.group.access', icon: IconDevices, permission: 'users:manage' },
  { path: '/tokens', title: 'nav.tokens', group: 'nav.group.access', icon: IconKey },
  { path: '/activity', title: 'nav.activity', group: 'nav.group.access', icon: IconActivity, permission: 'audit:read' },
  { path: '/settings', title: 'nav.settings', group: 'nav.group.access', icon: IconSettings },
]

export function usePages(): Page[] {
  const may = useMay()
  return PAGES.filter((page) => !page.permission || may(page.permission))
}

/** How many wait for approval; a page of 100 says enough. */
export function usePending() {
  const may = useMay()
  useLive(['machine.enrolled', 'machine.updated', 'machine.deleted'], ['pending'])
  return useQuery({
    queryKey: ['pending'],
    queryFn: () => data(client.GET('/api/v1/machines', { params: { query: { q: 'state:pending', limit: 100 } } })),
    enabled: may('machines:approve'),
  })
}

/** What waits behind a page, where somebody should know without opening it. */
function useCounts(): Record<string, { count: number; color: string; says: Key }> {
  const pending = usePending().data?.items.length ?? 0
  const may = useMay()
  const seen = useOverview().data
  useLive(['marketplace.refreshed', 'engine.'], ['marketplace'])
  const market = useQuery({ ...statusQuery, enabled: may('engines:read') }).data
  useOverviewLive()
  return {
    '/approvals': { count: pending, color: 'orange', says: 'overview.pending' },
    '/updates': { count: machinesWith(seen?.machines.needs, 'security'), color: 'red', says: 'overview.security' },
    '/marketplace': { count: market?.updates ?? 0, color: 'blue', says: 'market.updates' },
    '/operations': { count: seen?.operations?.['running'] ?? 0, color: 'blue', says: 'overview.running' },
  }
}

function Count({ of }: { of: { count: number; color: string; says: Key } | undefined }) {
  if (!of || of.count === 0) return null
  return (
    <Badge size="sm" color={of.color} variant="filled" autoContrast title={t(of.says)}>
      {of.count >= 1000 ? '999+' : number(of.count)}
    </Badge>
  )
}

/** Pages that an engine brings stand in the menu themselves, below its name. */
function isHere(page: string, path: string): boolean {
  if (page === '/') return path === '/'
  if (page === '/engines') return /^\/engines(\/[^/]+)?$/.test(path)
  return path === page || path.startsWith(`${page}/`)
}

export function Navigation({ onChosen }: { onChosen: () => void }) {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const pages = usePages()
  const counts = useCounts()
  const groups = [...new Set(pages.map((p) => p.group))]
  return (
    <Stack gap="md" component="nav" aria-label={t('app.menu')}>
      {groups.map((group) => (
        <div key={group}>
          <Text size="xs" c="dimmed" fw={600} px="sm" pb={4}>
            {t(group)}
          </Text>
          {pages
            .filter((page) => page.group === group)
            .map((page) => {
              const here = isHere(page.path, path)
              return (
                <NavLink
                  key={page.path}
                  component={Link}
                  to={page.path}
                  onClick={onChosen}
                  label={t(page.title)}
                  active={here}
                  aria-current={here ? 'page' : undefined}
                  leftSection={<page.icon size={18} aria-hidden />}
                  rightSection={<Count of={counts[page.path]} />}
                />
              )
            })}
        </div>
      ))}
      <EngineLinks path={path} onChosen={onChosen} />
    </Stack>
  )
}
