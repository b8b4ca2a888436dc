/** A host's figures while somebody looks: the page asks for them, the host streams them. */
import { Alert, Card, Group, Progress, SimpleGrid, Stack, Text } from '@mantine/core'
import { useInterval } from '@mantine/hooks'
import { useEffect, useMemo, useState } from 'react'

import { client, type Schema } from '../../api/client'
import { useEvents } from '../../api/events'
import { bytes, duration, number, t } from '../../i18n'
import { Chart } from '../../ui/chart'
import { ChartPanel } from '../../ui/panels'
import { plain } from '../../ui/text'

interface Disk {
  mount: string
  total: number
  used: number
}
interface Net {
  name: string
  received_bytes: number
  sent_bytes: number
}
type Metrics = Omit<Schema['LiveMetrics'], 'disks' | 'nets'> & { disks: Disk[]; nets: Net[] }
const KEPT = 300
const WATCH = { for_ms: 30_000, interval_ms: 2_000 }

/** The samples that came while this page was open, and the newest. */
function useSamples(id: string, first: Metrics | null, online: boolean): Metrics[] {
  const [samples, setSamples] = useState<Metrics[]>(first ? [first] : [])
  const watch = () => {
    client.POST('/api/v1/machines/{id}/watch', { params: { path: { id } }, body: WATCH }).catch(() => undefined)
  }
  const again = useInterval(watch, WATCH.for_ms / 2)
  useEffect(() => {
    if (!online) return
    watch()
    again.start()
    return again.stop
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id, online])
  useEvents(['machine.metrics'], (event) => {
    if (event.machine_id !== id) return
    const next = event.data.metrics as Metrics
    setSamples((known) => [...known.filter((s) => s.at !== next.at), next].slice(-KEPT))
  })
  return samples
}

export function Live({ machine }: { machine: Schema['MachineDetails'] }) {
  const samples = useSamples(machine.id, (machine.metrics ?? null) as Metrics | null, machine.online)
  const newest = samples.at(-1)
  const times = useMemo(() => samples.map((s) => new Date(s.at ?? 0).getTime() / 1000), [samples])
  const cpu = useMemo(() => [{ label: t('machine.cpu'), color: '#228be6', values: samples.map((s) => s.cpu_percent) }], [samples])
  const memory = useMemo(
    () => [{ label: t('machine.memory'), color: '#12b886', values: samples.map((s) => share(used(s), s.memory_total)) }],
    [samples],
  )
  if (!newest) return <Alert color="gray">{t('machine.away')}</Alert>
  return (
    <Stack>
      <Text size="sm" c="dimmed" role="status">
        {t(machine.online ? 'machine.watching' : 'machine.away')}
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <ChartPanel title={t('machine.cpu')} note={`${number(newest.cpu_percent, 1)} % · ${t('machine.load')} ${newest.load.map((l) => number(l, 2)).join(' ')}`}>
          <Chart times={times} lines={cpu} unit=" %" max={100} summary={`${t('machine.cpu')}: ${number(newest.cpu_percent, 1)} %`} />
        </ChartPanel>
        <ChartPanel title={t('machine.memory')} note={`${bytes(used(newest))} / ${bytes(newest.memory_total)}`}>
          <Chart times={times} lines={memory} unit=" %" max={100} summary={`${t('machine.memory')}: ${bytes(used(newest))}`} />
        </ChartPanel>
        <ChartPanel title={t('machine.uptime')} note={duration(newest.uptime_s)}>
          <Stack gap="xs">
            {newest.nets.map((net) => (
              <Group key={net.name} justify="space-between">
                <Text size="sm">{plain(net.name)}</Text>
                <Text size="sm">
                  ↓ {bytes(net.received_bytes)} ↑ {bytes(net.sent_bytes)}
                </Text>
              </Group>
            ))}
          </Stack>
        </ChartPanel>
        <Disks disks={newest.disks} />
      </SimpleGrid>
    </Stack>
  )
}

function used(m: Metrics): number {
  return Math.max(m.memory_total - m.memory_available, 0)
}

function share(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : 0
}

function Disks({ disks }: { disks: Metrics['disks'] }) {
  return (
    <Card withBorder>
      <Stack gap="sm">
        {disks.map((disk) => {
          const percent = share(disk.used, disk.total)
          return (
            <div key={disk.mount}>
              <Group justify="space-between">
                <Text size="sm">{plain(disk.mount)}</Text>
                <Text size="sm">
                  {bytes(disk.used)} / {bytes(disk.total)}
                </Text>
              </Group>
              <Progress value={percent} color={percent > 90 ? 'red' : percent > 75 ? 'orange' : 'blue'} aria-label={plain(disk.mount)} />
            </div>
          )
        })}
      </Stack>
    </Card>
  )
}
