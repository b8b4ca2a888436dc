/** What happens to hosts that do not report: told of, removed, or kept. */
import { Button, Group, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data, type Schema } from '../api/client'
import { t } from '../i18n'
import { useMay } from '../shell/session'
import { tell, useAct } from '../ui/act'
import { Outcome, Panel } from '../ui/panels'

type Policy = Schema['StalePolicy']

const KEY = ['stale-policy']
const PATH = '/api/v1/machines/-/stale-policy'
const DAYS = ['notify_after_days', 'remove_after_days', 'forget_requests_after_days'] as const

export function StaleHosts() {
  const policy = useQuery({ queryKey: KEY, queryFn: () => data(client.GET(PATH)) })
  return (
    <Panel large title={t('stale.title')}>
      <Outcome of={policy}>{(found) => <Form found={found} />}</Outcome>
    </Panel>
  )
}

function Form({ found }: { found: Policy }) {
  const mayChange = useMay()('settings:manage')
  const [changed, setChanged] = useState<Partial<Policy>>({})
  const save = useAct(
    () => data(client.PUT(PATH, { body: { ...found, ...changed } })),
    KEY,
    () => {
      setChanged({})
      tell(t('app.saved'))
    },
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(undefined)
  }
  const change = (part: Partial<Policy>) => setChanged((before) => ({ ...before, ...part }))
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text size="sm">{t('stale.hint')}</Text>
        <SimpleGrid cols={{ base: 1, sm: 3 }} className="on-one-line">
          {DAYS.map((name) => (
            <NumberInput
              key={name}
              label={t(`stale.${name}`)}
              value={changed[name] ?? found[name]}
              onChange={(days) => change({ [name]: Number(days) })}
              min={0}
              max={3650}
              allowDecimal={false}
              disabled={!mayChange}
            />
          ))}
        </SimpleGrid>
        <TextInput
          label={t('stale.keep')}
          placeholder="tag:seasonal"
          value={changed.keep ?? found.keep}
          onChange={(e) => change({ keep: e.currentTarget.value })}
          disabled={!mayChange}
        />
        <Group>
          <Button type="submit" disabled={!mayChange || Object.keys(changed).length === 0} loading={save.isPending}>
            {t('app.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
