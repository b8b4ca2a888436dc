/** What the overview and the counts of the menu read. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

import { client, data, type Schema } from '../../api/client'
import { useEvents } from '../../api/events'
import { useMay } from '../../shell/session'

export type Overview = Schema['Overview']

/** Changes are shown within this time; a busy fleet changes all the time, and counting it is not free. */
const PATIENCE_MS = 3_000
const TOPICS = ['machine.enrolled', 'machine.updated', 'machine.deleted', 'machine.online', 'machine.offline', 'machine.inventory_changed', 'machine.replaced', 'operation.created', 'operation.finished', 'operation.cancelled', 'engine.']

export function useOverview() {
  const may = useMay()
  return useQuery({
    queryKey: ['overview'],
    queryFn: () => data(client.GET('/api/v1/overview')),
    enabled: may('machines:read'),
    staleTime: PATIENCE_MS,
    refetchInterval: 60_000,
  })
}

/** Count again after something happened; once for however much happens in a moment. For what is always on the page. */
export function useOverviewLive(): void {
  const queries = useQueryClient()
  const due = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEvents(TOPICS, () => {
    due.current ??= setTimeout(() => {
      due.current = undefined
      void queries.invalidateQueries({ queryKey: ['overview'] })
    }, PATIENCE_MS)
  })
  useEffect(() => () => clearTimeout(due.current), [])
}

export const trendQuery = (days: number) => ({
  queryKey: ['trend', days],
  queryFn: () => data(client.GET('/api/v1/overview/trend', { params: { query: { days } } })),
  refetchInterval: 300_000,
})

/** Of a facet, how many machines have this value. */
export function machinesWith(facets: Schema['Facet'][] | undefined, value: string): number {
  return facets?.find((f) => f.value === value)?.machines ?? 0
}
