/** One title: its versions, and the hosts that have it. */
import { Anchor, Card, Group, Select, SimpleGrid, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'

import { client, data, type Schema } from '../../api/client'
import { number, t } from '../../i18n'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { useAddress } from '../../ui/search'
import { OnlineBadge } from '../../ui/states'
import { DataTable, Paged, usePages } from '../../ui/table'
import { plain } from '../../ui/text'
import { Manager } from './list'

export function SoftwareTitle() {
  const { id } = useParams({ strict: false }) as { id: string }
  const title = useQuery({
    queryKey: ['software-title', id],
    queryFn: () => data(client.GET('/api/v1/software/{software}', { params: { path: { software: id } } })),
  })
  return <Outcome of={title}>{(found) => <Details id={id} title={found} />}</Outcome>
}

function Details({ id, title }: { id: string; title: Schema['TitleDetails'] }) {
  const [{ version = '' }, change] = useAddress<{ version?: string }>()
  const machines = usePages(['software-machines', id, version], (cursor) => {
    const query = { version: version || undefined, limit: 100, cursor }
    return data(client.GET('/api/v1/software/{software}/machines', { params: { path: { software: id }, query } }))
  })
  const name = plain(title.name)
  const versions = [...new Set(title.installed.map((v) => v.version))]

  return (
    <>
      <PageHead title={name}>
        <Manager name={title.manager} />
      </PageHead>
      <Text mb="md" c="dimmed">
        {plain(title.title ?? '')}
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card withBorder>
          <Title order={2} size="h4" mb="xs">
            {t('software.versions')}
          </Title>
          <DataTable
            label={t('software.versions')}
            rows={title.installed}
            rowKey={(v) => `${v.version} ${v.arch}`}
            columns={[
              { title: t('engines.version'), cell: (v) => <Text size="sm">{plain(v.version)}</Text> },
              { title: t('machine.arch'), cell: (v) => <Text size="sm">{plain(v.arch)}</Text> },
              { title: t('nav.machines'), cell: (v) => <Text size="sm">{number(v.machines)}</Text> },
            ]}
          />
        </Card>
        <Card withBorder>
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h4">
              {t('software.on')}
            </Title>
            <Select
              size="xs"
              aria-label={t('engines.version')}
              placeholder={t('software.anyversion')}
              data={versions}
              value={version || null}
              onChange={(v) => change({ version: v ?? undefined })}
              clearable
              clearButtonProps={{ 'aria-label': t('software.anyversion') }}
            />
          </Group>
          <Paged of={machines} empty={<Empty title={t('machines.nomatch')} />}>
            {(rows) => <InstalledOn rows={rows} />}
          </Paged>
        </Card>
      </SimpleGrid>
    </>
  )
}

export function InstalledOn({ rows }: { rows: Schema['InstalledSoftware'][] }) {
  return (
    <DataTable
      label={t('software.on')}
      rows={rows}
      rowKey={(m) => `${m.machine_id} ${m.version} ${m.arch}`}
      columns={[
        {
          title: t('operations.host'),
          cell: (m) => (
            <Anchor component={Link} to={`/machines/${m.machine_id}`} size="sm" fw={600}>
              {plain(m.machine_name)}
            </Anchor>
          ),
        },
        { title: t('engines.version'), cell: (m) => <Text size="sm">{plain(m.version)}</Text> },
        { title: t('machine.state'), cell: (m) => <OnlineBadge online={m.online} /> },
      ]}
    />
  )
}
