/** Hosts: filtered by the address, paged by the host, acted on in bulk. */
import { Anchor, Badge, Button, Checkbox, Group, Table, Text } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { ago, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { CurlButton } from '../../ui/copy'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { OnlineBadge, StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { AddHost } from './add'
import { BulkBar, type Selection } from './bulk'
import { SelectorBar } from './selector'

type Machine = Schema['Machine']
const PAGE = 100

export function useMachinePages(q: string) {
  return useInfiniteQuery({
    queryKey: ['machines', q],
    queryFn: ({ pageParam }) =>
      data(client.GET('/api/v1/machines', { params: { query: { q, sort: 'name', limit: PAGE, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  })
}

export function Machines() {
  const { q = '' } = useSearch({ strict: false }) as { q?: string }
  const navigate = useNavigate()
  const may = useMay()
  const [adding, setAdding] = useState(false)
  const [selection, setSelection] = useState<Selection>({ ids: [], all: false })
  useLive(['machine.enrolled', 'machine.online', 'machine.offline', 'machine.updated', 'machine.deleted'], ['machines'])
  const pages = useMachinePages(q)
  const path = `/api/v1/machines?sort=name&q=${encodeURIComponent(q)}`

  function filter(next: string) {
    setSelection({ ids: [], all: false })
    void navigate({ to: '/machines', search: (next ? { q: next } : {}) as never })
  }

  return (
    <>
      <PageHead title={t('machines.title')}>
        <CurlButton path={path} />
        {may('machines:enrol') ? (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            {t('machines.add')}
          </Button>
        ) : null}
      </PageHead>
      <Group mb="sm" align="flex-start">
        <SelectorBar value={q} onChange={filter} error={pages.error} />
      </Group>
      <BulkBar selection={selection} filter={q} clear={() => setSelection({ ids: [], all: false })} />
      <Outcome of={pages.error ? { ...pages, data: undefined } : pages}>
        {(found) => {
          const machines = found.pages.flatMap((p) => p.items)
          if (machines.length === 0) {
            return q ? <Empty title={t('machines.nomatch')} /> : <Empty title={t('machines.empty')} hint={t('machines.empty.hint')} />
          }
          return (
            <>
              <MachineTable machines={machines} selection={selection} select={setSelection} />
              {pages.hasNextPage ? (
                <Group justify="center" mt="md">
                  <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                    {t('app.more')}
                  </Button>
                </Group>
              ) : null}
            </>
          )
        }}
      </Outcome>
      <AddHost opened={adding} close={() => setAdding(false)} />
    </>
  )
}

interface TableProps {
  machines: Machine[]
  selection: Selection
  select: (selection: Selection) => void
}

function MachineTable({ machines, selection, select }: TableProps) {
  const may = useMay()
  const acts = may('operations:create') || may('machines:update')
  const chosen = new Set(selection.ids)
  const every = machines.every((m) => chosen.has(m.id))

  function toggle(id: string, on: boolean) {
    select({ ids: on ? [...chosen, id] : [...chosen].filter((c) => c !== id), all: false })
  }

  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={t('machines.title')}>
      <Table highlightOnHover verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            {acts ? (
              <Table.Th w={36}>
                <Checkbox
                  aria-label={t('machines.all')}
                  checked={every}
                  indeterminate={!every && chosen.size > 0}
                  onChange={(e) => select({ ids: e.currentTarget.checked ? machines.map((m) => m.id) : [], all: false })}
                />
              </Table.Th>
            ) : null}
            <Table.Th>{t('machine.name')}</Table.Th>
            <Table.Th>{t('machine.state')}</Table.Th>
            <Table.Th>{t('machine.os')}</Table.Th>
            <Table.Th>{t('machine.address')}</Table.Th>
            <Table.Th>{t('machine.tags')}</Table.Th>
            <Table.Th>{t('machine.lastseen')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {machines.map((m) => (
            <Table.Tr key={m.id}>
              {acts ? (
                <Table.Td>
                  <Checkbox aria-label={plain(m.name)} checked={chosen.has(m.id)} onChange={(e) => toggle(m.id, e.currentTarget.checked)} />
                </Table.Td>
              ) : null}
              <Table.Td>
                <Anchor component={Link} to={`/machines/${m.id}`} fw={600} size="sm">
                  {plain(m.name)}
                </Anchor>
              </Table.Td>
              <Table.Td>{m.state === 'approved' ? <OnlineBadge online={m.online} /> : <StateBadge state={m.state} />}</Table.Td>
              <Table.Td>
                <Text size="sm">{plain(m.os_name)}</Text>
              </Table.Td>
              <Table.Td>
                <Text size="sm">{plain(m.addresses.slice(0, 2).join(', '))}</Text>
              </Table.Td>
              <Table.Td>
                <Group gap={4}>
                  {m.tags.map((tag) => (
                    <Badge key={tag} variant="light" color="gray" tt="none" size="sm">
                      {plain(tag)}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
              <Table.Td>
                <Text size="sm">{ago(m.last_seen_at)}</Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
