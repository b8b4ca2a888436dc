/** The host's notifications, and the state of the line to it. */
import { ActionIcon, Alert, Button, Drawer, Group, Indicator, Stack, Text } from '@mantine/core'
import { IconBell, IconPlugConnectedX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { client, data } from '../api/client'
import { useConnection, useLive } from '../api/events'
import { ago, t } from '../i18n'
import { useAct } from '../ui/act'
import { Empty, Outcome } from '../ui/panels'
import { plain } from '../ui/text'
import { useMay } from './session'

const COLOURS: Record<string, string> = { error: 'red', warning: 'orange', info: 'blue' }

export function Notices() {
  const [open, setOpen] = useState(false)
  const may = useMay()
  useLive(['notification.'], ['notifications'])
  const list = useQuery({
    queryKey: ['notifications'],
    queryFn: () => data(client.GET('/api/v1/notifications', { params: { query: { limit: 50 } } })),
    enabled: may('notifications:read'),
  })
  const unread = list.data?.items.filter((n) => !n.read) ?? []
  const read = useAct(
    () => data(client.POST('/api/v1/notifications/-/read', { body: { ids: unread.map((n) => n.id) } })),
    ['notifications'],
  )
  if (!may('notifications:read')) return null
  const label = `${t('notifications.title')}: ${unread.length}`
  return (
    <>
      <Indicator disabled={unread.length === 0} color="red" size={9} offset={5}>
        <ActionIcon variant="subtle" color="gray" size="lg" onClick={() => setOpen(true)} aria-label={label}>
          <IconBell size={20} aria-hidden />
        </ActionIcon>
      </Indicator>
      <Drawer opened={open} onClose={() => setOpen(false)} position="right" title={t('notifications.title')}>
        <Outcome of={list}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={t('notifications.empty')} />
            ) : (
              <Stack gap="sm">
                {unread.length > 0 ? (
                  <Group justify="flex-end">
                    <Button size="xs" variant="default" loading={read.isPending} onClick={() => read.mutate(undefined)}>
                      {t('notifications.read')}
                    </Button>
                  </Group>
                ) : null}
                {page.items.map((n) => (
                  <Alert key={n.id} color={COLOURS[n.level] ?? 'gray'} title={plain(n.title)} variant={n.read ? 'outline' : 'light'}>
                    <Text size="sm">{plain(n.body)}</Text>
                    <Text size="xs" c="dimmed">
                      {ago(n.at)}
                    </Text>
                  </Alert>
                ))}
              </Stack>
            )
          }
        </Outcome>
      </Drawer>
    </>
  )
}

export function LineState() {
  if (useConnection() !== 'lost') return null
  return (
    <Alert color="orange" icon={<IconPlugConnectedX aria-hidden />} role="status" mb="md" py="xs">
      {t('app.lost')}
    </Alert>
  )
}
