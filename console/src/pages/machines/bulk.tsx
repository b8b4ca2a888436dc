/** Acting on many hosts: a sentence says what will happen before it does. */
import { Alert, Button, Group, Menu, Modal, TagsInput, Text, TextInput } from '@mantine/core'
import { useState } from 'react'

import { client, data } from '../../api/client'
import { type Key, number, t } from '../../i18n'
import { useBulkActions } from '../../plugin-kit/console'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { type Plan, RunDialog } from '../../ui/run'

export interface Selection {
  ids: string[]
  /** Every host that the filter matches, also those not on the page. */
  all: boolean
}

type Targets = { selector: string } | { machines: string[] }

interface Action {
  id: string
  label: Key
  what: Key
  permission: string
  path: string
  parameters?: Record<string, unknown>
  command?: string
  /** What has to be named: packages or services. */
  asks?: 'packages' | 'services'
  grave?: boolean
}

const UPGRADE = { packages: [], security_only: false }
const MENUS: { label: Key; actions: Action[] }[] = [
  {
    label: 'bulk.packages',
    actions: [
      { id: 'security', label: 'updates.securityonly', what: 'bulk.do.security', permission: 'packages:manage', path: 'packages/upgrade', parameters: { ...UPGRADE, security_only: true } },
      { id: 'upgrade', label: 'updates.all', what: 'bulk.do.upgrade', permission: 'packages:manage', path: 'packages/upgrade', parameters: UPGRADE },
      { id: 'install', label: 'bulk.install', what: 'bulk.do.install', permission: 'packages:manage', path: 'packages/install', asks: 'packages' },
      { id: 'remove', label: 'bulk.remove', what: 'bulk.do.remove', permission: 'packages:manage', path: 'packages/remove', asks: 'packages', grave: true },
      { id: 'lists', label: 'bulk.lists', what: 'bulk.do.lists', permission: 'packages:manage', path: 'packages/refresh', parameters: {} },
    ],
  },
  {
    label: 'bulk.services',
    actions: ['start', 'stop', 'restart', 'reload', 'enable', 'disable'].map((verb) => ({
      id: verb,
      label: `service.${verb}` as Key,
      what: `bulk.do.${verb}` as Key,
      permission: 'services:manage',
      path: `services/${verb}`,
      asks: 'services' as const,
      grave: verb === 'stop' || verb === 'disable',
    })),
  },
]
const REBOOT: Action = { id: 'reboot', label: 'machines.reboot', what: 'bulk.do.reboot', permission: 'machines:power', path: 'power/reboot', parameters: {}, grave: true }
const REFRESH: Action = { id: 'refresh', label: 'machines.run', what: 'machines.do.refresh', permission: 'operations:create', path: '', command: 'core.refresh_inventory' }
const PING: Action = { id: 'ping', label: 'machines.ping', what: 'machines.do.ping', permission: 'operations:create', path: '', command: 'core.ping' }

/** Ids that one selector may name. */
const IDS = 40

interface Props {
  selection: Selection
  /** How many the filter matches. */
  total: number | undefined
  filter: string
  change: (selection: Selection) => void
}

