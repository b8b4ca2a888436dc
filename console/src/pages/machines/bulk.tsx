/** Acting on many hosts: a sentence says what will happen before it does. */
import { Alert, Button, Group, Modal, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { type Key, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'

export interface Selection {
  ids: string[]
  /** Every host that the filter matches, also those not on the page. */
  all: boolean
}

interface Action {
  command: string
  label: Key
  what: Key
}

const ACTIONS: Action[] = [
  { command: 'core.ping', label: 'machines.ping', what: 'machines.do.ping' },
  { command: 'core.refresh_inventory', label: 'machines.run', what: 'machines.do.refresh' },
]

interface Props {
  selection: Selection
  filter: string
  clear: () => void
}

export function BulkBar({ selection, filter, clear }: Props) {
  const may = useMay()
  const navigate = useNavigate()
  const [asked, setAsked] = useState<Action>()
  const [all, setAll] = useState(false)
  const start = useAct(
    (action: Action) => {
      const targets = all ? { selector: filter || 'state:approved' } : { machines: selection.ids }
      const body: Schema['CreateOperation'] = { command: action.command, title: t(action.label), ...targets }
      return data(client.POST('/api/v1/operations', { body }))
    },
    ['operations'],
    (operation) => {
      tell(t('machines.started'))
      setAsked(undefined)
      clear()
      void navigate({ to: `/operations/${operation.id}` })
    },
  )
  if (selection.ids.length === 0 || !may('operations:create')) return null
  const count = selection.ids.length
  const sentence = asked
    ? all
      ? t('machines.sentence.all', { what: t(asked.what), filter: filter || '*' })
      : t('machines.sentence', { what: t(asked.what), count })
    : ''
  return (
    <Alert color="blue" variant="light" py="xs" mb="sm" role="region" aria-label={t('app.actions')}>
      <Group justify="space-between">
        <Group gap="sm">
          <Text size="sm" fw={600}>
            {all ? t('machines.allselected', { filter: filter || '*' }) : t('machines.selected', { count })}
          </Text>
          <Button size="compact-sm" variant="subtle" onClick={() => setAll(!all)}>
            {all ? t('machines.selected', { count }) : t('machines.all')}
          </Button>
        </Group>
        <Group gap="xs">
          {ACTIONS.map((action) => (
            <Button key={action.command} size="xs" onClick={() => setAsked(action)}>
              {t(action.label)}
            </Button>
          ))}
        </Group>
      </Group>
      <Modal opened={asked !== undefined} onClose={() => setAsked(undefined)} title={asked ? t(asked.label) : ''}>
        <Text mb="md">{sentence}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setAsked(undefined)}>
            {t('app.cancel')}
          </Button>
          <Button loading={start.isPending} onClick={() => asked && start.mutate(asked)} data-autofocus>
            {t('machines.start')}
          </Button>
        </Group>
      </Modal>
    </Alert>
  )
}
