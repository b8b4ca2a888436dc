/** The fleet over a day, a week, a month or a year: who was there, and what was needed. */
import { Card, Group, SegmentedControl, Stack, Title } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import type { Schema } from '../../api/client'
import { number, t, word } from '../../i18n'
import { Chart, type Line } from '../../ui/chart'
import { Empty, Outcome } from '../../ui/panels'
import { trendQuery } from './queries'

type Trend = Schema['Trend']
const SPANS: Record<string, number> = { '24h': 1, '7d': 7, '30d': 30, '1y': 365 }

export function Trend() {
  const [span, setSpan] = useLocalStorage({ key: 'sysmanage.trend', defaultValue: '24h', getInitialValueInEffect: false })
  const trend = useQuery(trendQuery(SPANS[span] ?? 1))
  return (
    <Card withBorder component="section" aria-label={t('trend.title')} className="whole-row">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t('trend.title')}
        </Title>
        <SegmentedControl
          aria-label={t('history.span')}
          size="xs"
          value={span in SPANS ? span : '24h'}
          onChange={setSpan}
          data={Object.keys(SPANS).map((value) => ({ value, label: word('span', value) }))}
        />
      </Group>
      <Outcome of={trend}>{(found) => (found.trend ? <Charts trend={found.trend} /> : <Empty title={t('trend.scoped')} />)}</Outcome>
    </Card>
  )
}

/** A time of which nothing is known breaks the line. */
function withGaps(trend: Trend): (Schema['TrendPoint'] | { at: string })[] {
  return trend.points.flatMap((point, i) => {
    const before = trend.points[i - 1]
    const gap = before && Date.parse(point.at) - Date.parse(before.at) > trend.step_s * 1500
    return gap ? [{ at: new Date(Date.parse(before.at) + trend.step_s * 1000).toISOString() }, point] : [point]
  })
}

type Name = Exclude<keyof Schema['TrendPoint'], 'at'>
const PRESENCE: [Name, string][] = [['machines', '#868e96'], ['online', '#12b886'], ['pending', '#f08c00']]
const NEEDS: [Name, string][] = [['security', '#e03131'], ['updates', '#228be6'], ['reboot', '#f08c00']]

function Charts({ trend }: { trend: Trend }) {
  const points = useMemo(() => withGaps(trend), [trend])
  if (trend.points.length < 2) return <Empty title={t('trend.empty')} hint={t('trend.empty.hint')} />
  return (
    <Stack>
      <TrendChart title={t('trend.presence')} names={PRESENCE} points={points} />
      <TrendChart title={t('trend.needs')} names={NEEDS} points={points} />
    </Stack>
  )
}

function TrendChart({ title, names, points }: { title: string; names: [Name, string][]; points: ReturnType<typeof withGaps> }) {
  const times = useMemo(() => points.map((p) => Date.parse(p.at) / 1000), [points])
  const lines = useMemo<Line[]>(
    () => names.map(([name, color]) => ({ label: word('trend', name), color, values: points.map((p) => (name in p ? (p as Schema['TrendPoint'])[name] : null)) })),
    [names, points],
  )
  const summary = `${title}: ${lines.map((l) => `${l.label} ${number(l.values.at(-1) ?? 0)}`).join(', ')}`
  return (
    <div>
      <Title order={3} size="h6" mb={4}>
        {title}
      </Title>
      <Chart times={times} lines={lines} unit="" format={(value) => (Number.isInteger(value) ? number(value) : '')} summary={summary} />
    </div>
  )
}
