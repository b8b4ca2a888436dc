/** What the host does by itself: which versions it looks at, whether and when it installs them, and what the portal is told. */
import { Button, Chip, Group, SegmentedControl, Select, Stack, Switch, Text, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'

import { client, data, type Schema } from '../../api/client'
import { date, t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { Panel } from '../../ui/panels'
import { plain } from '../../ui/text'
import type { Status } from './queries'

type Rules = Schema['MarketplacePolicy']
type Window = Schema['MaintenanceWindow']
const CHANNELS = ['stable', 'beta', 'lts'] as const
const MODES = ['off', 'notify', 'install'] as const
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const NIGHT: Window = { days: ['sat', 'sun'], from: '02:00', to: '04:00' }

export function Policy({ status }: { status: Status }) {
  const mayChange = useMay()('engines:manage')
  const [changed, setChanged] = useState<Partial<Rules>>({})
  const rules = { ...status.policy, ...changed }
  const save = useAct(
    () => data(client.PUT('/api/v1/marketplace/policy', { body: rules })),
    ['marketplace', 'offers', 'offer'],
    () => {
      setChanged({})
      tell(t('app.saved'))
    },
  )
  const change = (part: Partial<Rules>) => setChanged((before) => ({ ...before, ...part }))
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <Panel large title={t('market.policy')}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Select
            label={t('market.channel')}
            data={CHANNELS.map((value) => ({ value, label: t(`market.channel.${value}`) }))}
            value={rules.channel ?? 'stable'}
            onChange={(channel) => change({ channel: (channel ?? 'stable') as Rules['channel'] })}
            allowDeselect={false}
            disabled={!mayChange}
          />
          <Stack gap={4}>
            <Text size="sm" fw={500}>
              {t('market.mode')}
            </Text>
            <SegmentedControl
              aria-label={t('market.mode')}
              data={MODES.map((value) => ({ value, label: t(`market.mode.${value}`) }))}
              value={rules.mode ?? 'off'}
              onChange={(mode) => change({ mode: mode as Rules['mode'] })}
              disabled={!mayChange}
            />
          </Stack>
          {rules.mode === 'install' ? <WindowFields value={rules.window ?? undefined} change={(window) => change({ window })} disabled={!mayChange} /> : null}
          <Switch
            label={t('market.contact')}
            description={t('market.contact.hint')}
            checked={rules.contact ?? false}
            onChange={(e) => change({ contact: e.currentTarget.checked })}
            disabled={!mayChange}
          />
          <Told status={status} />
          <Group>
            <Button type="submit" disabled={!mayChange || Object.keys(changed).length === 0} loading={save.isPending}>
              {t('app.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  )
}

interface WindowProps {
  value: Window | undefined
  change: (window: Window | null) => void
  disabled: boolean
}

function WindowFields({ value, change, disabled }: WindowProps) {
  const set = (part: Partial<Window>) => change({ ...(value ?? NIGHT), ...part })
  return (
    <Stack gap="xs">
      <Switch label={t('market.window')} checked={value !== undefined} onChange={(e) => change(e.currentTarget.checked ? NIGHT : null)} disabled={disabled} />
      {value ? (
        <>
          <Chip.Group multiple value={value.days} onChange={(days) => set({ days: DAYS.filter((d) => days.includes(d)) })}>
            <Group gap={6} role="group" aria-label={t('market.window.days')}>
              {DAYS.map((d) => (
                <Chip key={d} value={d} size="xs" disabled={disabled}>
                  {t(`market.day.${d}`)}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
          <Group grow>
            <TextInput type="time" label={t('market.window.from')} value={value.from} onChange={(e) => set({ from: e.currentTarget.value })} disabled={disabled} />
            <TextInput type="time" label={t('market.window.to')} value={value.to} onChange={(e) => set({ to: e.currentTarget.value })} disabled={disabled} />
          </Group>
        </>
      ) : null}
    </Stack>
  )
}

/** What follows from the policy. */
function Told({ status }: { status: Status }) {
  const lines = [
    status.policy.mode === 'install' && status.next_window ? t('market.nextwindow', { from: date(status.next_window.from), to: date(status.next_window.to) }) : undefined,
    status.contact.last_at ? t('market.lastcontact', { at: date(status.contact.last_at) }) : undefined,
    status.contact.problem ? t('market.contactfailed', { why: plain(status.contact.problem.detail) }) : undefined,
    status.offline ? t('market.offline', { days: status.offline.days, at: date(status.offline.until) }) : undefined,
  ]
  return lines
    .filter((line) => line !== undefined)
    .map((line) => (
      <Text key={line} size="sm" c="dimmed">
        {line}
      </Text>
    ))
}
