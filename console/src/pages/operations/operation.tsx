/** One operation: what came of it on each host, and trying again where it did not. */
import { Anchor, Button, Checkbox, Code, Drawer, Group, Table, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { ago, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { useAct } from '../../ui/act'
import { Outcome, PageHead } from '../../ui/panels'
import { Progress } from '../../ui/progress'
import { StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'

type Task = Schema['Task']

export function OperationPage() {
  const { id } = useParams({ strict: false }) as { id: string }
  const operation = useQuery({
    queryKey: ['operation', id],
    queryFn: () => data(client.GET('/api/v1/operations/{id}', { params: { path: { id } } })),
  })
  return <Outcome of={operation}>{(found) => <Details operation={found} />}</Outcome>
}

function useTasks(id: string) {
  useLive(['operation.', 'task.'], ['tasks', 'operation'])
  return useInfiniteQuery({
    queryKey: ['tasks', id],
    queryFn: ({ pageParam }) =>
      data(
        client.GET('/api/v1/operations/{id}/tasks', { params: { path: { id }, query: { limit: 200, cursor: pageParam } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
}

function Details({ operation }: { operation: Schema['Operation'] }) {
  const may = useMay()
  const navigate = useNavigate()
  const [chosen, setChosen] = useState<string[]>([])
  const [shown, setShown] = useState<Task>()
  const tasks = useTasks(operation.id)
  const at = { params: { path: { id: operation.id } } }
  const cancel = useAct(() => client.POST('/api/v1/operations/{id}/cancel', { ...at, body: {} }), ['operation', 'tasks'])
  const retry = useAct(
    () => data(client.POST('/api/v1/operations/{id}/retry', { ...at, body: { tasks: chosen } })),
    ['operations'],
    (again) => void navigate({ to: `/operations/${(again as Schema['Operation']).id}` }),
  )
  return (
    <>
      <PageHead title={plain(operation.title)}>
        <Progress counts={operation.counts} total={operation.total} />
        {may('operations:cancel') && !operation.finished_at ? (
          <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
            {t('operations.cancel')}
          </Button>
        ) : null}
        {may('operations:cancel') && chosen.length > 0 ? (
          <Button loading={retry.isPending} onClick={() => retry.mutate(undefined)}>
            {t('operations.retry')} ({chosen.length})
          </Button>
        ) : null}
      </PageHead>
      <Text size="sm" c="dimmed" mb="md">
        {plain(operation.actor_name)} · {ago(operation.created_at)} · <Code>{plain(operation.command)}</Code>
      </Text>
      <Outcome of={tasks}>
        {(found) => (
          <>
            <Tasks tasks={found.pages.flatMap((p) => p.items)} chosen={chosen} choose={setChosen} show={setShown} />
            {tasks.hasNextPage ? (
              <Group justify="center" mt="md">
                <Button variant="default" onClick={() => void tasks.fetchNextPage()} loading={tasks.isFetchingNextPage}>
                  {t('app.more')}
                </Button>
              </Group>
            ) : null}
          </>
        )}
      </Outcome>
      <Drawer
        opened={shown !== undefined}
        onClose={() => setShown(undefined)}
        position="right"
        size="lg"
        title={shown ? `${plain(shown.machine_name)}: ${t('operations.output')}` : ''}
      >
        {shown ? <Output task={shown} /> : null}
      </Drawer>
    </>
  )
}

interface TasksProps {
  tasks: Task[]
  chosen: string[]
  choose: (ids: string[]) => void
  show: (task: Task) => void
}

/** Only what has ended, and not well, can be tried again. */
function retryable(task: Task): boolean {
  return task.finished_at !== null && task.finished_at !== undefined && task.state !== 'succeeded'
}

function Tasks({ tasks, chosen, choose, show }: TasksProps) {
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={t('operations.result')}>
      <Table highlightOnHover verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={36}>
              <span className="visually-hidden">{t('operations.retry')}</span>
            </Table.Th>
            <Table.Th>{t('operations.host')}</Table.Th>
            <Table.Th>{t('machine.state')}</Table.Th>
            <Table.Th>{t('operations.result')}</Table.Th>
            <Table.Th>{t('operations.when')}</Table.Th>
            <Table.Th>{t('operations.output')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tasks.map((task) => (
            <Table.Tr key={task.id}>
              <Table.Td>
                {retryable(task) ? (
                  <Checkbox
                    aria-label={`${t('operations.retry')}: ${plain(task.machine_name)}`}
                    checked={chosen.includes(task.id)}
                    onChange={(e) =>
                      choose(e.currentTarget.checked ? [...chosen, task.id] : chosen.filter((id) => id !== task.id))
                    }
                  />
                ) : null}
              </Table.Td>
              <Table.Td>
                <Anchor component={Link} to={`/machines/${task.machine_id}`} size="sm">
                  {plain(task.machine_name)}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <StateBadge state={task.state} />
              </Table.Td>
              <Table.Td>
                <Text size="sm">{plain(task.error?.message ?? '')}</Text>
              </Table.Td>
              <Table.Td>
                <Text size="sm">{ago(task.finished_at ?? task.started_at ?? task.created_at)}</Text>
              </Table.Td>
              <Table.Td>
                <Button size="compact-sm" variant="subtle" onClick={() => show(task)} aria-label={`${t('operations.output')}: ${plain(task.machine_name)}`}>
                  {t('operations.output')}
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function Output({ task }: { task: Task }) {
  const output = useQuery({
    queryKey: ['tasks', 'output', task.id],
    queryFn: () => data(client.GET('/api/v1/tasks/{id}/output', { params: { path: { id: task.id } } })),
  })
  return (
    <Outcome of={output}>
      {(found) => {
        const text = found.chunks.map((c) => c.text).join('')
        const result = task.result ? JSON.stringify(task.result, null, 2) : ''
        return (
          <>
            <Code block className="output" tabIndex={0}>
              {text ? plain(text) : t('operations.nooutput')}
            </Code>
            {result ? (
              <Code block className="output" mt="sm" tabIndex={0}>
                {plain(result)}
              </Code>
            ) : null}
          </>
        )
      }}
    </Outcome>
  )
}
