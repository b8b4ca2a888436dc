/** What every page is made of: its head, its failures, its empty states, its waiting. */
import { Alert, Button, Card, Code, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { Component, type ReactNode } from 'react'

import { Failure } from '../api/client'
import { t } from '../i18n'

export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Group justify="space-between" align="center" mb="md" gap="sm">
      <Title order={1} size="h2">
        {title}
      </Title>
      <Group gap="xs">{children}</Group>
    </Group>
  )
}

/** A part of a page that has a name of its own. */
export function Panel({ title, large = false, children }: { title: string; large?: boolean; children: ReactNode }) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Title order={2} size={large ? 'h4' : 'h5'} mb={large ? 'sm' : 'xs'}>
        {title}
      </Title>
      {children}
    </Card>
  )
}

/** A chart's frame: what it shows, and beside it what it comes to. */
export function ChartPanel({ title, note, children }: { title: string; note: string; children: ReactNode }) {
  return (
    <Card withBorder>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {title}
        </Title>
        <Text size="sm">{note}</Text>
      </Group>
      {children}
    </Card>
  )
}

export function FailurePanel({ error, retry }: { error: unknown; retry?: () => void }) {
  const failed = error instanceof Failure ? error : undefined
  const title = failed?.status === 403 ? t('app.forbidden') : t('app.failed')
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{error instanceof Error ? error.message : String(error)}</Text>
        {failed?.code ? <Code>{failed.code}</Code> : null}
        {retry ? (
          <Button size="xs" variant="default" onClick={retry}>
            {t('app.retry')}
          </Button>
        ) : null}
      </Stack>
    </Alert>
  )
}

export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl">
      <Text fw={600}>{title}</Text>
      {hint ? (
        <Text size="sm" c="dimmed" ta="center" maw={420}>
          {hint}
        </Text>
      ) : null}
      {children}
    </Stack>
  )
}

export function Waiting({ lines = 5 }: { lines?: number }) {
  return (
    <Stack gap="xs" aria-busy="true" aria-live="polite">
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} height={28} />
      ))}
    </Stack>
  )
}

interface Query<T> {
  data: T | undefined
  error: unknown
  refetch: () => unknown
}

/** A query's outcome: what it read, or its failure, or the wait for it. */
export function Outcome<T>({ of, children }: { of: Query<T>; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) return <>{children(of.data)}</>
  if (of.error) return <FailurePanel error={of.error} retry={() => void of.refetch()} />
  return <Waiting />
}

/** What throws inside costs its own panel only. */
export class Boundary extends Component<{ children: ReactNode; label?: string }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <Alert color="red" title={t('app.crashed')} role="alert">
        <Stack gap="xs" align="flex-start">
          <Text size="sm">{[this.props.label, error.message].filter(Boolean).join(': ')}</Text>
          <Button size="xs" variant="default" onClick={() => this.setState({ error: undefined })}>
            {t('app.retry')}
          </Button>
        </Stack>
      </Alert>
    )
  }
}
