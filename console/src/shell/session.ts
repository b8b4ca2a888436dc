/** Who one is, and what one may do. */
import { queryOptions, useQuery } from '@tanstack/react-query'

import { client, data, Failure } from '../api/client'

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: () => data(client.GET('/api/v1/me')),
  staleTime: 60_000,
  retry: (count, error) => !(error instanceof Failure) && count < 3,
})

/** Whether the signed-in user holds `permission`. */
export function useMay(): (permission: string) => boolean {
  const me = useQuery(meQuery)
  const held = new Set(me.data?.permissions)
  return (permission) => held.has(permission)
}
