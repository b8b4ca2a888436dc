/** What the marketplace's pages read. */
import { useQuery } from '@tanstack/react-query'

import { client, data, type Schema } from '../../api/client'
import { useLive } from '../../api/events'

export type Offer = Schema['MarketEngine']
export type Status = Schema['MarketplaceStatus']
export type Download = Schema['MarketDownload']

export const KEYS = ['marketplace', 'offers', 'offer', 'downloads']

export const statusQuery = {
  queryKey: ['marketplace'],
  queryFn: () => data(client.GET('/api/v1/marketplace')),
}

export const offersQuery = {
  queryKey: ['offers'],
  queryFn: () => data(client.GET('/api/v1/marketplace/engines')),
}

export const offerQuery = (id: string) => ({
  queryKey: ['offer', id],
  queryFn: () => data(client.GET('/api/v1/marketplace/engines/{id}', { params: { path: { id } } })),
})

export const downloadsQuery = {
  queryKey: ['downloads'],
  queryFn: () => data(client.GET('/api/v1/marketplace/downloads')),
}

/** Read again what changes while somebody looks. */
export function useMarketLive(): void {
  useLive(['marketplace.refreshed', 'engine.', 'license.'], ['marketplace', 'offers', 'offer', 'engines'])
  useLive(['marketplace.progress'], ['downloads'])
}

export function isUnderWay(download: Download): boolean {
  return download.state !== 'done' && download.state !== 'failed'
}

/** The newest download of each engine. */
export function useDownloads(): Map<string, Download> {
  const { data: found } = useQuery(downloadsQuery)
  const newest = new Map<string, Download>()
  for (const download of found?.items ?? []) {
    if (!newest.has(download.engine)) newest.set(download.engine, download)
  }
  return newest
}