export function BulkBar({ selection, total, filter, change }: Props) {
  const may = useMay()
  const engines = useBulkActions(may)
  const [asked, setAsked] = useState<Action>()
  const [names, setNames] = useState('')
  const [tagging, setTagging] = useState(false)
  const [engine, setEngine] = useState<string>()
  if (selection.ids.length === 0) return null
  const clear = () => change({ ids: [], all: false })
  const count = selection.all ? (total ?? 0) : selection.ids.length
  const selector = filter || 'all'
  const targets: Targets = selection.all ? { selector } : { machines: selection.ids }
  const words = names.split(/[\s,]+/).filter(Boolean)
  const allowed = (action: Action) => may(action.permission)
  function ask(action: Action) {
    setNames('')
    setAsked(action)
  }
  const brought = engines.find((e) => e.key === engine)
  const exact = selection.all ? selector : `id:${selection.ids.join(',')}`
  return (
    <Alert color="blue" variant="light" py="xs" mb="sm" role="region" aria-label={t('app.actions')}>
      <Group justify="space-between">
        <Group gap="sm">
          <Text size="sm" fw={600}>
            {selection.all ? t('machines.allselected', { filter: selector, count: number(count) }) : t('machines.selected', { count: number(count) })}
          </Text>
          <Button size="compact-sm" variant="subtle" onClick={() => change({ ...selection, all: !selection.all })}>
            {selection.all ? t('machines.selected', { count: selection.ids.length }) : t('machines.all', { count: number(total ?? 0) })}
          </Button>
          <Button size="compact-sm" variant="subtle" color="gray" onClick={clear}>
            {t('machines.clear')}
          </Button>
        </Group>
        <Group gap="xs">
          {MENUS.filter((m) => m.actions.some(allowed)).map((m) => (
            <Menu key={m.label} position="bottom-end">
              <Menu.Target>
                <Button size="xs" variant="default">
                  {t(m.label)}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {m.actions.filter(allowed).map((action) => (
                  <Menu.Item key={action.id} onClick={() => ask(action)}>
                    {t(action.label)}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          ))}
          {may('machines:update') ? (
            <Button size="xs" variant="default" onClick={() => setTagging(true)}>
              {t('machine.tags')}
            </Button>
          ) : null}
          {[REBOOT, PING, REFRESH].filter(allowed).map((action) => (
            <Button key={action.id} size="xs" variant={action === REFRESH ? 'filled' : 'default'} onClick={() => ask(action)}>
              {t(action.label)}
            </Button>
          ))}
          {engines.map((e) => (
            <Button
              key={e.key}
              size="xs"
              variant="default"
              disabled={!selection.all && selection.ids.length > IDS}
              title={!selection.all && selection.ids.length > IDS ? t('bulk.toomany', { most: IDS }) : undefined}
              onClick={() => setEngine(e.key)}
            >
              {e.label}
            </Button>
          ))}
        </Group>
      </Group>
      <RunDialog
        plan={asked ? plan(asked, targets, words, { count, filter: selection.all ? selector : undefined }) : undefined}
        close={() => setAsked(undefined)}
        done={clear}
        ready={!asked?.asks || words.length > 0}
      >
        {asked?.asks ? (
          <TextInput
            label={t(asked.asks === 'packages' ? 'bulk.names.packages' : 'bulk.names.services')}
            value={names}
            onChange={(e) => setNames(e.currentTarget.value)}
            spellCheck={false}
            data-autofocus
          />
        ) : null}
      </RunDialog>
      <Tagging opened={tagging} close={() => setTagging(false)} ids={selection.all ? undefined : selection.ids} selector={selector} count={count} />
      <Modal opened={brought !== undefined} onClose={() => setEngine(undefined)} title={brought?.label} size="lg">
        {brought?.render({ selector: exact, count, onClose: () => setEngine(undefined) })}
      </Modal>
    </Alert>
  )
}

function plan(action: Action, targets: Targets, words: string[], where: { count: number; filter?: string }): Plan {
  const what = t(action.what, { names: words.join(', ') || '…' })
  const sentence = where.filter
    ? t('machines.sentence.all', { what, filter: where.filter, count: number(where.count) })
    : t('machines.sentence', { what, count: number(where.count) })
  const title = words.length > 0 ? `${t(action.label)}: ${words.join(', ')}` : t(action.label)
  if (action.command) return { title, sentence, path: '', body: { command: action.command, ...targets }, grave: action.grave }
  const parameters = action.asks ? { [action.asks]: words } : action.parameters
  return { title, sentence, path: action.path, body: { ...targets, parameters }, grave: action.grave }
}

interface TaggingProps {
  opened: boolean
  close: () => void
  /** The hosts themselves; those of the selector when absent. */
  ids: string[] | undefined
  selector: string
  count: number
}

function Tagging({ opened, close, ids, selector, count }: TaggingProps) {
  const [add, setAdd] = useState<string[]>([])
  const [remove, setRemove] = useState<string[]>([])
  const save = useAct(
    async () => {
      const lots = ids ? chunks(ids, IDS).map((lot) => `id:${lot.join(',')}`) : [selector]
      let changed = 0
      for (const lot of lots) {
        changed += (await data(client.POST('/api/v1/machines/-/tags', { body: { selector: lot, add, remove } }))).machines
      }
      return changed
    },
    ['machines', 'facets'],
    (changed) => {
      tell(t('bulk.tagged', { count: number(changed) }))
      setAdd([])
      setRemove([])
      close()
    },
  )
  return (
    <Modal opened={opened} onClose={close} title={t('machine.tags')}>
      <TagsInput label={t('bulk.addtags')} value={add} onChange={setAdd} mb="sm" data-autofocus />
      <TagsInput label={t('bulk.removetags')} value={remove} onChange={setRemove} mb="md" />
      <Text size="sm" mb="md">
        {t('bulk.tags.sentence', { add: add.join(', ') || t('app.none'), remove: remove.join(', ') || t('app.none'), count: number(count) })}
      </Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {t('app.cancel')}
        </Button>
        <Button loading={save.isPending} disabled={add.length + remove.length === 0} onClick={() => save.mutate(undefined)}>
          {t('app.save')}
        </Button>
      </Group>
    </Modal>
  )
}

function chunks<T>(list: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}
