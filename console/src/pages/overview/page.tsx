/** The fleet at a glance: who is there, what is done, what needs somebody, and how that went over time. */
import { Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'

import { t } from '../../i18n'
import { useOverviewCards } from '../../plugin-kit/console'
import { operationsQuery } from '../../shell/dock'
import { useMay } from '../../shell/session'
import { Later } from '../../ui/later'
import { Empty, Outcome, PageHead, Waiting } from '../../ui/panels'
import { Progress } from '../../ui/progress'
import { plain } from '../../ui/text'
import { Attention } from './attention'
import { Figures } from './figures'

/** Charts are not needed for the first look. */
const Trend = lazy(() => import('./trend').then((m) => ({ default: m.Trend })))

export function Overview() {
  return (
    <>
      <PageHead title={t('overview.title')} />
      <Figures />
      <Later before={<Waiting lines={6} />}>
        <Details />
      </Later>
    </>
  )
}

function Details() {
  const may = useMay()
  const brought = useOverviewCards(may)
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      <Attention />
      {may('operations:read') ? <Recent /> : null}
      {may('machines:read') ? (
        <Suspense fallback={<Waiting lines={4} />}>
          <Trend />
        </Suspense>
      ) : null}
      {brought.map((card) => (
        <Card withBorder key={card.key}>
          <Title order={2} size="h4" mb="sm">
            {card.label}
          </Title>
          {card.render()}
        </Card>
      ))}
    </SimpleGrid>
  )
}

function Recent() {
  const operations = useQuery(operationsQuery(20))
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        {t('overview.recent')}
      </Title>
      <Outcome of={operations}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('operations.empty')} hint={t('operations.empty.hint')} />
          ) : (
            <Stack gap={6}>
              {page.items.slice(0, 8).map((o) => (
                <Group key={o.id} justify="space-between" wrap="nowrap" gap="sm">
                  <Text size="sm" truncate component={Link} to={`/operations/${o.id}`} className="grow link">
                    {plain(o.title)}
                  </Text>
                  <Progress counts={o.counts} total={o.total} />
                </Group>
              ))}
            </Stack>
          )
        }
      </Outcome>
    </Card>
  )
}
