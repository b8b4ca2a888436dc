/** A host's inventory by section, and how it changed. Whatever a machine sends is shown as text. */
import { Accordion, Badge, Button, Code, Group, Stack, Table, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { ago, t, word } from '../../i18n'
import { Empty, Outcome } from '../../ui/panels'
import { plain } from '../../ui/text'

const SHOWN = 200

export function Inventory({ machine }: { machine: Schema['MachineDetails'] }) {
  const [open, setOpen] = useState<string | null>(machine.sections[0]?.name ?? null)
  if (machine.sections.length === 0) return <Empty title={t('app.none')} />
  return (
    <Accordion value={open} onChange={setOpen} variant="separated">
      {machine.sections.map((section) => (
        <Accordion.Item key={section.name} value={section.name}>
          <Accordion.Control>
            <Group justify="space-between" pe="md">
              <Text fw={600} className="sentence">{plain(word('section', section.name))}</Text>
              <Text size="xs" c="dimmed">
                {ago(section.collected_at)}
              </Text>
            </Group>
          </Accordion.Control>
          <Accordion.Panel>{open === section.name ? <Section id={machine.id} name={section.name} /> : null}</Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  )
}

function Section({ id, name }: { id: string; name: string }) {
  useLive(['machine.inventory_changed'], ['section'])
  const section = useQuery({
    queryKey: ['section', id, name],
    queryFn: () =>
      data(client.GET('/api/v1/machines/{id}/inventory/{section}', { params: { path: { id, section: name } } })),
  })
  return <Outcome of={section}>{(found) => <Value value={found.data as unknown} />}</Outcome>
}

type Row = Record<string, unknown>

function isRows(value: unknown): value is Row[] {
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'object' && v !== null && !Array.isArray(v))
}

/** Members of an object as lines, lists of objects as tables, everything else as text. */
export function Value({ value }: { value: unknown }) {
  if (isRows(value)) return <Rows rows={value} />
  if (Array.isArray(value)) return <Text size="sm">{value.length === 0 ? t('app.none') : plain(value.map(text).join(', '))}</Text>
  if (typeof value !== 'object' || value === null) return <Text size="sm">{plain(text(value))}</Text>
  return (
    <Stack gap="xs">
      {Object.entries(value).map(([key, inner]) =>
        isRows(inner) ? (
          <div key={key}>
            <Text size="sm" fw={600}>
              {plain(key.replaceAll('_', ' '))}
            </Text>
            <Rows rows={inner} />
          </div>
        ) : (
          <Group key={key} gap="xs" align="flex-start" wrap="nowrap">
            <Text size="sm" c="dimmed" w={170} className="fixed">
              {plain(key.replaceAll('_', ' '))}
            </Text>
            <div className="grow">
              <Value value={inner} />
            </div>
          </Group>
        ),
      )}
    </Stack>
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function Rows({ rows }: { rows: Row[] }) {
  const [wanted, setWanted] = useState('')
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r)))].slice(0, 8)
  const needle = wanted.toLowerCase()
  const found = needle ? rows.filter((r) => JSON.stringify(r).toLowerCase().includes(needle)) : rows
  return (
    <Stack gap="xs">
      {rows.length > 10 ? (
        <TextInput size="xs" maw={280} aria-label={t('machine.filterlist')} placeholder={t('machine.filterlist')} value={wanted} onChange={(e) => setWanted(e.currentTarget.value)} />
      ) : null}
      <div className="table-wrap" tabIndex={0} role="region" aria-label={columns.join(', ')}>
        <Table verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((c) => (
                <Table.Th key={c}>{plain(c.replaceAll('_', ' '))}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.slice(0, SHOWN).map((row, i) => (
              <Table.Tr key={i}>
                {columns.map((c) => (
                  <Table.Td key={c}>
                    <Text size="sm">{row[c] === undefined || row[c] === null ? '' : plain(text(row[c]))}</Text>
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {found.length > SHOWN ? (
        <Text size="xs" c="dimmed">
          {SHOWN} / {found.length}
        </Text>
      ) : null}
    </Stack>
  )
}

interface Change {
  path: string
  before: unknown
  after: unknown
}

const LINES = 20

/** What a change replaced: added, removed, or from what to what. */
export function ChangeLines({ changes }: { changes: unknown[] }) {
  const [all, setAll] = useState(false)
  const lines = changes as Change[]
  return (
    <Stack gap={6}>
      {lines.slice(0, all ? undefined : LINES).map((change, i) => (
        <Line key={`${i} ${change.path}`} change={change} />
      ))}
      {lines.length > LINES && !all ? (
        <Button size="compact-sm" variant="subtle" onClick={() => setAll(true)} w="fit-content">
          {t('changes.more', { count: lines.length - LINES })}
        </Button>
      ) : null}
    </Stack>
  )
}

const LONG = 240

function Line({ change }: { change: Change }) {
  const came = change.before === undefined || change.before === null
  const went = change.after === undefined || change.after === null
  const [kind, color] = came ? (['added', 'green'] as const) : went ? (['removed', 'red'] as const) : (['changed', 'blue'] as const)
  return (
    <Group gap={8} wrap="nowrap" align="flex-start">
      <Badge size="sm" variant="light" color={color} tt="none" className="fixed" miw={76}>
        {t(`changes.${kind}`)}
      </Badge>
      <Text size="sm">
        <Code>{plain(change.path)}</Code> {came ? null : <Side value={change.before} />} {came || went ? '' : '→'}{' '}
        {went ? null : <Side value={change.after} />}
      </Text>
    </Group>
  )
}

/** `name: value` of an object's members, anything else as it is. */
function told(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return text(value)
  return Object.entries(value)
    .filter(([key]) => key !== 'key')
    .map(([key, member]) => `${key.replaceAll('_', ' ')}: ${text(member)}`)
    .join(', ')
}

function Side({ value }: { value: unknown }) {
  const whole = plain(told(value))
  return <span title={whole.length > LONG ? whole : undefined}>{whole.length > LONG ? `${whole.slice(0, LONG)} …` : whole}</span>
}

export function Changes({ id }: { id: string }) {
  useLive(['machine.inventory_changed'], ['changes'])
  const pages = useInfiniteQuery({
    queryKey: ['changes', id],
    queryFn: ({ pageParam }) =>
      data(client.GET('/api/v1/machines/{id}/changes', { params: { path: { id }, query: { cursor: pageParam, limit: 50 } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
  return (
    <Outcome of={pages}>
      {(found) => {
        const items = found.pages.flatMap((p) => p.items)
        if (items.length === 0) return <Empty title={t('machine.nochange')} />
        return (
          <Stack>
            {items.map((item) => (
              <div key={item.id}>
                <Group gap="sm" mb={6}>
                  <Badge variant="light" color="gray" tt="none">
                    {plain(word('section', item.section))}
                  </Badge>
                  <Text size="sm" c="dimmed">
                    {ago(item.at)}
                  </Text>
                </Group>
                <ChangeLines changes={item.changes} />
              </div>
            ))}
            {pages.hasNextPage ? (
              <Button variant="default" onClick={() => void pages.fetchNextPage()} loading={pages.isFetchingNextPage}>
                {t('app.more')}
              </Button>
            ) : null}
          </Stack>
        )
      }}
    </Outcome>
  )
}
