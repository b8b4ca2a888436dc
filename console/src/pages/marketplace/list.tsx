/** The marketplace: what the portal offers, what is new, and what the host does about it by itself. */
import { Alert, Button, Code, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'

import { client, data } from '../../api/client'
import { ago, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { useAct } from '../../ui/act'
import { Empty, Outcome, PageHead } from '../../ui/panels'
import { SearchInput, useAddress } from '../../ui/search'
import { plain } from '../../ui/text'
import { Bundle } from './bundle'
import { Downloads } from './downloads'
import { OfferCard } from './offer-card'
import { Policy } from './policy'
import { KEYS, type Offer, offersQuery, type Status, statusQuery, useDownloads, useMarketLive } from './queries'

export function Marketplace() {
  useMarketLive()
  const status = useQuery(statusQuery)
  return (
    <>
      <PageHead title={t('market.title')}>{status.data?.configured ? <Refresh /> : null}</PageHead>
      <Outcome of={status}>
        {(found) => (
          <Stack>
            <Seen status={found} />
            {found.configured || found.checked_at ? <Offers /> : <NotConfigured />}
            <Downloads />
            <SimpleGrid cols={{ base: 1, lg: 2 }}>
              <Policy status={found} />
              <Bundle />
            </SimpleGrid>
          </Stack>
        )}
      </Outcome>
    </>
  )
}

function Refresh() {
  const may = useMay()
  const refresh = useAct(() => data(client.POST('/api/v1/marketplace/-/refresh')), KEYS)
  if (!may('engines:read')) return null
  return (
    <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={refresh.isPending} onClick={() => refresh.mutate(undefined)}>
      {t('market.refresh')}
    </Button>
  )
}

/** When the catalogue was seen, and what stands in the way of seeing it. */
function Seen({ status }: { status: Status }) {
  const { problem } = status
  return (
    <>
      {status.url ? (
        <Text size="sm" c="dimmed">
          {t('market.from', { url: plain(status.url) })} · {status.checked_at ? t('market.checked', { ago: ago(status.checked_at) }) : t('market.unchecked')}
        </Text>
      ) : null}
      {problem ? (
        <Alert color="orange" variant="light" title={t('market.problem')}>
          <Text size="sm">{plain(problem.detail)}</Text>
          <Text size="xs" c="dimmed">
            {ago(problem.at)} · <Code>{problem.reason ?? problem.code}</Code>
          </Text>
        </Alert>
      ) : null}
      {status.broken.map((one) => (
        <Alert key={one.role} color="orange" variant="light" title={t('market.broken', { publisher: plain(one.role) })}>
          <Text size="sm">{plain(one.reason)}</Text>
        </Alert>
      ))}
    </>
  )
}

function NotConfigured() {
  return (
    <Empty title={t('market.unconfigured')} hint={t('market.unconfigured.hint')}>
      <Code block>{'[marketplace]\nurl = "https://portal.example.com"'}</Code>
    </Empty>
  )
}

/** What needs somebody first: updates, then what may be installed. */
function rank(offer: Offer): number {
  if (offer.below_lowest_good) return 0
  if (offer.update_available) return 1
  return offer.installed ? 3 : 2
}

function Offers() {
  const [{ search = '' }, change] = useAddress<{ search?: string }>()
  const offers = useQuery(offersQuery)
  const downloads = useDownloads()
  const wanted = search.toLowerCase()
  const fits = (o: Offer) => [o.id, o.name, o.description, o.publisher].some((text) => text.toLowerCase().includes(wanted))
  return (
    <Outcome of={offers}>
      {(list) => {
        const shown = list.items.filter(fits).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
        return (
          <Stack>
            {list.items.length > 0 ? (
              <Group>
                <SearchInput className="grow" label={t('market.search')} value={search} onChange={(text) => change({ search: text })} />
              </Group>
            ) : null}
            {shown.length === 0 ? <Empty title={t(list.items.length === 0 ? 'market.empty' : 'market.nomatch')} /> : null}
            <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
              {shown.map((offer) => (
                <OfferCard key={offer.id} offer={offer} download={downloads.get(offer.id)} />
              ))}
            </SimpleGrid>
          </Stack>
        )
      }}
    </Outcome>
  )
}
