/** Engines: every one's state and what to do about it; new ones are dropped here. */
import { Alert, Anchor, Card, Code, FileButton, Group, List, Progress, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type DragEvent, useState } from 'react'

import { client, data, Failure, type Problem, type Schema } from '../../api/client'
import { useLive } from '../../api/events'
import { t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell } from '../../ui/act'
import { Empty, FailurePanel, Outcome, PageHead } from '../../ui/panels'
import { StateBadge } from '../../ui/states'
import { plain } from '../../ui/text'
import { enginesQuery } from './queries'

export function Engines() {
  const may = useMay()
  useLive(['engine.', 'license.'], ['engines', 'engine'])
  const engines = useQuery(enginesQuery)
  return (
    <>
      <PageHead title={t('engines.title')} />
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

/** Send a package with its progress, which `fetch` does not tell. */
function upload(file: File, progress: (percent: number) => void): Promise<Schema['Installed']> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', '/api/v1/engines')
    request.timeout = 300_000
    request.responseType = 'json'
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.onprogress = (e) => progress(e.lengthComputable ? (e.loaded / e.total) * 100 : 0)
    request.onload = () => {
      if (request.status < 300) resolve(request.response as Schema['Installed'])
      else reject(new Failure(request.status, (request.response ?? {}) as Problem))
    }
    request.onerror = () => reject(new Failure(0, { title: t('app.lost') }))
    request.ontimeout = request.onerror
    request.send(file)
  })
}

interface Asked {
  version: string
  capabilities: Schema['CapabilityReport'][]
}

/** What every installed engine asks for. */
async function asked(): Promise<Map<string, Asked>> {
  const list = await data(client.GET('/api/v1/engines'))
  const found = await Promise.all(
    list.items
      .filter((e) => e.version)
      .map(async ({ id }) => {
        const report = await data(client.GET('/api/v1/engines/{id}', { params: { path: { id } } }))
        return [id, { version: report.version ?? '', capabilities: report.capabilities }] as const
      }),
  )
  return new Map(found)
}

interface Difference {
  asks: Schema['CapabilityReport'][]
  dropped: Schema['CapabilityReport'][]
}

export function difference(before: Schema['CapabilityReport'][], after: Schema['CapabilityReport'][]): Difference {
  const lacks = (list: Schema['CapabilityReport'][]) => (c: Schema['CapabilityReport']) => !list.some((o) => o.name === c.name)
  return { asks: after.filter(lacks(before)), dropped: before.filter(lacks(after)) }
}

type News = Difference & { id: string; version: string }

/** What an upgrade asks for that the version before did not. */
function Upgraded({ news, close }: { news: News; close: () => void }) {
  const same = news.asks.length === 0 && news.dropped.length === 0
  return (
    <Alert
      color={news.asks.length > 0 ? 'orange' : 'blue'}
      title={`${plain(news.id)}: ${t('engines.news', { version: plain(news.version) })}`}
      withCloseButton
      closeButtonLabel={t('app.close')}
      onClose={close}
    >
      {same ? <Text size="sm">{t('engines.news.same')}</Text> : null}
      <Listed title={t('engines.news.asks')} items={news.asks} />
      <Listed title={t('engines.news.dropped')} items={news.dropped} />
      <Anchor component={Link} to={`/engines/${news.id}`} size="sm">
        {t('engines.capabilities')}
      </Anchor>
    </Alert>
  )
}

function Listed({ title, items }: { title: string; items: Schema['CapabilityReport'][] }) {
  if (items.length === 0) return null
  return (
    <>
      <Text size="sm">{title}</Text>
      <List size="sm" mb="xs">
        {items.map((c) => (
          <List.Item key={c.name}>
            <Code>{plain(c.name)}</Code> {plain(c.describes)} ({t(c.granted ? 'engines.granted' : 'engines.denied')})
          </List.Item>
        ))}
      </List>
    </>
  )
}

function Drop() {
  const queries = useQueryClient()
  const [over, setOver] = useState(false)
  const [percent, setPercent] = useState<number>()
  const [error, setError] = useState<unknown>()
  const [news, setNews] = useState<News>()

  async function install(files: Iterable<File>) {
    setError(undefined)
    try {
      for (const file of files) {
        setPercent(0)
        setNews(undefined)
        const before = await asked()
        const made = await upload(file, setPercent)
        tell(t('engines.installed', { name: made.id, version: made.version }))
        const old = before.get(made.id)
        const now = (await asked()).get(made.id)
        if (old && now && old.version !== now.version) setNews({ ...made, ...difference(old.capabilities, now.capabilities) })
      }
    } catch (failed) {
      setError(failed)
    } finally {
      setPercent(undefined)
      await queries.invalidateQueries({ queryKey: ['engines'] })
    }
  }

  function dropped(event: DragEvent) {
    event.preventDefault()
    setOver(false)
    void install(event.dataTransfer.files)
  }

  return (
    <Stack gap="xs">
      <FileButton onChange={(files) => void install(files)} accept=".engine" multiple>
        {(props) => (
          <button
            type="button"
            className="drop"
            data-over={over}
            onDragOver={(e) => {
              e.preventDefault()
              setOver(true)
            }}
            onDragLeave={() => setOver(false)}
            onDrop={dropped}
            {...props}
          >
            {t('engines.drop')}
          </button>
        )}
      </FileButton>
      {percent === undefined ? null : <Progress value={percent} animated aria-label={t('engines.drop')} />}
      {error ? <FailurePanel error={error} /> : null}
      {news ? <Upgraded news={news} close={() => setNews(undefined)} /> : null}
    </Stack>
  )
}
