/** One engine: what it is, may, costs and logs, and every action on it. */
import { Alert, Badge, Button, Card, Code, Group, List, Modal, NumberInput, SegmentedControl, SimpleGrid, Stack, Switch, Table, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { call, client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { bytes, date, number, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { Outcome, PageHead, Panel } from '../../ui/panels'
import { StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { engineQuery } from './queries'

type Report = Schema['EngineReport']
const READ_AGAIN = ['engine', 'engines']

export function EnginePage() {
  const { id } = useParams({ strict: false }) as { id: string }
  useLive(['engine.', 'license.'], ['engine'])
  const engine = useQuery(engineQuery(id))
  return <Outcome of={engine}>{(found) => <Details engine={found} />}</Outcome>
}

function useEngineAct(engine: Report) {
  return useAct(
    ([action, body]: [string, unknown]) => call('POST', `/api/v1/engines/${engine.id}/-/${action}`, body),
    READ_AGAIN,
  )
}

function Details({ engine }: { engine: Report }) {
  const may = useMay()
  const act = useEngineAct(engine)
  const disabled = engine.state === 'disabled' || engine.state === 'quarantined'
  return (
    <>
      <PageHead title={plain(engine.name)}>
        <StateBadge state={engine.state} />
        {may('engines:manage') ? (
          <Button variant="default" loading={act.isPending} onClick={() => act.mutate([disabled ? 'enable' : 'disable', {}])}>
            {t(disabled ? 'engines.enable' : 'engines.disable')}
          </Button>
        ) : null}
        {may('engines:install') ? (
          <>
            {engine.previous ? (
              <Button variant="default" onClick={() => act.mutate(['rollback', { version: engine.previous }])}>
                {t('engines.rollback')} → {engine.previous}
              </Button>
            ) : null}
            <Uninstall engine={engine} />
          </>
        ) : null}
      </PageHead>
      {engine.remedy ? (
        <Alert color="orange" mb="md" title={t('engines.remedy')}>
          {plain(engine.remedy)}
        </Alert>
      ) : null}
      <Text mb="md">{plain(engine.description ?? '')}</Text>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Panel title={t('engines.version')}>
          <Versions engine={engine} />
        </Panel>
        <Panel title={t('engines.signature')}>
          <Signature engine={engine} />
        </Panel>
        <Panel title={t('engines.capabilities')}>
          <Capabilities engine={engine} />
        </Panel>
        <Panel title={t('engines.settings')}>
          <EngineSettings engine={engine} />
        </Panel>
        <Panel title={t('engines.cost')}>
          <Cost engine={engine} />
        </Panel>
        <Panel title={t('engines.permissions')}>
          <Words words={engine.permissions} />
        </Panel>
        <Panel title={`${t('engines.tables')}, ${t('engines.commands')}`}>
          <Words words={[...engine.tables, ...engine.commands]} />
          <Text size="sm" mt="xs">
            {t('engines.routes')}: {engine.routes}
          </Text>
        </Panel>
      </SimpleGrid>
      {may('engines:manage') ? <Logs id={engine.id} /> : null}
    </>
  )
}

function Versions({ engine }: { engine: Report }) {
  const may = useMay()
  const act = useEngineAct(engine)
  return (
    <Stack gap="xs">
      <Table>
        <Table.Tbody>
          {engine.versions.map((v) => (
            <Table.Tr key={v.version}>
              <Table.Td>
                {plain(v.version)} {v.version === engine.version ? <Badge size="xs" tt="none">{t('engines.current')}</Badge> : null}
              </Table.Td>
              <Table.Td>{bytes(v.size)}</Table.Td>
              <Table.Td>{date(v.admitted_at)}</Table.Td>
              <Table.Td>{v.bad ? plain(v.bad) : ''}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Group gap="sm">
        <Text size="sm">{t('engines.mode')}</Text>
        <SegmentedControl
          size="xs"
          aria-label={t('engines.mode')}
          value={engine.mode}
          disabled={!may('engines:manage') || act.isPending}
          onChange={(mode) => act.mutate(['mode', { mode }])}
          data={[
            { value: 'in_process', label: t('engines.mode.in_process') },
            { value: 'isolated', label: t('engines.mode.isolated') },
          ]}
        />
      </Group>
    </Stack>
  )
}

function Signature({ engine }: { engine: Report }) {
  const signature = engine.signature
  if (!signature) return <Text size="sm">{t('app.none')}</Text>
  return (
    <Stack gap={4}>
      <Text size="sm">{plain(signature.publisher)}</Text>
      <Text size="xs" c="dimmed">
        {plain(signature.root)}
      </Text>
      <Code>{signature.sha256}</Code>
    </Stack>
  )
}

function Capabilities({ engine }: { engine: Report }) {
  const may = useMay()
  const act = useEngineAct(engine)
  if (engine.capabilities.length === 0) return <Text size="sm">{t('app.none')}</Text>
  function grant(name: string, on: boolean) {
    act.mutate(['grants', { grants: { [name]: on } }])
  }
  return (
    <Stack gap={6}>
      {engine.capabilities.map((c) => (
        <Switch
          key={c.name}
          size="sm"
          checked={c.granted}
          disabled={!may('engines:manage') || act.isPending}
          onChange={(e) => grant(c.name, e.currentTarget.checked)}
          label={plain(c.name)}
          description={plain(c.describes)}
        />
      ))}
    </Stack>
  )
}

function Cost({ engine }: { engine: Report }) {
  const stats = engine.stats
  if (!stats) return <Text size="sm">{t('app.none')}</Text>
  const figures: [string, string][] = [
    [t('engines.calls'), number(stats.calls)],
    [t('engines.errors'), number(stats.errors)],
    ['p99', `${number(stats.p99_us / 1000, 2)} ms`],
    [t('engines.panics'), number(stats.panics)],
    [t('engines.restarts'), number(stats.restarts)],
  ]
  return (
    <Group gap="lg">
      {figures.map(([label, value]) => (
        <div key={label}>
          <Text fw={700}>{value}</Text>
          <Text size="xs" c="dimmed">
            {label}
          </Text>
        </div>
      ))}
    </Group>
  )
}

function Words({ words }: { words: string[] }) {
  if (words.length === 0) return <Text size="sm">{t('app.none')}</Text>
  return (
    <List size="sm" spacing={2}>
      {words.map((w) => (
        <List.Item key={w}>
          <Code>{plain(w)}</Code>
        </List.Item>
      ))}
    </List>
  )
}

function Logs({ id }: { id: string }) {
  const logs = useQuery({
    queryKey: ['engine', id, 'logs'],
    queryFn: () => data(client.GET('/api/v1/engines/{id}/-/logs', { params: { path: { id } } })),
    refetchInterval: 5_000,
  })
  return (
    <Card withBorder mt="md">
      <Title order={2} size="h5" mb="xs">
        {t('engines.logs')}
      </Title>
      <Outcome of={logs}>
        {(found) => {
          const lines = found.items.map((l) => `${l.at} ${l.level} ${l.message}`)
          return (
            <Code block className="output" tabIndex={0}>
              {lines.length > 0 ? plain(lines.join('\n')) : t('operations.nooutput')}
            </Code>
          )
        }}
      </Outcome>
    </Card>
  )
}

function Uninstall({ engine }: { engine: Report }) {
  const [asked, setAsked] = useState(false)
  const [purge, setPurge] = useState(false)
  const [exported, setExported] = useState(false)
  const navigate = useNavigate()
  const act = useAct(
    () => call('POST', `/api/v1/engines/${engine.id}/-/uninstall`, { purge }),
    ['engines'],
    () => void navigate({ to: '/engines' }),
  )
  const save = useAct(() => exportData(engine.id), [], () => setExported(true))
  return (
    <>
      <Button color="red" variant="outline" onClick={() => setAsked(true)}>
        {t('engines.uninstall')}
      </Button>
      <Modal opened={asked} onClose={() => setAsked(false)} title={`${t('engines.uninstall')}: ${plain(engine.name)}`}>
        <Stack>
          <Text size="sm">{t(purge ? 'engines.purge.hint' : 'engines.uninstall.hint')}</Text>
          <Switch label={t('engines.purge')} checked={purge} onChange={(e) => setPurge(e.currentTarget.checked)} />
          {purge ? (
            <Group gap="sm">
              <Button size="xs" variant="default" loading={save.isPending} onClick={() => save.mutate(undefined)}>
                {t('engines.export')}
              </Button>
              {exported ? <Text size="sm">{t('engines.exported')}</Text> : null}
            </Group>
          ) : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsked(false)} data-autofocus>
              {t('app.cancel')}
            </Button>
            <Button color="red" disabled={purge && !exported} loading={act.isPending} onClick={() => act.mutate(undefined)}>
              {t('engines.uninstall')}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

/** Read an engine's data and hand them to the browser as a file. */
async function exportData(id: string): Promise<void> {
  const { data: blob } = await client.POST('/api/v1/engines/{id}/-/export', { params: { path: { id } }, parseAs: 'blob' })
  const url = URL.createObjectURL(blob as unknown as Blob)
  const link = document.createElement('a')
  link.href = url
  link.download = `${id}.tar`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

const LABEL = { label: 'sentence' }

/** The engine's own settings, by the kinds of their values. */
function EngineSettings({ engine }: { engine: Report }) {
  const may = useMay()
  const held = engine.settings as Record<string, unknown>
  const [draft, setDraft] = useState<Record<string, unknown>>({})
  const save = useAct(
    () => call('POST', `/api/v1/engines/${engine.id}/-/settings`, { settings: draft }),
    READ_AGAIN,
    () => {
      setDraft({})
      tell(t('app.saved'))
    },
  )
  const names = Object.keys(held).filter((k) => ['boolean', 'number', 'string'].includes(typeof held[k]))
  if (names.length === 0) return <Text size="sm">{t('app.none')}</Text>
  const locked = !may('engines:manage')
  return (
    <Stack gap="sm">
      {names.map((name) => {
        const value = draft[name] ?? held[name]
        const label = plain(name.replaceAll('_', ' '))
        const set = (next: unknown) => setDraft({ ...draft, [name]: next })
        if (typeof held[name] === 'boolean') {
          return <Switch key={name} label={label} classNames={LABEL} checked={value === true} disabled={locked} onChange={(e) => set(e.currentTarget.checked)} />
        }
        if (typeof held[name] === 'number') {
          return <NumberInput key={name} label={label} classNames={LABEL} value={value as number} disabled={locked} onChange={(n) => set(Number(n))} />
        }
        return <TextInput key={name} label={label} classNames={LABEL} value={String(value)} disabled={locked} onChange={(e) => set(e.currentTarget.value)} />
      })}
      <Group justify="flex-end">
        <Button disabled={locked || Object.keys(draft).length === 0} loading={save.isPending} onClick={() => save.mutate(undefined)}>
          {t('app.save')}
        </Button>
      </Group>
    </Stack>
  )
}
