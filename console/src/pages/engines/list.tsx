/** Engines: every one's state and what to do about it; new ones are dropped here. */
import { Anchor, Button, Card, Group, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { IconBuildingStore } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { t } from '../../i18n'
import { useMay } from '../../shell/session'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { Drop } from './install'
import { enginesQuery } from './queries'

export function Engines() {
  const may = useMay()
  useLive(['engine.', 'license.'], ['engines', 'engine'])
  const engines = useQuery(enginesQuery)
  return (
    <>
      <PageHead title={t('engines.title')}>
        <Button component={Link} to="/marketplace" variant="default" leftSection={<IconBuildingStore size={16} aria-hidden />}>
          {t('nav.marketplace')}
        </Button>
      </PageHead>
      <Stack>
        {may('engines:install') ? <Drop /> : null}
        <Outcome of={engines}>
          {(list) => (
            <>
              {list.items.length === 0 ? <Empty title={t('engines.empty')} hint={t('engines.empty.hint')} /> : null}
              <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
                {list.items.map((engine) => (
                  <EngineCard key={engine.id} engine={engine} />
                ))}
              </SimpleGrid>
              {list.refused.length > 0 ? <Refused files={list.refused} /> : null}
            </>
          )}
        </Outcome>
      </Stack>
    </>
  )
}

function EngineCard({ engine }: { engine: Schema['EngineSummary'] }) {
  return (
    <Card withBorder component="section" aria-label={plain(engine.name)}>
      <Group justify="space-between" mb={4} wrap="nowrap">
        <Anchor component={Link} to={`/engines/${engine.id}`} fw={700}>
          {plain(engine.name)}
        </Anchor>
        <StateBadge state={engine.state} />
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {plain(engine.version ?? '')} · {plain(engine.tier ?? '')}
      </Text>
      <Text size="sm">{plain(engine.description ?? '')}</Text>
      {engine.remedy ? (
        <Text size="sm" mt="xs" fw={600}>
          {plain(engine.remedy)}
        </Text>
      ) : null}
    </Card>
  )
}

function Refused({ files }: { files: Schema['RefusedFile'][] }) {
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="sm">
        {t('engines.refused')}
      </Title>
      <Table>
        <Table.Tbody>
          {files.map((file) => (
            <Table.Tr key={file.file}>
              <Table.Td>{plain(file.file)}</Table.Td>
              <Table.Td>
                <Text size="sm">{plain(file.reason)}</Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  )
}
