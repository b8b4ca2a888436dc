/** A section of a host's inventory, read when its tab is opened and again when it changes. */
import { Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { client, data, Failure } from '../../../api/client'
import { useLive } from '../../../api/events'
import { ago, t } from '../../../i18n'
import { Empty, Outcome } from '../../../ui/panels'

interface Props<T> {
  machine: string
  name: string
  title?: string
  children: (found: T) => ReactNode
}

/** `T` is what the agent's section holds; members may be absent from an older agent's. */
export function Section<T>({ machine, name, title, children }: Props<T>) {
  useLive(['machine.inventory_changed'], ['section'])
  const section = useQuery({
    queryKey: ['section', machine, name],
    queryFn: () => {
      const at = { params: { path: { id: machine, section: name } } }
      return data(client.GET('/api/v1/machines/{id}/inventory/{section}', at))
    },
  })
  const missing = section.error instanceof Failure && section.error.status === 404
  return (
    <div>
      {title ? (
        <Title order={2} size="h5" mb="xs">
          {title}
        </Title>
      ) : null}
      {missing ? (
        <Empty title={t('section.missing')} hint={t('section.missing.hint')} />
      ) : (
        <Outcome of={section}>
          {(found) => (
            <>
              {children(found.data as T)}
              <Text size="xs" c="dimmed" mt="xs">
                {t('section.at', { when: ago(found.collected_at) })}
              </Text>
            </>
          )}
        </Outcome>
      )}
    </div>
  )
}
