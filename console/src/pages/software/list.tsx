/** Software of the fleet: each title with its versions and how many hosts have it. */
import { Anchor, Badge, Group, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { client, data, type Schema } from '../../api/client'
import { number, t } from '../../i18n'
import { CurlButton } from '../../ui/copy'
import { Empty, PageHead } from '../../ui/panels'
import { SearchInput, useAddress } from '../../ui/search'
import { DataTable, Paged, usePages } from '../../ui/table'
import { plain } from '../../ui/text'

interface Address extends Record<string, string | undefined> {
  search?: string
  sort?: string
}

export function Software() {
  const [{ search = '', sort = '-machines' }, change] = useAddress<Address>()
  const pages = usePages(['software', search, sort], (cursor) =>
    data(client.GET('/api/v1/software', { params: { query: { search: search || undefined, sort, limit: 100, cursor } } })),
  )
  return (
    <>
      <PageHead title={t('software.title')}>
        <CurlButton path={`/api/v1/software?sort=${sort}&search=${encodeURIComponent(search)}`} />
      </PageHead>
      <Group mb="md" align="flex-end">
        <SearchInput className="grow" label={t('software.search')} value={search} onChange={(text) => change({ search: text })} />
        <Select
          aria-label={t('software.sort')}
          value={sort}
          onChange={(next) => change({ sort: next ?? undefined })}
          allowDeselect={false}
          data={[
            { value: '-machines', label: t('software.sort.machines') },
            { value: 'name', label: t('software.sort.name') },
          ]}
        />
      </Group>
      <Paged of={pages} empty={<Empty title={t(search ? 'software.nomatch' : 'software.empty')} />}>
        {(rows) => <Titles rows={rows} />}
      </Paged>
    </>
  )
}

function Titles({ rows }: { rows: Schema['Title'][] }) {
  return (
    <DataTable
      label={t('software.title')}
      rows={rows}
      rowKey={(r) => r.id}
      columns={[
        {
          title: t('software.name'),
          cell: (r) => (
            <>
              <Anchor component={Link} to={`/software/${r.id}`} size="sm" fw={600}>
                {plain(r.name)}
              </Anchor>
              <Text size="xs" c="dimmed">
                {plain(r.title ?? '')}
              </Text>
            </>
          ),
        },
        { title: t('software.manager'), width: 110, cell: (r) => <Manager name={r.manager} /> },
        { title: t('software.versions'), width: 100, cell: (r) => <Text size="sm">{number(r.versions)}</Text> },
        { title: t('nav.machines'), width: 100, cell: (r) => <Text size="sm">{number(r.machines)}</Text> },
      ]}
    />
  )
}

export function Manager({ name }: { name: string }) {
  return (
    <Badge variant="light" color="gray" tt="none">
      {plain(name)}
    </Badge>
  )
}
