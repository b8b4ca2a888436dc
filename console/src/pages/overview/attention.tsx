/** What somebody should look at, each with the page where it is mended. */
import { Badge, Card, List, Text, Title } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { useLive } from '../../api/events'
import { date, number, t, word } from '../../i18n'
import { usePending } from '../../shell/navigation'
import { useMay } from '../../shell/session'
import { Empty } from '../../ui/panels'
import { plain } from '../../ui/text'
import { enginesQuery } from '../engines/queries'
import { type LicenseView, licenseQuery } from '../licence/queries'
import { statusQuery } from '../marketplace/queries'
import { useOverview } from './queries'

interface Need {
  key: string
  text: string
  count?: number
  to: string
  search?: Record<string, string>
}

/** Requests to join that are named; the others are behind the link. */
const NAMED = 5
/** What the licence will stop is told this long before, in milliseconds. */
const SOON_MS = 30 * 86_400_000

function useNeeds(): Need[] {
  const may = useMay()
  useLive(['engine.'], ['engines'])
  const pending = usePending().data?.items ?? []
  const troubles = useOverview().data?.troubles ?? []
  const engines = useQuery({ ...enginesQuery, enabled: may('engines:read') }).data
  const market = useQuery({ ...statusQuery, enabled: may('engines:read') }).data
  const license = useQuery({ ...licenseQuery, enabled: may('license:read') }).data
  const needs: Need[] = pending.slice(0, NAMED).map((m) => ({
    key: m.id,
    text: `${plain(m.name)}: ${t('overview.pending').toLowerCase()}`,
    to: '/approvals',
  }))
  for (const trouble of troubles) {
    needs.push({ key: trouble.name, text: word('trouble', trouble.name), count: trouble.machines, to: '/machines', search: { q: trouble.selector } })
  }
  for (const [key, lapse] of lapses(license?.engines ?? [])) {
    needs.push({ key, text: t('overview.lapses', lapse), to: '/license' })
  }
  if (market && market.updates > 0) needs.push({ key: 'engine-updates', text: t('market.updates'), count: market.updates, to: '/marketplace' })
  for (const e of engines?.items ?? []) {
    if (e.remedy) needs.push({ key: e.id, text: `${plain(e.name)}: ${plain(e.remedy)}`, to: `/engines/${e.id}` })
  }
  for (const r of engines?.refused ?? []) {
    needs.push({ key: r.file, text: `${plain(r.file)}: ${plain(r.reason)}`, to: '/engines' })
  }
  return needs
}

/** What the licence stops soon: engines with the same fate in one line. */
function lapses(engines: LicenseView['engines']): Map<string, { engines: string; state: string; at: string }> {
  const found = new Map<string, { engines: string; state: string; at: string }>()
  for (const e of engines) {
    const next = e.next_change
    if (!next || new Date(next.at).getTime() - Date.now() >= SOON_MS) continue
    const key = `license ${next.state} ${next.at}`
    const known = found.get(key)
    const name = plain(e.engine)
    found.set(key, { engines: known ? `${known.engines}, ${name}` : name, state: word('lapse', next.state), at: date(next.at) })
  }
  return found
}

export function Attention() {
  const needs = useNeeds()
  return (
    <Card withBorder component="section" aria-label={t('overview.attention')}>
      <Title order={2} size="h4" mb="sm">
        {t('overview.attention')}
      </Title>
      {needs.length === 0 ? (
        <Empty title={t('overview.calm')} />
      ) : (
        <List spacing={6} size="sm" icon={<IconAlertTriangle size={16} aria-hidden />}>
          {needs.map((need) => (
            <List.Item key={need.key}>
              <Text component={Link} to={need.to} search={need.search as never} size="sm" className="link">
                {need.text}
              </Text>
              {need.count === undefined ? null : (
                <Badge size="sm" variant="light" color="orange" ml="xs" className="state">
                  {number(need.count)}
                </Badge>
              )}
            </List.Item>
          ))}
        </List>
      )}
    </Card>
  )
}
