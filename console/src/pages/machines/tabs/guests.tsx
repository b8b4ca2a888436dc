/** Virtual machines and containers that run on a host. */
import { Alert, Badge, Group, Stack, Text } from '@mantine/core'

import type { Schema } from '../../../api/client'
import { bytes, t, word } from '../../../i18n'
import { Empty } from '../../../ui/panels'
import { DataTable } from '../../../ui/table'
import { plain } from '../../../ui/text'
import { Section } from './section'

interface Guest {
  key: string
  platform: string
  kind: string
  name: string
  state: string
  image?: string
  cpus?: number
  memory_bytes?: number
  at_boot?: boolean
}

interface Guests {
  capable?: boolean
  platforms: { name: string; version?: string; running: boolean; error?: string }[]
  guests: Guest[]
}

export function GuestsTab({ machine }: { machine: Schema['MachineDetails'] }) {
  return (
    <Section<Guests> machine={machine.id} name="guests">
      {(found) => <Lists found={found} />}
    </Section>
  )
}

function Lists({ found }: { found: Guests }) {
  return (
    <Stack>
      <Group gap="xs">
        {found.platforms.map((p) => (
          <Badge key={p.name} variant="light" color={p.running ? 'green' : 'gray'} tt="none">
            {plain(`${p.name} ${p.version ?? ''}`)}
          </Badge>
        ))}
      </Group>
      {found.platforms.map((p) =>
        p.error ? (
          <Alert key={p.name} color="orange" py="xs" title={plain(p.name)}>
            {plain(p.error)}
          </Alert>
        ) : null,
      )}
      {found.guests.length === 0 ? (
        <Empty title={t('guests.none')} hint={t(found.capable ? 'guests.capable' : 'guests.incapable')} />
      ) : (
        <DataTable
          label={t('machine.tab.guests')}
          rows={found.guests}
          rowKey={(g) => g.key}
          columns={[
            { title: t('users.name'), cell: (g) => <Text size="sm" fw={600}>{plain(g.name)}</Text> },
            { title: t('guests.kind'), cell: (g) => <Text size="sm">{plain(word('guest', g.kind))}</Text> },
            {
              title: t('machine.state'),
              cell: (g) => (
                <Badge variant="light" color={g.state === 'running' ? 'green' : 'gray'} tt="none">
                  {plain(word('service', g.state))}
                </Badge>
              ),
            },
            { title: t('guests.platform'), cell: (g) => <Text size="sm">{plain(g.platform)}</Text> },
            { title: t('guests.image'), cell: (g) => <Text size="sm">{plain(g.image ?? '')}</Text> },
            { title: t('machine.cpus'), cell: (g) => <Text size="sm">{g.cpus ?? ''}</Text> },
            { title: t('machine.memory'), cell: (g) => <Text size="sm">{g.memory_bytes ? bytes(g.memory_bytes) : ''}</Text> },
          ]}
        />
      )}
    </Stack>
  )
}
