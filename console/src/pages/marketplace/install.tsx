/** The button that installs or updates an engine, and what becomes of it. */
import { Alert, Button, Progress, Stack, Text } from '@mantine/core'
import { IconDownload, IconRefresh } from '@tabler/icons-react'

import { client, data } from '../../api/client'
import { bytes, t, word } from '../../i18n'
import { useMay } from '../../shell/session'
import { useAct } from '../../ui/act'
import { plain } from '../../ui/text'
import { type Download, isUnderWay, type Offer } from './queries'

interface Props {
  offer: Offer
  download: Download | undefined
  /** A version other than the one that suits best. */
  version?: string
  label?: string
}

export function InstallButton({ offer, download, version, label }: Props) {
  const may = useMay()
  const body = { version: version ?? null }
  const install = useAct(
    () => data(client.POST('/api/v1/marketplace/engines/{id}/install', { params: { path: { id: offer.id } }, body })),
    ['downloads'],
  )
  if (!may('engines:install')) return null
  const update = offer.installed != null
  const Icon = update ? IconRefresh : IconDownload
  const wanted = version ?? (update ? offer.update_to : offer.newest) ?? ''
  const busy = install.isPending || (download !== undefined && isUnderWay(download))
  const says = label ?? t(update ? 'market.update' : 'market.install', { version: plain(wanted) })
  return (
    <Button size="xs" leftSection={<Icon size={16} aria-hidden />} loading={busy} onClick={() => install.mutate(undefined)} aria-label={`${says}: ${plain(offer.name)}`}>
      {says}
    </Button>
  )
}

/** How far a download is, or why it failed. */
export function DownloadState({ download }: { download: Download | undefined }) {
  if (!download || download.state === 'done') return null
  if (download.state === 'failed') {
    return (
      <Alert color="red" variant="light" title={t('market.failed', { version: plain(download.version) })}>
        <Text size="sm">{plain(download.error?.detail ?? '')}</Text>
      </Alert>
    )
  }
  const percent = download.size > 0 ? (download.received / download.size) * 100 : 0
  return (
    <Stack gap={4} role="status">
      <Progress value={download.state === 'downloading' ? percent : 100} animated aria-label={t('market.progress', { version: plain(download.version) })} />
      <Text size="xs" c="dimmed">
        {word('market.state', download.state)} · {bytes(download.received)} / {bytes(download.size)}
      </Text>
    </Stack>
  )
}
