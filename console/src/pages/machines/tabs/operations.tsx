/** What was done on one host. */
import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { client, data, type Schema } from '../../../api/client'
import { useLive } from '../../../api/events'
import { date, t } from '../../../i18n'
import { Empty } from '../../../ui/panels'
import { Progress } from '../../../ui/progress'
import { DataTable, Paged, usePages } from '../../../ui/table'
import { plain } from '../../../ui/text'

export function OperationsTab({ machine }: { machine: Schema['MachineDetails'] }) {
  useLive(['operation.'], ['machine-operations'])
  const pages = usePages(['machine-operations', machine.id], (cursor) =>
    data(client.GET('/api/v1/operations', { params: { query: { machine: machine.id, limit: 50, cursor } } })),
  )
  return (
    <Paged of={pages} empty={<Empty title={t('operations.empty')} hint={t('operations.empty.hint')} />}>
      {(rows) => (
        <DataTable
          label={t('operations.title')}
          rows={rows}
          rowKey={(o) => o.id}
          columns={[
            {
              title: t('operations.title.column'),
              cell: (o) => (
                <Anchor component={Link} to={`/operations/${o.id}`} size="sm" fw={600}>
                  {plain(o.title)}
                </Anchor>
              ),
            },
            { title: t('operations.when'), cell: (o) => <Text size="sm">{date(o.created_at)}</Text> },
            { title: t('operations.progress'), cell: (o) => <Progress counts={o.counts} total={o.total} /> },
          ]}
        />
      )}
    </Paged>
  )
}
