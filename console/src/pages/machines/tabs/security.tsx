/** What guards a host, and what listens on it. */
import { Alert, Badge, Card, Group, SimpleGrid, Stack, Text } from '@mantine/core'

import type { Schema } from '../../../api/client'
import { ago, t } from '../../../i18n'
import { Empty } from '../../../ui/panels'
import { DataTable } from '../../../ui/table'
import { plain } from '../../../ui/text'
import { Section } from './section'

interface Firewall {
  name: string
  enabled: boolean
  at_boot?: boolean
  profile?: string
  incoming?: string
  outgoing?: string
  rules?: number
}

interface Product {
  name: string
  version?: string
  running: boolean
  real_time?: boolean
  definitions_at?: number
}

interface Socket {
  key: string
  protocol: string
  address: string
  port: number
  process?: string
  unit?: string
}

export function SecurityTab({ machine }: { machine: Schema['MachineDetails'] }) {
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card withBorder>
          <Section<{ active: boolean; firewalls: Firewall[] }> machine={machine.id} name="firewall" title={t('security.firewall')}>
            {(found) => <Firewalls active={found.active} firewalls={found.firewalls} />}
          </Section>
        </Card>
        <Card withBorder>
          <Section<{ products: Product[] }> machine={machine.id} name="antivirus" title={t('security.antivirus')}>
            {(found) => <Products products={found.products} />}
          </Section>
        </Card>
      </SimpleGrid>
      <Card withBorder>
        <Section<{ sockets: Socket[] }> machine={machine.id} name="sockets" title={t('security.sockets')}>
          {(found) => <Sockets sockets={found.sockets} />}
        </Section>
      </Card>
    </Stack>
  )
}

function On({ on, label }: { on: boolean; label?: string }) {
  return (
    <Badge variant="light" color={on ? 'green' : 'red'} tt="none">
      {label ?? t(on ? 'security.on' : 'security.off')}
    </Badge>
  )
}

function Firewalls({ active, firewalls }: { active: boolean; firewalls: Firewall[] }) {
  return (
    <Stack gap="xs">
      {active ? null : (
        <Alert color="orange" variant="light" py="xs">
          {t('security.nofirewall')}
        </Alert>
      )}
      {firewalls.map((f) => (
        <Group key={`${f.name} ${f.profile ?? ''}`} justify="space-between">
          <Text size="sm" fw={600}>
            {plain(`${f.name} ${f.profile ?? ''}`.trim())}
          </Text>
          <Group gap="xs">
            {f.rules === undefined ? null : <Text size="sm">{t('security.rules', { count: f.rules })}</Text>}
            {f.incoming ? <Text size="sm">{t('security.incoming', { policy: plain(f.incoming) })}</Text> : null}
            <On on={f.enabled} />
          </Group>
        </Group>
      ))}
    </Stack>
  )
}

function Products({ products }: { products: Product[] }) {
  if (products.length === 0) return <Text size="sm">{t('security.noantivirus')}</Text>
  return (
    <Stack gap="xs">
      {products.map((p) => (
        <Group key={p.name} justify="space-between">
          <div>
            <Text size="sm" fw={600}>
              {plain(`${p.name} ${p.version ?? ''}`)}
            </Text>
            {p.definitions_at ? (
              <Text size="xs" c="dimmed">
                {t('security.definitions', { when: ago(new Date(p.definitions_at * 1000).toISOString()) })}
              </Text>
            ) : null}
          </div>
          <Group gap="xs">
            {p.real_time ? <On on label={t('security.realtime')} /> : null}
            <On on={p.running} />
          </Group>
        </Group>
      ))}
    </Stack>
  )
}

const LOCAL = /^(127\.|::1$|\[::1\]|localhost)/

function Sockets({ sockets }: { sockets: Socket[] }) {
  if (sockets.length === 0) return <Empty title={t('security.nosockets')} />
  const rows = [...sockets].sort((a, b) => a.port - b.port)
  return (
    <DataTable
      label={t('security.sockets')}
      rows={rows}
      rowKey={(s) => s.key}
      columns={[
        { title: t('security.port'), width: 110, cell: (s) => <Text size="sm" fw={600}>{`${s.port}/${plain(s.protocol)}`}</Text> },
        { title: t('machine.address'), cell: (s) => <Text size="sm">{plain(s.address)}</Text> },
        {
          title: t('security.reach'),
          cell: (s) => (
            <Badge variant="light" color={LOCAL.test(s.address) ? 'gray' : 'orange'} tt="none">
              {t(LOCAL.test(s.address) ? 'security.local' : 'security.open')}
            </Badge>
          ),
        },
        { title: t('security.process'), cell: (s) => <Text size="sm">{plain(s.process ?? '')}</Text> },
        { title: t('security.unit'), cell: (s) => <Text size="sm">{plain(s.unit ?? '')}</Text> },
      ]}
    />
  )
}
