/** Operations: everything done on hosts. */
import { Anchor, Button, Group, Table, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { client, data } from '../../api/client'
import { ago, t } from '../../i18n'
import { CurlButton } from '../../ui/copy'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { Progress } from '../../ui/progress'
import { plain } from '../../ui/text'

export function Operations() {
  const pages = useInfiniteQuery({
    queryKey: ['operations', 'pages'],
    queryFn: ({ pageParam }) =>
      data(client.GET('/api/v1/operations', { params: { query: { limit: 50, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  })
  return (
    <>
      <PageHead title={t('operations.title')}>
        <CurlButton path="/api/v1/operations" />
      </PageHead>
      <Outcome of={pages}>
        {(found) => {
          const items = found.pages.flatMap((p) => p.items)
          if (items.length === 0) return <Empty title={t('operations.empty')} hint={t('operations.empty.hint')} />
          return (
            <div className="table-wrap" tabIndex={0} role="region" aria-label={t('operations.title')}>
              <Table highlightOnHover verticalSpacing={6}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{t('operations.title.column')}</Table.Th>
                    <Table.Th>{t('operations.by')}</Table.Th>
                    <Table.Th>{t('operations.when')}</Table.Th>
                    <Table.Th>{t('operations.progress')}</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {items.map((o) => (
                    <Table.Tr key={o.id}>
                      <Table.Td>
                        <Anchor component={Link} to={`/operations/${o.id}`} size="sm" fw={600}>
                          {plain(o.title)}
                        </Anchor>
                      </Table.Td>
                      <Table.Td>
                        <Text size="sm">{plain(o.actor_name)}</Text>
                      </Table.Td>
                      <Table.Td>
                        <Text size="sm">{ago(o.created_at)}</Text>
                      </Table.Td>
                      <Table.Td>
                        <Progress counts={o.counts} total={o.total} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
              {pages.hasNextPage ? (
                <Group justify="center" mt="md">
                  <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                    {t('app.more')}
                  </Button>
                </Group>
              ) : null}
            </div>
          )
        }}
      </Outcome>
    </>
  )
}
