/** One engine of the catalogue. */
import { Anchor, Badge, Card, Group, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { t } from '../../i18n'
import { plain } from '../../ui/text'
import { DownloadState, InstallButton } from './install'
import type { Download, Offer } from './queries'

const SEVERE = ['critical', 'high']

export function OfferCard({ offer, download }: { offer: Offer; download: Download | undefined }) {
  return (
    <Card withBorder component="section" aria-label={plain(offer.name)}>
      <Stack gap="xs" h="100%">
        <Group justify="space-between" wrap="nowrap">
          <Anchor component={Link} to={`/marketplace/${offer.id}`} fw={700}>
            {plain(offer.name)}
          </Anchor>
          <Standing offer={offer} />
        </Group>
        <Text size="sm" c="dimmed">
          {t('market.by', { publisher: plain(offer.publisher) })} · {plain(offer.tier)}
        </Text>
        <Text size="sm">{plain(offer.description)}</Text>
        <Warnings offer={offer} />
        <DownloadState download={download} />
        <Group justify="space-between" mt="auto">
          <Text size="sm" c="dimmed">
            {offer.newest ? t('market.newest', { version: plain(offer.newest) }) : t('market.nonewest')}
          </Text>
          {canInstall(offer) ? <InstallButton offer={offer} download={download} /> : null}
        </Group>
      </Stack>
    </Card>
  )
}

/** Whether there is something to install or to update to, and nothing is in its way. */
export function canInstall(offer: Offer): boolean {
  if (offer.installed) return offer.update_available
  return offer.newest != null && offer.compatible.ok && offer.entitled.state !== 'locked' && offer.entitled.state !== 'read_only'
}

export function Standing({ offer }: { offer: Offer }) {
  const [color, text] = standing(offer)
  return (
    <Badge variant="light" color={color} tt="none" className="state">
      {text}
    </Badge>
  )
}

function standing(offer: Offer): [string, string] {
  if (offer.update_available) return ['blue', t('market.standing.update', { version: plain(offer.update_to ?? '') })]
  if (offer.installed) return ['green', t('market.standing.installed', { version: plain(offer.installed) })]
  if (!offer.compatible.ok) return ['gray', t('market.standing.incompatible')]
  if (offer.entitled.state === 'locked' || offer.entitled.state === 'read_only') return ['orange', t('market.standing.locked')]
  return ['gray', t('market.standing.available')]
}

export function Warnings({ offer }: { offer: Offer }) {
  const here = offer.advisories.filter((a) => a.affects_installed)
  const why = offer.entitled.unlocks ?? (offer.compatible.ok ? undefined : offer.compatible.why)
  return (
    <>
      {why && !offer.installed ? <Text size="sm">{plain(why)}</Text> : null}
      {offer.below_lowest_good ? (
        <Text size="sm" fw={600} c="red">
          {t('market.below', { version: plain(offer.lowest_good ?? '') })}
        </Text>
      ) : null}
      {here.map((advisory) => (
        <Text key={advisory.id} size="sm" fw={600} c={SEVERE.includes(advisory.severity) ? 'red' : undefined}>
          {plain(advisory.title)}
        </Text>
      ))}
    </>
  )
}
