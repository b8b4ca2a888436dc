/** The fleet at a glance: who is there, what is done, what needs somebody. */
import { Card, Group, List, SimpleGrid, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { IconAlertTriangle, IconApps, IconCertificate, IconListCheck, IconPlugConnectedX, IconServer2, IconUserCheck, type TablerIcon } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { client, data } from '../api/client'
import { useLive } from '../api/events'
import { ago, date, t } from '../i18n'
import { useOverviewCards } from '../plugin-kit/console'
import { operationsQuery } from '../shell/dock'
import { usePending } from '../shell/navigation'
import { useMay } from '../shell/session'
import { Empty, Outcome, PageHead } from '../ui/panels'
import { Progress } from '../ui/progress'
import { plain } from '../ui/text'
import { enginesQuery } from './engines/queries'
import { licenseQuery } from './licence/queries'

/** Machines of a filter, up to a page: `500+` says that there are more. */
function useMachines(q: string) {
  const may = useMay()
  useLive(['machine.'], ['count'])
  return useQuery({
    queryKey: ['count', q],
    queryFn: () => data(client.GET('/api/v1/machines', { params: { query: { q, limit: 500 } } })),
    enabled: may('machines:read'),
  })
}

function count(page: { items: unknown[]; next_cursor?: string | null } | undefined): string {
  if (!page) return '…'
  return page.next_cursor ? `${page.items.length}+` : String(page.items.length)
}

export function Overview() {
  const may = useMay()
  const brought = useOverviewCards(may)
  const online = useMachines('state:approved online:yes')
  const offline = useMachines('state:approved online:no')
  const pending = usePending()
  const operations = useQuery({ ...operationsQuery(20), enabled: may('operations:read') })
  const engines = useQuery({ ...enginesQuery, enabled: may('engines:read') })
  const license = useQuery({ ...licenseQuery, enabled: may('license:read') })
  const running = operations.data?.items.filter((o) => !o.finished_at).length ?? 0
  const active = engines.data?.items.filter((e) => e.state === 'active').length ?? 0
  const first = license.data?.licenses[0]
  return (
    <>
      <PageHead title={t('overview.title')} />
      <SimpleGrid cols={{ base: 2, md: 3, xl: 6 }} mb="lg">
        {may('machines:read') ? (
          <>
            <Figure icon={IconServer2} color="green" label={t('overview.online')} value={count(online.data)} to="/machines" search={{ q: 'online:yes' }} />
            <Figure icon={IconPlugConnectedX} color="red" label={t('overview.offline')} value={count(offline.data)} to="/machines" search={{ q: 'state:approved online:no' }} />
          </>
        ) : null}
        {may('machines:approve') ? (
          <Figure icon={IconUserCheck} color="orange" label={t('overview.pending')} value={count(pending.data)} to="/approvals" />
        ) : null}
        {may('operations:read') ? (
          <Figure icon={IconListCheck} color="blue" label={t('overview.running')} value={String(running)} to="/operations" />
        ) : null}
        {may('engines:read') ? (
          <Figure icon={IconApps} color="blue" label={t('overview.engines')} value={`${active} / ${engines.data?.items.length ?? 0}`} to="/engines" />
        ) : null}
        {may('license:read') ? (
          <Figure icon={IconCertificate} color="blue" label={t('overview.license')} value={first ? date(first.expires_at).split(',')[0]! : t('app.none')} to="/license" />
        ) : null}
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Attention />
        {may('operations:read') ? (
          <Card withBorder>
            <Title order={2} size="h4" mb="sm">
              {t('overview.recent')}
            </Title>
            <Outcome of={operations}>
              {(page) =>
                page.items.length === 0 ? (
                  <Empty title={t('operations.empty')} hint={t('operations.empty.hint')} />
                ) : (
                  <Stack gap={6}>
                    {page.items.slice(0, 8).map((o) => (
                      <Group key={o.id} justify="space-between" wrap="nowrap" gap="sm">
                        <Text size="sm" truncate component={Link} to={`/operations/${o.id}`} className="grow link">
                          {plain(o.title)}
                        </Text>
                        <Progress counts={o.counts} total={o.total} />
                      </Group>
                    ))}
                  </Stack>
                )
              }
            </Outcome>
          </Card>
        ) : null}
        {brought.map((card) => (
          <Card withBorder key={card.key}>
            <Title order={2} size="h4" mb="sm">
              {card.label}
            </Title>
            {card.render()}
          </Card>
        ))}
      </SimpleGrid>
    </>
  )
}

interface FigureProps {
  icon: TablerIcon
  color: string
  label: string
  value: string
  to: string
  search?: Record<string, string>
}

function Figure({ icon: Icon, color, label, value, to, search }: FigureProps) {
  return (
    <Card withBorder padding="md" component={Link} to={to} search={search as never} className="brand">
      <Group wrap="nowrap">
        <ThemeIcon variant="light" color={color} size="lg" aria-hidden>
          <Icon size={20} />
        </ThemeIcon>
        <div>
          <Text size="xl" fw={700} lh={1.2}>
            {value}
          </Text>
          <Text size="xs" c="dimmed">
            {label}
          </Text>
        </div>
      </Group>
    </Card>
  )
}

interface Need {
  key: string
  text: string
  to: string
}

/** What somebody should look at, each with the page where it is mended. */
function useNeeds(): Need[] {
  const may = useMay()
  const pending = usePending().data?.items ?? []
  const offline = useMachines('state:approved online:no').data?.items ?? []
  const engines = useQuery({ ...enginesQuery, enabled: may('engines:read') }).data
  const needs: Need[] = pending.slice(0, 5).map((m) => ({
    key: m.id,
    text: `${plain(m.name)}: ${t('overview.pending').toLowerCase()}`,
    to: '/approvals',
  }))
  for (const m of offline.slice(0, 5)) {
    needs.push({ key: m.id, text: `${plain(m.name)}: ${t('machine.offline')}, ${ago(m.last_seen_at)}`, to: `/machines/${m.id}` })
  }
  for (const e of engines?.items ?? []) {
    if (e.remedy) needs.push({ key: e.id, text: `${plain(e.name)}: ${plain(e.remedy)}`, to: `/engines/${e.id}` })
  }
  for (const r of engines?.refused ?? []) {
    needs.push({ key: r.file, text: `${plain(r.file)}: ${plain(r.reason)}`, to: '/engines' })
  }
  return needs
}

function Attention() {
  const needs = useNeeds()
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        {t('overview.attention')}
      </Title>
      {needs.length === 0 ? (
        <Empty title={t('overview.calm')} />
      ) : (
        <List spacing={6} size="sm" icon={<IconAlertTriangle size={16} aria-hidden />}>
          {needs.map((need) => (
            <List.Item key={need.key}>
              <Link to={need.to} className="link">
                {need.text}
              </Link>
            </List.Item>
          ))}
        </List>
      )}
    </Card>
  )
}
