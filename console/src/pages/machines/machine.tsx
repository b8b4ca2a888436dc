/** One host. */
import { Badge, Button, Card, Group, Modal, SimpleGrid, Stack, Tabs, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { type ComponentType, lazy, Suspense, useEffect, useRef, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { useMachineTabs } from '../../plugin-kit/console'
import { bytes, date, type Key, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { Boundary, Outcome, PageHead, Waiting } from '../../ui/panels'
import { type Plan, RunDialog } from '../../ui/run'
import { useAddress } from '../../ui/search'
import { OnlineBadge, StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { Changes } from './inventory'

export function MachinePage() {
  const { id } = useParams({ strict: false }) as { id: string }
  useLive(['machine.online', 'machine.offline', 'machine.updated', 'machine.engines_changed'], ['machine'])
  const machine = useQuery({
    queryKey: ['machine', id],
    queryFn: () => data(client.GET('/api/v1/machines/{id}', { params: { path: { id } } })),
  })
  return <Outcome of={machine}>{(found) => <Page machine={found} />}</Outcome>
}

type Details = Schema['MachineDetails']

function tab<M extends Record<string, unknown>>(value: string, label: Key, load: () => Promise<M>, name: keyof M & string) {
  return { value, label, View: lazy(() => load().then((m) => ({ default: m[name] as ComponentType<{ machine: Details }> }))) }
}

// Each is fetched when it is first opened: charts are heavy, and most visits look at one or two.
const TABS = [
  tab('live', 'machine.tab.live', () => import('./live'), 'Live'),
  tab('history', 'machine.tab.history', () => import('./tabs/history'), 'HistoryTab'),
  { value: 'details', label: 'machine.tab.details' as Key, View: DetailsTab },
  tab('software', 'machine.tab.software', () => import('./tabs/software'), 'SoftwareTab'),
  tab('updates', 'machine.tab.updates', () => import('./tabs/software'), 'UpdatesTab'),
  tab('services', 'machine.tab.services', () => import('./tabs/services'), 'ServicesTab'),
  tab('users', 'machine.tab.users', () => import('./tabs/people'), 'PeopleTab'),
  tab('certificates', 'machine.tab.certificates', () => import('./tabs/certificates'), 'CertificatesTab'),
  tab('security', 'machine.tab.security', () => import('./tabs/security'), 'SecurityTab'),
  tab('guests', 'machine.tab.guests', () => import('./tabs/guests'), 'GuestsTab'),
  tab('inventory', 'machine.tab.inventory', () => import('./inventory'), 'Inventory'),
  { value: 'changes', label: 'machine.tab.changes' as Key, View: ({ machine }: { machine: Details }) => <Changes id={machine.id} /> },
  tab('operations', 'nav.operations', () => import('./tabs/operations'), 'OperationsTab'),
]

function DetailsTab({ machine }: { machine: Details }) {
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Facts machine={machine} />
      <Edit machine={machine} key={machine.tags.join()} />
    </SimpleGrid>
  )
}

function Page({ machine }: { machine: Details }) {
  const brought = useMachineTabs(useMay())
  const [{ tab: open = 'live' }, change] = useAddress<{ tab?: string }>()
  const list = useRef<HTMLDivElement>(null)
  // On a narrow screen the tabs are a line that scrolls.
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [open, brought.length])
  return (
    <>
      <PageHead title={plain(machine.name)}>
        {machine.reboot_required ? (
          <Badge color="orange" variant="light" tt="none">
            {t('machine.reboot')}
          </Badge>
        ) : null}
        {machine.state === 'approved' ? <OnlineBadge online={machine.online} /> : <StateBadge state={machine.state} />}
        <Power machine={machine} />
      </PageHead>
      <Tabs value={open} onChange={(next) => change({ tab: next ?? undefined })} keepMounted={false} variant="pills">
        <Tabs.List ref={list} mb="md" className="tabs">
          {TABS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {t(label)}
            </Tabs.Tab>
          ))}
          {brought.map((part) => (
            <Tabs.Tab key={part.key} value={part.key}>
              {part.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map(({ value, label, View }) => (
          <Tabs.Panel key={value} value={value}>
            <Boundary label={t(label)}>
              <Suspense fallback={<Waiting />}>
                <View machine={machine} />
              </Suspense>
            </Boundary>
          </Tabs.Panel>
        ))}
        {brought.map((part) => (
          <Tabs.Panel key={part.key} value={part.key}>
            {part.render({ id: machine.id, name: machine.name })}
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  )
}

/** Restarting the host, and collecting its inventory again. */
function Power({ machine }: { machine: Details }) {
  const may = useMay()
  const [plan, setPlan] = useState<Plan>()
  const host = plain(machine.name)
  const target = { machines: [machine.id] }
  if (machine.state !== 'approved') return null
  return (
    <>
      {may('operations:create') ? (
        <Button
          variant="default"
          size="xs"
          onClick={() =>
            setPlan({ title: t('machines.run'), sentence: t('machine.refresh.sentence', { host }), path: '', body: { command: 'core.refresh_inventory', ...target } })
          }
        >
          {t('machines.run')}
        </Button>
      ) : null}
      {may('machines:power') ? (
        <Button
          variant="default"
          size="xs"
          onClick={() =>
            setPlan({ title: t('machines.reboot'), sentence: t('machine.reboot.sentence', { host }), path: 'power/reboot', body: { ...target, parameters: {} }, grave: true })
          }
        >
          {t('machines.reboot')}
        </Button>
      ) : null}
      <RunDialog plan={plan} close={() => setPlan(undefined)} />
    </>
  )
}

function Facts({ machine }: { machine: Schema['MachineDetails'] }) {
  const facts: [string, string][] = [
    [t('machine.os'), machine.os_name],
    [t('machine.kernel'), `${machine.kernel} (${machine.arch})`],
    [t('machine.cpus'), String(machine.cpus)],
    [t('machine.memory'), bytes(machine.memory_bytes)],
    [t('machine.address'), machine.addresses.join(', ')],
    [t('machine.agent'), machine.agent_version],
    [t('machine.lastseen'), date(machine.last_seen_at)],
    [t('machine.fingerprint'), machine.key_fingerprint],
    [t('nav.engines'), machine.engines.map((e) => `${e.id} ${e.version} (${e.state})`).join(', ') || t('app.none')],
  ]
  return (
    <Card withBorder>
      <Stack gap="xs">
        {facts.map(([label, value]) => (
          <Group key={label} gap="xs" wrap="nowrap" align="flex-start">
            <Text size="sm" c="dimmed" w={130} className="fixed">
              {label}
            </Text>
            <Text size="sm">{plain(value)}</Text>
          </Group>
        ))}
      </Stack>
    </Card>
  )
}

function Edit({ machine }: { machine: Schema['MachineDetails'] }) {
  const may = useMay()
  const [name, setName] = useState(machine.name)
  const [tags, setTags] = useState(machine.tags)
  const [notes, setNotes] = useState(machine.notes)
  const save = useAct(
    () => client.PATCH('/api/v1/machines/{id}', { params: { path: { id: machine.id } }, body: { name, tags, notes } }),
    ['machine', 'machines'],
    () => tell(t('app.saved')),
  )
  const locked = !may('machines:update')
  return (
    <Card withBorder>
      <Stack>
        <TextInput label={t('machine.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} disabled={locked} />
        <TagsInput label={t('machine.tags')} value={tags} onChange={setTags} disabled={locked} />
        <Textarea label={t('machine.notes')} value={notes} onChange={(e) => setNotes(e.currentTarget.value)} autosize minRows={3} disabled={locked} />
        <Group justify="space-between">
          {may('machines:delete') ? <Remove machine={machine} /> : <span />}
          <Button disabled={locked} loading={save.isPending} onClick={() => save.mutate(undefined)}>
            {t('app.save')}
          </Button>
        </Group>
      </Stack>
    </Card>
  )
}

function Remove({ machine }: { machine: Schema['MachineDetails'] }) {
  const [asked, setAsked] = useState(false)
  const navigate = useNavigate()
  const remove = useAct(
    () => client.DELETE('/api/v1/machines/{id}', { params: { path: { id: machine.id } } }),
    ['machines', 'count'],
    () => void navigate({ to: '/machines' }),
  )
  return (
    <>
      <Button color="red" variant="outline" onClick={() => setAsked(true)}>
        {t('machine.delete')}
      </Button>
      <Modal opened={asked} onClose={() => setAsked(false)} title={`${t('machine.delete')}: ${plain(machine.name)}`}>
        <Text mb="md">{t('machine.delete.hint')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setAsked(false)} data-autofocus>
            {t('app.cancel')}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('app.delete')}
          </Button>
        </Group>
      </Modal>
    </>
  )
}
