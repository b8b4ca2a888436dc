/** The hosts as a table of which only the rows in sight are drawn, so that a hundred thousand scroll like a hundred. */
import { Anchor, Checkbox, Table, UnstyledButton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import type { Schema } from '../../api/client'
import { t } from '../../i18n'
import { plain } from '../../ui/text'
import type { Selection } from './bulk'
import { COLUMNS } from './columns'

type Machine = Schema['Machine']
const ROW = 41
/** Rows drawn above and below what is seen. */
const MARGIN = 12

interface Props {
  machines: Machine[]
  columns: string[]
  sort: string
  onSort: (sort: string) => void
  selection: Selection
  select: (selection: Selection) => void
  acts: boolean
  /** The end of what was read is near. */
  onEnd: () => void
}

/** Which rows are in sight. */
function useWindow(count: number, onEnd: () => void) {
  const place = useRef<HTMLDivElement>(null)
  const [range, setRange] = useState({ from: 0, to: 60 })
  const end = useRef(onEnd)
  end.current = onEnd
  useEffect(() => {
    const element = place.current
    if (!element) return
    function measure() {
      if (!element) return
      const from = Math.max(Math.floor(element.scrollTop / ROW) - MARGIN, 0)
      const to = Math.ceil((element.scrollTop + element.clientHeight) / ROW) + MARGIN
      setRange((now) => (now.from === from && now.to === to ? now : { from, to }))
      if (to >= count - MARGIN) end.current()
    }
    measure()
    element.addEventListener('scroll', measure, { passive: true })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', measure)
      observer.disconnect()
    }
  }, [count])
  return { place, range }
}

export function MachineTable({ machines, columns, sort, onSort, selection, select, acts, onEnd }: Props) {
  const { place, range } = useWindow(machines.length, onEnd)
  const shown = COLUMNS.filter((c) => columns.includes(c.id))
  const chosen = new Set(selection.ids)
  const every = machines.length > 0 && machines.every((m) => chosen.has(m.id))
  const rows = machines.slice(range.from, range.to)
  const after = Math.max(machines.length - range.from - rows.length, 0)
  const width = 225 + shown.reduce((sum, c) => sum + c.width, 0)

  function toggle(id: string, on: boolean) {
    select({ ids: on ? [...chosen, id] : [...chosen].filter((c) => c !== id), all: false })
  }

  return (
    <div className="table-wrap machines" ref={place} tabIndex={0} role="region" aria-label={t('machines.title')}>
      <Table highlightOnHover stickyHeader layout="fixed" miw={width} aria-rowcount={machines.length + 1}>
        <Table.Thead>
          <Table.Tr>
            {acts ? (
              <Table.Th w={40}>
                <Checkbox
                  aria-label={t('machines.allshown')}
                  checked={every}
                  indeterminate={!every && chosen.size > 0}
                  onChange={(e) => select({ ids: e.currentTarget.checked ? machines.map((m) => m.id) : [], all: false })}
                />
              </Table.Th>
            ) : null}
            <Heading label={t('machine.name')} by="name" sort={sort} onSort={onSort} />
            {shown.map((c) => (
              <Heading key={c.id} label={t(c.label)} width={c.width} by={c.sort} sort={sort} onSort={onSort} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {range.from > 0 ? <Space height={range.from * ROW} /> : null}
          {rows.map((m, i) => (
            <Table.Tr key={m.id} h={ROW} aria-rowindex={range.from + i + 2}>
              {acts ? (
                <Table.Td>
                  <Checkbox
                    aria-label={plain(m.name)}
                    checked={selection.all || chosen.has(m.id)}
                    disabled={selection.all}
                    onChange={(e) => toggle(m.id, e.currentTarget.checked)}
                  />
                </Table.Td>
              ) : null}
              <Table.Td>
                <Anchor component={Link} to={`/machines/${m.id}`} fw={600} size="sm" truncate display="block" title={plain(m.name)}>
                  {plain(m.name)}
                </Anchor>
              </Table.Td>
              {shown.map((c) => (
                <Table.Td key={c.id}>{c.cell(m)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
          {after > 0 ? <Space height={after * ROW} /> : null}
        </Table.Tbody>
      </Table>
    </div>
  )
}

/** The place of rows that are not drawn. */
function Space({ height }: { height: number }) {
  return (
    <tr aria-hidden style={{ height }}>
      <td />
    </tr>
  )
}

interface HeadingProps {
  label: string
  width?: number
  by: string | undefined
  sort: string
  onSort: (sort: string) => void
}

function Heading({ label, width, by, sort, onSort }: HeadingProps) {
  if (!by) return <Table.Th w={width}>{label}</Table.Th>
  const reversed = by.startsWith('-') ? by.slice(1) : `-${by}`
  const here = sort === by || sort === reversed
  const descends = sort.startsWith('-')
  return (
    <Table.Th w={width} aria-sort={here ? (descends ? 'descending' : 'ascending') : undefined}>
      <UnstyledButton className="sort" onClick={() => onSort(sort === by ? reversed : by)}>
        {label} <span aria-hidden>{here ? (descends ? '↓' : '↑') : ''}</span>
      </UnstyledButton>
    </Table.Th>
  )
}
