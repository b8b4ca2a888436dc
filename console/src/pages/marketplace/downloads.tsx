/** Downloads of engines that are under way or were. */
import { Badge, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { ago, bytes, t, word } from '../../i18n'
import { Panel } from '../../ui/panels'
import { DataTable } from '../../ui/table'
import { plain } from '../../ui/text'
import { downloadsQuery } from './queries'

/** Rows; the host keeps a hundred. */
const SHOWN = 8
const COLOURS: Record<string, string> = { done: 'green', failed: 'red' }

export function Downloads() {
  const { data: found } = useQuery(downloadsQuery)
  const items = found?.items.slice(0, SHOWN) ?? []
  if (items.length === 0) return null
  return (
    <Panel large title={t('market.downloads')}>
      <DataTable
        label={t('market.downloads')}
        rows={items}
        rowKey={(d) => d.id}
        columns={[
          { title: t('market.engine'), cell: (d) => <Text size="sm">{`${plain(d.engine)} ${plain(d.version)}`}</Text> },
          {
            title: t('market.standing'),
            cell: (d) => (
              <Group gap="xs">
                <Badge variant="light" color={COLOURS[d.state] ?? 'blue'} tt="none" className="state">
                  {word('market.state', d.state)}
                </Badge>
                {d.error ? <Text size="sm">{plain(d.error.detail)}</Text> : null}
              </Group>
            ),
          },
          { title: t('market.size'), cell: (d) => <Text size="sm">{`${bytes(d.received)} / ${bytes(d.size)}`}</Text> },
          { title: t('market.who'), cell: (d) => <Text size="sm">{d.automatic ? t('market.automatic') : plain(d.actor_name)}</Text> },
          { title: t('market.when'), cell: (d) => <Text size="sm">{ago(d.updated_at)}</Text> },
        ]}
      />
    </Panel>
  )
}
