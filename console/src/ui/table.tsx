/** A table of what the host lists, page by page. */
import { Button, Group, Table } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { t } from '../i18n'
import { Outcome } from './panels'

export interface Column<R> {
  title: string
  cell: (row: R) => ReactNode
  /** Pixels, where the content does not decide. */
  width?: number
}

interface TableProps<R> {
  label: string
  columns: Column<R>[]
  rows: R[]
  rowKey: (row: R) => string | number
}

export function DataTable<R>({ label, columns, rows, rowKey }: TableProps<R>) {
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={label}>
      <Table highlightOnHover verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((c) => (
              <Table.Th key={c.title} w={c.width}>
                {c.title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={rowKey(row)}>
              {columns.map((c) => (
                <Table.Td key={c.title}>{c.cell(row)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

interface Page<R> {
  items: R[]
  next_cursor?: string | null
}

/** A list of the host, read a page at a time; `key` names what it depends on. */
export function usePages<R>(key: unknown[], read: (cursor: string | undefined) => Promise<Page<R>>, enabled = true) {
  return useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
  })
}

type Pages<R> = ReturnType<typeof usePages<R>>

/** All that was read so far, with the button for more. */
export function Paged<R>({ of, empty, children }: { of: Pages<R>; empty: ReactNode; children: (rows: R[]) => ReactNode }) {
  return (
    <Outcome of={of.error ? { ...of, data: undefined } : of}>
      {(found) => {
        const rows = found.pages.flatMap((p) => p.items)
        if (rows.length === 0) return empty
        return (
          <>
            {children(rows)}
            <More of={of} />
          </>
        )
      }}
    </Outcome>
  )
}

/** The button for the next page, where there is one. */
export function More({ of }: { of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  if (!of.hasNextPage) return null
  return (
    <Group justify="center" mt="md">
      <Button variant="default" loading={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
        {t('app.more')}
      </Button>
    </Group>
  )
}
