/** The figures at the head of the overview, each leading to what it counts. */
import { Card, Group, SimpleGrid, Text, ThemeIcon } from '@mantine/core'
import { IconApps, IconCertificate, IconListCheck, IconPlugConnectedX, IconReload, IconServer2, IconShieldExclamation, IconUserCheck, type TablerIcon } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { useLive } from '../../api/events'
import { day, number, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { licenseQuery } from '../licence/queries'
import { machinesWith, type Overview, useOverview } from './queries'

export function Figures() {
  const may = useMay()
  const { data: seen } = useOverview()
  useLive(['license.'], ['license'])
  const license = useQuery({ ...licenseQuery, enabled: may('license:read') })
  const ends = license.data?.licenses[0]?.expires_at
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} mb="lg" component="section" aria-label={t('overview.figures')}>
      {may('machines:read') ? <Fleet seen={seen} /> : null}
      {may('machines:approve') ? (
        <Figure icon={IconUserCheck} color="orange" label={t('overview.pending')} value={written(seen?.pending)} to="/approvals" />
      ) : null}
      {seen?.operations ? (
        <Figure icon={IconListCheck} color="blue" label={t('overview.running')} value={written(seen.operations['running'] ?? 0)} to="/operations" />
      ) : null}
      {seen?.engines ? (
        <Figure icon={IconApps} color="blue" label={t('overview.engines')} value={`${number(seen.engines['active'] ?? 0)} / ${number(sum(seen.engines))}`} to="/engines" />
      ) : null}
      {may('license:read') ? (
        <Figure icon={IconCertificate} color="blue" label={t('overview.license')} value={license.data?.licenses[0] ? (ends ? day(ends) : t('overview.noend')) : t('app.none')} to="/license" />
      ) : null}
    </SimpleGrid>
  )
}

function Fleet({ seen }: { seen: Overview | undefined }) {
  const { online, needs } = seen?.machines ?? {}
  const of = (facets: typeof online, value: string) => (seen ? written(machinesWith(facets, value)) : '…')
  return (
    <>
      <Figure icon={IconServer2} color="green" label={t('overview.online')} value={seen ? `${of(online, 'yes')} / ${number(seen.machines.total)}` : '…'} to="/machines" search={{ q: 'online:yes' }} />
      <Figure icon={IconPlugConnectedX} color="red" label={t('overview.offline')} value={of(online, 'no')} to="/machines" search={{ q: 'state:approved online:no' }} />
      <Figure icon={IconShieldExclamation} color="red" label={t('overview.security')} value={of(needs, 'security')} to="/updates" search={{ by: 'host', security: 'yes' }} />
      <Figure icon={IconReload} color="orange" label={t('overview.reboot')} value={of(needs, 'reboot')} to="/machines" search={{ q: 'state:approved needs:reboot' }} />
    </>
  )
}

function written(count: number | undefined): string {
  return count === undefined ? '…' : number(count)
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0)
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
