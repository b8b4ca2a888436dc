/** Hosts: filtered by the address, paged by the host, acted on in bulk. */
import { ActionIcon, Button, Checkbox, Group, Popover, Stack, Text } from '@mantine/core'
import { IconColumns, IconPlus } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { client, data } from '../../api/client'
import { useLive } from '../../api/events'
import { number, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { CurlButton } from '../../ui/copy'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { useAddress } from '../../ui/search'
import { usePages } from '../../ui/table'
import { AddHost } from './add'
import { BulkBar, type Selection } from './bulk'
import { COLUMNS, useColumns } from './columns'
import { FacetChips } from './facets'
import { SavedSearches } from './searches'
import { SelectorBar } from './selector'
import { MachineTable } from './table'

const PAGE = 200
const NONE: Selection = { ids: [], all: false }

interface Address extends Record<string, string | undefined> {
  q?: string
  sort?: string
}

export function Machines() {
  const [{ q = '', sort = 'name' }, change] = useAddress<Address>()
  const may = useMay()
  const [adding, setAdding] = useState(false)
  const [selection, setSelection] = useState<Selection>(NONE)
  const [columns, setColumns] = useColumns()
  useLive(['machine.enrolled', 'machine.online', 'machine.offline', 'machine.updated', 'machine.deleted'], ['machines', 'facets'])
  const pages = usePages(['machines', q, sort], (cursor) =>
    data(client.GET('/api/v1/machines', { params: { query: { q, sort, limit: PAGE, cursor } } })),
  )
  const facets = useQuery({
    queryKey: ['facets', q],
    queryFn: () => data(client.GET('/api/v1/machines/facets', { params: { query: { q } } })),
    placeholderData: keepPreviousData,
    enabled: !pages.error,
  })
  const total = facets.data?.total

  function filter(next: string) {
    setSelection(NONE)
    change({ q: next })
  }

  return (
    <>
      <PageHead title={t('machines.title')}>
        <CurlButton path={`/api/v1/machines?sort=${sort}&q=${encodeURIComponent(q)}`} />
        {may('machines:enrol') ? (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            {t('machines.add')}
          </Button>
        ) : null}
      </PageHead>
      <Group mb="xs" align="flex-start" gap="xs">
        <SelectorBar value={q} onChange={filter} error={pages.error} />
        <SavedSearches current={q} choose={filter} />
        <ColumnChoice chosen={columns} choose={setColumns} />
      </Group>
      {facets.data ? <FacetChips facets={facets.data} filter={q} onFilter={filter} /> : null}
      <BulkBar selection={selection} total={total} filter={q} change={setSelection} />
      <Outcome of={pages.error ? { ...pages, data: undefined } : pages}>
        {(found) => {
          const machines = found.pages.flatMap((p) => p.items)
          if (machines.length === 0) {
            return q ? <Empty title={t('machines.nomatch')} /> : <Empty title={t('machines.empty')} hint={t('machines.empty.hint')} />
          }
          return (
            <>
              <MachineTable
                machines={machines}
                columns={columns}
                sort={sort}
                onSort={(next) => change({ sort: next })}
                selection={selection}
                select={setSelection}
                acts={may('operations:create') || may('machines:update')}
                onEnd={() => {
                  if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage()
                }}
              />
              <Text size="xs" c="dimmed" mt={4} role="status">
                {total === undefined ? '' : t('machines.count', { shown: number(machines.length), total: number(total) })}
              </Text>
            </>
          )
        }}
      </Outcome>
      <AddHost opened={adding} close={() => setAdding(false)} />
    </>
  )
}

function ColumnChoice({ chosen, choose }: { chosen: string[]; choose: (ids: string[]) => void }) {
  return (
    <Popover position="bottom-end" withArrow>
      <Popover.Target>
        <ActionIcon variant="default" size={36} aria-label={t('machines.columns')} title={t('machines.columns')}>
          <IconColumns size={18} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Checkbox.Group label={t('machines.columns')} value={chosen} onChange={choose}>
          <Stack gap={6} mt="xs">
            {COLUMNS.map((c) => (
              <Checkbox key={c.id} size="sm" value={c.id} label={t(c.label)} />
            ))}
          </Stack>
        </Checkbox.Group>
      </Popover.Dropdown>
    </Popover>
  )
}
