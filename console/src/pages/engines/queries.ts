/** What the engines' pages read. */
import { client, data } from '../../api/client'

export const enginesQuery = {
  queryKey: ['engines'],
  queryFn: () => data(client.GET('/api/v1/engines')),
}

export const engineQuery = (id: string) => ({
  queryKey: ['engine', id],
  queryFn: () => data(client.GET('/api/v1/engines/{id}', { params: { path: { id } } })),
})
