/** Starting an operation: a sentence says what will happen, then the operation's own page shows it happen. */
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { call, type Schema } from '../api/client'
import { t } from '../i18n'
import { tell, useAct } from './act'

export interface Plan {
  title: string
  /** What will happen, where; for people. */
  sentence: string
  /** Below `/api/v1/operations/`; the plain list when empty. */
  path: string
  body: Record<string, unknown>
  /** What cannot be undone is red. */
  grave?: boolean
}

interface Props {
  plan: Plan | undefined
  close: () => void
  done?: () => void
  /** More to fill in; `ready` tells whether enough is. */
  children?: ReactNode
  ready?: boolean
}

export function RunDialog({ plan, close, done, children, ready = true }: Props) {
  const navigate = useNavigate()
  const start = useAct(
    (what: Plan) => call<Schema['Operation']>('POST', `/api/v1/operations${what.path ? `/${what.path}` : ''}`, { title: what.title, ...what.body }),
    ['operations'],
    (operation) => {
      tell(t('machines.started'))
      close()
      done?.()
      void navigate({ to: `/operations/${operation.id}` })
    },
  )
  return (
    <Modal opened={plan !== undefined} onClose={close} title={plan?.title ?? ''}>
      <Stack>
        {children}
        <Alert color={plan?.grave ? 'red' : 'blue'} variant="light">
          <Text size="sm">{plan?.sentence}</Text>
        </Alert>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('app.cancel')}
          </Button>
          <Button
            color={plan?.grave ? 'red' : undefined}
            loading={start.isPending}
            disabled={!ready}
            onClick={() => plan && start.mutate(plan)}
            data-autofocus
          >
            {t('machines.start')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
