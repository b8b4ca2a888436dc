/** Services of a host, with their verbs. */
import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import type { Schema } from '../../../api/client'
import { t, word } from '../../../i18n'
import { useMay } from '../../../shell/session'
import { Empty } from '../../../ui/panels'
import { type Plan, RunDialog } from '../../../ui/run'
import { SearchInput } from '../../../ui/search'
import { DataTable } from '../../../ui/table'
import { plain } from '../../../ui/text'
import { Section } from './section'

interface Service {
  name: string
  state?: string
  enabled?: string
  description?: string
}

interface Services {
  manager: string
  offline?: boolean
  services: Service[]
}

const SHOWN = 300
const COLOURS: Record<string, string> = { running: 'green', active: 'green', failed: 'red', stopped: 'gray', exited: 'gray' }

export function ServicesTab({ machine }: { machine: Schema['MachineDetails'] }) {
  return (
    <Section<Services> machine={machine.id} name="services">
      {(found) => <List machine={machine} found={found} />}
    </Section>
  )
}

function List({ machine, found }: { machine: Schema['MachineDetails']; found: Services }) {
  const may = useMay()
  const [search, setSearch] = useState('')
  const [plan, setPlan] = useState<Plan>()
  const needle = search.toLowerCase()
  const rows = found.services.filter((s) => `${s.name} ${s.description ?? ''}`.toLowerCase().includes(needle))
  function ask(verb: string, service: string) {
    const label = `${word('service', verb)}: ${plain(service)}`
    const sentence = t('services.sentence', { verb: word('service', verb), service: plain(service), host: plain(machine.name) })
    setPlan({ title: label, sentence, path: `services/${verb}`, body: { machines: [machine.id], parameters: { services: [service] } }, grave: verb === 'stop' })
  }
  const manages = may('services:manage')
  return (
    <Stack>
      <Group justify="space-between">
        <SearchInput className="grow" label={t('services.search')} value={search} onChange={setSearch} />
        <Text size="sm" c="dimmed">
          {plain(found.manager)}, {rows.length} / {found.services.length}
        </Text>
      </Group>
      {found.offline ? (
        <Text size="sm" c="dimmed">
          {t('services.offline')}
        </Text>
      ) : null}
      {rows.length === 0 ? <Empty title={t('app.none')} /> : null}
      <DataTable
        label={t('machine.tab.services')}
        rows={rows.slice(0, SHOWN)}
        rowKey={(s) => s.name}
        columns={[
          {
            title: t('users.name'),
            cell: (s) => (
              <>
                <Text size="sm" fw={600}>
                  {plain(s.name)}
                </Text>
                <Text size="xs" c="dimmed">
                  {plain(s.description ?? '')}
                </Text>
              </>
            ),
          },
          {
            title: t('machine.state'),
            width: 120,
            cell: (s) => (
              <Badge variant="light" color={COLOURS[s.state ?? ''] ?? 'gray'} tt="none">
                {s.state ? word('service', s.state) : t('services.unknown')}
              </Badge>
            ),
          },
          { title: t('services.atboot'), width: 120, cell: (s) => <Text size="sm">{plain(word('service', s.enabled ?? ''))}</Text> },
          ...(manages
            ? [
                {
                  title: t('app.actions'),
                  width: 250,
                  cell: (s: Service) => (
                    <Group gap={4} wrap="nowrap">
                      {['start', 'stop', 'restart'].map((verb) => (
                        <Button
                          key={verb}
                          size="compact-sm"
                          variant="subtle"
                          color={verb === 'stop' ? 'red' : undefined}
                          onClick={() => ask(verb, s.name)}
                          aria-label={`${word('service', verb)}: ${plain(s.name)}`}
                        >
                          {word('service', verb)}
                        </Button>
                      ))}
                    </Group>
                  ),
                },
              ]
            : []),
        ]}
      />
      <RunDialog plan={plan} close={() => setPlan(undefined)} />
    </Stack>
  )
}
