/** One engine of the catalogue: its versions, what is new in each, and what is known to be wrong. */
import { Alert, Anchor, Badge, Card, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'

import type { Schema } from '../../api/client'
import { bytes, date, day, t } from '../../i18n'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { plain } from '../../ui/text'
import { DownloadState, InstallButton } from './install'
import { canInstall, Standing, Warnings } from './offer-card'
import { offerQuery, useDownloads, useMarketLive } from './queries'

type Detail = Schema['MarketEngineDetail']
type Version = Schema['MarketVersion']

export function OfferPage() {
  useMarketLive()
  const { id } = useParams({ strict: false }) as { id: string }
  const offer = useQuery(offerQuery(id))
  return <Outcome of={offer}>{(found) => <Details offer={found} />}</Outcome>
}

function Details({ offer }: { offer: Detail }) {
  const download = useDownloads().get(offer.id)
  return (
    <>
      <Anchor component={Link} to="/marketplace" size="sm">
        {t('market.all')}
      </Anchor>
      <PageHead title={plain(offer.name)}>
        <Standing offer={offer} />
        {canInstall(offer) ? <InstallButton offer={offer} download={download} /> : null}
      </PageHead>
      <Stack>
        <Text>{plain(offer.description)}</Text>
        <Text size="sm" c="dimmed">
          {t('market.by', { publisher: plain(offer.publisher) })} · {plain(offer.tier)}
        </Text>
        {offer.installed ? (
          <Anchor component={Link} to={`/engines/${offer.id}`} size="sm">
            {t('market.here')}
          </Anchor>
        ) : null}
        <Warnings offer={offer} />
        <DownloadState download={download} />
        {offer.advisories.map((advisory) => (
          <Alert key={advisory.id} color={advisory.affects_installed ? 'red' : 'gray'} variant="light" title={`${plain(advisory.title)} (${plain(advisory.severity)})`}>
            <Text size="sm" className="as-written">
              {plain(advisory.detail)}
            </Text>
            <Text size="xs" c="dimmed">
              {t('market.concerns', { versions: plain(advisory.versions), fixed: plain(advisory.fixed_in ?? '–') })} · {day(advisory.published_at)}
            </Text>
          </Alert>
        ))}
        <Title order={2} size="h4">
          {t('software.versions')}
        </Title>
        {offer.versions.length === 0 ? <Empty title={t('market.nonewest')} /> : null}
        {offer.versions.map((version) => (
          <VersionCard key={version.version} offer={offer} version={version} />
        ))}
      </Stack>
    </>
  )
}

function VersionCard({ offer, version }: { offer: Detail; version: Version }) {
  const download = useDownloads().get(offer.id)
  const why = version.bad ?? version.compatible.why ?? version.entitled.unlocks
  return (
    <Card withBorder component="section" aria-label={plain(version.version)}>
      <Group justify="space-between">
        <Group gap="xs">
          <Title order={3} size="h5">
            {plain(version.version)}
          </Title>
          <Badge variant="outline" tt="none">
            {t(`market.channel.${version.channel}`)}
          </Badge>
          {version.version === offer.installed ? (
            <Badge color="green" variant="light" tt="none" className="state">
              {t('market.inuse')}
            </Badge>
          ) : null}
        </Group>
        {mayBeInstalled(offer, version) ? <InstallButton offer={offer} download={download} version={version.version} label={t('market.install', { version: plain(version.version) })} /> : null}
      </Group>
      <Text size="xs" c="dimmed" mb="xs">
        {t('market.published', { at: date(version.published_at) })} · {bytes(version.size)} · {version.targets.map(plain).join(', ')}
      </Text>
      <Text size="sm" className="as-written">
        {plain(version.notes.replace(/^# Changelog\s+/i, ''))}
      </Text>
      {why && version.version !== offer.installed ? (
        <Text size="sm" mt="xs">
          {plain(why)}
        </Text>
      ) : null}
    </Card>
  )
}

/** Others than the newest: a lower version than the one in use is a rollback, which has its own page. */
function mayBeInstalled(offer: Detail, version: Version): boolean {
  const held = version.entitled.state === 'locked' || version.entitled.state === 'read_only'
  const at = (v: string | null | undefined) => offer.versions.findIndex((one) => one.version === v)
  const below = offer.installed != null && at(offer.installed) >= 0 && at(version.version) >= at(offer.installed)
  return version.compatible.ok && !held && !version.bad && !below
}
