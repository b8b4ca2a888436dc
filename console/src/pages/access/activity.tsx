/** Who did what: the audit log, filtered by the address. */
import { Button, Code, Group, Table, Text, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, Fragment, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { date, t } from '../../i18n'
import { CurlButton } from '../../ui/copy'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { More } from '../../ui/table'
import { plain } from '../../ui/text'

interface Filter {
  actor?: string
  action?: string
}

export function Activity() {
  const filter = useSearch({ strict: false }) as Filter
  const pages = useInfiniteQuery({
    queryKey: ['audit', filter.actor, filter.action],
    queryFn: ({ pageParam }) =>
      data(
        client.GET('/api/v1/audit', {
          params: { query: { actor: filter.actor, action: filter.action, limit: 100, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
  const query = new URLSearchParams(Object.entries(filter).filter(([, v]) => v) as [string, string][])
  return (
    <>
      <PageHead title={t('activity.title')}>
        <CurlButton path={`/api/v1/audit?${query}`} />
      </PageHead>
      <FilterBar filter={filter} key={query.toString()} />
      <Outcome of={pages}>
        {(found) => {
          const entries = found.pages.flatMap((p) => p.items)
          if (entries.length === 0) return <Empty title={t('activity.empty')} />
          return (
            <>
              <Entries entries={entries} />
              <More of={pages} />
            </>
          )
        }}
      </Outcome>
    </>
  )
}

function FilterBar({ filter }: { filter: Filter }) {
  const navigate = useNavigate()
  const [actor, setActor] = useState(filter.actor ?? '')
  const [action, setAction] = useState(filter.action ?? '')
  function submit(event: FormEvent) {
    event.preventDefault()
    const search = { ...(actor ? { actor } : {}), ...(action ? { action } : {}) }
    void navigate({ to: '/activity', search: search as never })
  }
  return (
    <form onSubmit={submit} role="search">
      <Group gap="sm" align="flex-end" mb="md">
        <TextInput label={t('activity.who')} value={actor} onChange={(e) => setActor(e.currentTarget.value)} />
        <TextInput label={t('activity.what')} value={action} onChange={(e) => setAction(e.currentTarget.value)} placeholder="machine.approved" />
        <Button type="submit" variant="default">
          {t('machines.filter')}
        </Button>
      </Group>
    </form>
  )
}

function Entries({ entries }: { entries: Schema['AuditEntry'][] }) {
  const [open, setOpen] = useState<string>()
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={t('activity.title')}>
      <Table verticalSpacing={5} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('activity.when')}</Table.Th>
            <Table.Th>{t('activity.who')}</Table.Th>
            <Table.Th>{t('activity.what')}</Table.Th>
            <Table.Th>{t('activity.on')}</Table.Th>
            <Table.Th>{t('activity.details')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((e) => (
            <Fragment key={e.id}>
              <Table.Tr>
                <Table.Td>
                  <Text size="sm" className="whole">{date(e.at)}</Text>
                </Table.Td>
                <Table.Td>
                  <Text size="sm">{plain(e.actor_name)}</Text>
                  <Text size="xs" c="dimmed">
                    {plain(e.client_ip ?? '')}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Code>{plain(e.action)}</Code>
                </Table.Td>
                <Table.Td>
                  <Text size="sm">
                    {plain(e.entity_kind)} {plain(e.entity_id)}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    aria-expanded={open === e.id}
                    onClick={() => setOpen(open === e.id ? undefined : e.id)}
                  >
                    {t('activity.details')}
                  </Button>
                </Table.Td>
              </Table.Tr>
              {open === e.id ? (
                <Table.Tr>
                  <Table.Td colSpan={5}>
                    <Code block className="output">
                      {plain(JSON.stringify({ before: e.before, after: e.after, request_id: e.request_id }, null, 2))}
                    </Code>
                  </Table.Td>
                </Table.Tr>
              ) : null}
            </Fragment>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
