/** The operations log at the foot: what is done on hosts, as it is done. */
import { Badge, Group, Paper, ScrollArea, Text, UnstyledButton } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { client, data, type Schema } from '../api/client'
import { useLive } from '../api/events'
import { ago, t } from '../i18n'
import { Progress } from '../ui/progress'
import { plain } from '../ui/text'
import { useMay } from './session'

export const operationsQuery = (limit: number) => ({
  queryKey: ['operations', limit],
  queryFn: () => data(client.GET('/api/v1/operations', { params: { query: { limit } } })),
})

export function Dock() {
  const may = useMay()
  const [open, setOpen] = useLocalStorage({ key: 'sysmanage.dock', defaultValue: false })
  useLive(['operation.', 'task.'], ['operations', 'operation'])
  const list = useQuery({ ...operationsQuery(20), enabled: may('operations:read') })
  if (!may('operations:read')) return null
  const items = list.data?.items ?? []
  const running = items.filter((o) => !o.finished_at).length
  return (
    <Paper className="dock" withBorder component="section" aria-label={t('operations.dock')}>
      <UnstyledButton onClick={() => setOpen(!open)} aria-expanded={open} w="100%" px="md" py={6}>
        <Group gap="xs">
          {open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronUp size={16} aria-hidden />}
          <Text size="sm" fw={600}>
            {t('operations.dock')}
          </Text>
          {running > 0 ? <Badge size="sm">{running}</Badge> : null}
        </Group>
      </UnstyledButton>
      {open ? (
        <ScrollArea.Autosize mah={180} type="auto" px="md" pb="xs" viewportProps={{ tabIndex: 0, 'aria-label': t('operations.dock') }}>
          {items.map((operation) => (
            <Line key={operation.id} operation={operation} />
          ))}
          {items.length === 0 ? (
            <Text size="sm" c="dimmed">
              {t('operations.empty')}
            </Text>
          ) : null}
        </ScrollArea.Autosize>
      ) : null}
    </Paper>
  )
}

function Line({ operation }: { operation: Schema['Operation'] }) {
  return (
    <Group gap="sm" wrap="nowrap" py={2}>
      <Text size="xs" c="dimmed" w={110} className="fixed">
        {ago(operation.created_at)}
      </Text>
      <Text size="sm" component={Link} to={`/operations/${operation.id}`} className="grow link" truncate>
        {plain(operation.title)}
      </Text>
      <Progress counts={operation.counts} total={operation.total} />
    </Group>
  )
}
