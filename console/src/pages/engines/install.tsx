/** Bringing an engine in: its file is looked at by the host, what it asks for is shown, and only then it is installed. */
import { Alert, Badge, Button, Code, FileButton, Group, List, Modal, Progress, Stack, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type DragEvent, useRef, useState } from 'react'

import type { Schema } from '../../api/client'
import { send } from '../../api/upload'
import { t } from '../../i18n'
import { tell } from '../../ui/act'
import { FailurePanel } from '../../ui/panels'
import { plain } from '../../ui/text'

type Inspection = Schema['Inspection']

interface Found {
  file: File
  inspection: Inspection
}

export function Drop() {
  const queries = useQueryClient()
  const waiting = useRef<File[]>([])
  const forget = useRef<() => void>(null)
  const [over, setOver] = useState(false)
  const [percent, setPercent] = useState<number>()
  const [found, setFound] = useState<Found>()
  const [error, setError] = useState<unknown>()

  /** Do something with progress; what fails ends the row of files. */
  async function attempt(run: () => Promise<void>) {
    setError(undefined)
    setPercent(0)
    try {
      await run()
    } catch (failed) {
      waiting.current = []
      setFound(undefined)
      setError(failed)
    } finally {
      setPercent(undefined)
      await queries.invalidateQueries({ queryKey: ['engines'] })
    }
  }

  async function next() {
    setFound(undefined)
    const file = waiting.current.shift()
    if (!file) return
    await attempt(async () => setFound({ file, inspection: await send('/api/v1/engines/-/inspect', file, setPercent) }))
  }

  async function install(file: File) {
    await attempt(async () => {
      const made = await send<Schema['Installed']>('/api/v1/engines', file, setPercent)
      tell(made.note ?? t('engines.installed', { name: made.id, version: made.version }), made.note ? 'orange' : 'green')
      setFound(undefined)
    })
    await next()
  }

  function begin(files: Iterable<File>) {
    waiting.current = [...files]
    // The same file may be chosen again, which is no change to the field.
    forget.current?.()
    void next()
  }

  function dropped(event: DragEvent) {
    event.preventDefault()
    setOver(false)
    begin(event.dataTransfer.files)
  }

  return (
    <Stack gap="xs">
      <FileButton resetRef={forget} onChange={begin} accept=".engine" multiple>
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
      <Confirm found={found} busy={percent !== undefined} close={() => void next()} install={(file) => void install(file)} />
    </Stack>
  )
}

interface ConfirmProps {
  found: Found | undefined
  busy: boolean
  close: () => void
  install: (file: File) => void
}

function Confirm({ found, busy, close, install }: ConfirmProps) {
  if (!found) return null
  const { file, inspection: of } = found
  const upgrade = of.current != null && of.current !== of.version
  const title = t(upgrade ? 'engines.upgrade.title' : 'engines.install.title', { name: plain(of.name) })
  return (
    <Modal opened onClose={close} size="lg" title={title}>
      <Stack>
        <Text size="sm">{plain(of.description)}</Text>
        <Group gap="xs">
          <Badge variant="outline" tt="none">
            {upgrade ? `${plain(of.current ?? '')} → ${plain(of.version)}` : plain(of.version)}
          </Badge>
          <Text size="sm">{t('engines.signedby', { name: plain(of.publisher) })}</Text>
        </Group>
        {upgrade ? <Changes of={of} /> : <Asked title={t('engines.asks')} items={of.capabilities} />}
        <Words title={t('engines.news.permissions')} words={of.new_permissions} />
        <Text size="xs" c="dimmed">
          SHA-256 <Code>{of.sha256}</Code>
        </Text>
        {of.below ? (
          <Alert color="red" variant="light">
            {t('engines.below', { version: plain(of.below) })}
          </Alert>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {t('app.cancel')}
          </Button>
          <Button loading={busy} disabled={of.below != null} onClick={() => install(file)}>
            {t(upgrade ? 'engines.upgrade' : 'engines.install')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

/** What the new version asks for that the one in use does not, and the other way round. */
function Changes({ of }: { of: Inspection }) {
  const asks = of.capabilities.filter((c) => c.new)
  if (asks.length === 0 && of.dropped.length === 0) return <Text size="sm">{t('engines.news.same')}</Text>
  return (
    <>
      {asks.length > 0 ? (
        <Alert color="orange" variant="light">
          <Asked title={t('engines.news.asks')} items={asks} />
        </Alert>
      ) : null}
      <Words title={t('engines.news.dropped')} words={of.dropped} />
    </>
  )
}

function Asked({ title, items }: { title: string; items: Schema['AskedCapability'][] }) {
  if (items.length === 0) return <Text size="sm">{t('engines.asks.nothing')}</Text>
  return (
    <section aria-label={title}>
      <Text size="sm" fw={600} mb={4}>
        {title}
      </Text>
      <List size="sm" spacing={4}>
        {items.map((c) => (
          <List.Item key={c.name}>
            <Code>{plain(c.name)}</Code> {plain(c.describes)} ({t(c.granted ? 'engines.granted' : 'engines.denied')})
          </List.Item>
        ))}
      </List>
    </section>
  )
}

function Words({ title, words }: { title: string; words: string[] }) {
  if (words.length === 0) return null
  return (
    <section aria-label={title}>
      <Text size="sm" fw={600} mb={4}>
        {title}
      </Text>
      <Group gap={6}>
        {words.map((word) => (
          <Code key={word}>{plain(word)}</Code>
        ))}
      </Group>
    </section>
  )
}
