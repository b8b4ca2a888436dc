/** One host. */
import { Button, Card, Group, Modal, SimpleGrid, Stack, Tabs, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { useMachineTabs } from '../../plugin-kit/console'
import { bytes, date, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { Boundary, Outcome, PageHead, Waiting } from '../../ui/panels'
import { OnlineBadge, StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { Changes, Inventory } from './inventory'

// Charts are the heaviest part and only this page's.
const Live = lazy(() => import('./live').then((m) => ({ default: m.Live })))

export function MachinePage() {
  const { id } = useParams({ strict: false }) as { id: string }
  useLive(['machine.online', 'machine.offline', 'machine.updated', 'machine.engines_changed'], ['machine'])
  const machine = useQuery({
    queryKey: ['machine', id],
    queryFn: () => data(client.GET('/api/v1/machines/{id}', { params: { path: { id } } })),
  })
  return <Outcome of={machine}>{(found) => <Details machine={found} />}</Outcome>
}

function Details({ machine }: { machine: Schema['MachineDetails'] }) {
  const brought = useMachineTabs(useMay())
  return (
    <>
      <PageHead title={plain(machine.name)}>
        {machine.state === 'approved' ? <OnlineBadge online={machine.online} /> : <StateBadge state={machine.state} />}
      </PageHead>
      <Tabs defaultValue="live" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="live">{t('machine.tab.live')}</Tabs.Tab>
          <Tabs.Tab value="details">{t('machine.tab.details')}</Tabs.Tab>
          <Tabs.Tab value="inventory">{t('machine.tab.inventory')}</Tabs.Tab>
          <Tabs.Tab value="changes">{t('machine.tab.changes')}</Tabs.Tab>
          {brought.map((tab) => (
            <Tabs.Tab key={tab.key} value={tab.key}>
              {tab.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="live">
          <Boundary label={t('machine.tab.live')}>
            <Suspense fallback={<Waiting />}>
              <Live machine={machine} />
            </Suspense>
          </Boundary>
        </Tabs.Panel>
        <Tabs.Panel value="details">
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Facts machine={machine} />
            <Edit machine={machine} key={machine.tags.join()} />
          </SimpleGrid>
        </Tabs.Panel>
        <Tabs.Panel value="inventory">
          <Inventory machine={machine} />
        </Tabs.Panel>
        <Tabs.Panel value="changes">
          <Changes id={machine.id} />
        </Tabs.Panel>
        {brought.map((tab) => (
          <Tabs.Panel key={tab.key} value={tab.key}>
            {tab.render({ id: machine.id, name: machine.name })}
          </Tabs.Panel>
        ))}
      </Tabs>
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
    () => tell(t('app.save')),
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
