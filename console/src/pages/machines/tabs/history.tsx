/** A host's figures over an hour, a day, a week or a month. */
import { Group, SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import { client, data, type Schema } from '../../../api/client'
import { bytes, duration, number, t, word, type Key } from '../../../i18n'
import { Chart } from '../../../ui/chart'
import { ChartPanel, Empty, Outcome } from '../../../ui/panels'

const SPANS: Record<string, number> = { '1h': 3_600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000 }
const COLOURS = ['#228be6', '#12b886', '#f08c00']

interface Figure {
  title: Key
  names: [string, Key][]
  unit: 'percent' | 'count' | 'bps'
}

const FIGURES: Figure[] = [
  { title: 'machine.cpu', names: [['cpu.percent', 'machine.cpu']], unit: 'percent' },
  { title: 'machine.memory', names: [['memory.used_percent', 'machine.memory'], ['swap.used_percent', 'machine.swap']], unit: 'percent' },
  { title: 'history.disk', names: [['disk.used_percent', 'history.fullest']], unit: 'percent' },
  { title: 'machine.load', names: [['load1', 'history.load1'], ['load15', 'history.load15']], unit: 'count' },
  { title: 'history.net', names: [['net.received_bps', 'history.received'], ['net.sent_bps', 'history.sent']], unit: 'bps' },
  { title: 'history.io', names: [['disk.read_bps', 'history.read'], ['disk.write_bps', 'history.written']], unit: 'bps' },
]
const NAMES = FIGURES.flatMap((f) => f.names.map(([name]) => name)).join(',')

export function HistoryTab({ machine }: { machine: Schema['MachineDetails'] }) {
  const [span, setSpan] = useState('1h')
  const history = useQuery({
    queryKey: ['history', machine.id, span],
    queryFn: () => {
      const from = new Date(Date.now() - SPANS[span]! * 1000).toISOString()
      const query = { names: NAMES, from, points: 300 }
      return data(client.GET('/api/v1/machines/{id}/metrics', { params: { path: { id: machine.id }, query } }))
    },
    refetchInterval: 60_000,
  })
  return (
    <Stack>
      <Group justify="space-between">
        <SegmentedControl
          aria-label={t('history.span')}
          value={span}
          onChange={setSpan}
          data={Object.keys(SPANS).map((value) => ({ value, label: word('span', value) }))}
        />
        {history.data ? (
          <Text size="sm" c="dimmed">
            {t('history.step', { step: duration(history.data.step_s) })}
          </Text>
        ) : null}
      </Group>
      <Outcome of={history}>{(found) => <Charts found={found} />}</Outcome>
    </Stack>
  )
}

function Charts({ found }: { found: Schema['History'] }) {
  const measured = found.series.some((s) => s.avg.some((v) => v !== null))
  if (!measured) return <Empty title={t('history.empty')} hint={t('history.empty.hint')} />
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {FIGURES.map((figure) => (
        <FigureChart key={figure.title} figure={figure} found={found} />
      ))}
    </SimpleGrid>
  )
}

function shown(value: number, unit: Figure['unit']): string {
  if (unit === 'bps') return `${bytes(value)}/s`
  return unit === 'percent' ? `${number(value, 1)} %` : number(value, 2)
}

function FigureChart({ figure, found }: { figure: Figure; found: Schema['History'] }) {
  const lines = useMemo(
    () =>
      figure.names.map(([name, label], i) => ({
        label: t(label),
        color: COLOURS[i]!,
        values: found.series.find((s) => s.name === name)?.avg ?? found.at.map(() => null),
      })),
    [figure, found],
  )
  const first = found.series.find((s) => s.name === figure.names[0]![0])
  const values = (first?.avg ?? []).filter((v): v is number => v !== null)
  const peaks = (first?.max ?? []).filter((v): v is number => v !== null)
  const mean = values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : 0
  const note = values.length > 0 ? t('history.note', { mean: shown(mean, figure.unit), most: shown(Math.max(...peaks), figure.unit) }) : t('app.none')
  const title = t(figure.title)
  return (
    <ChartPanel title={title} note={note}>
      <Chart
        times={found.at}
        lines={lines}
        unit={figure.unit === 'percent' ? ' %' : ''}
        format={(value) => shown(value, figure.unit)}
        max={figure.unit === 'percent' ? 100 : undefined}
        summary={`${title}: ${note}`}
      />
    </ChartPanel>
  )
}
