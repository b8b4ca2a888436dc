/** Adding a host: a token, the line to run there, and the wait until it has enrolled. */
import { Alert, Button, Checkbox, Group, Loader, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { call, client, data, type Schema } from '../../api/client'
import { useEvents } from '../../api/events'
import { t } from '../../i18n'
import { useAct } from '../../ui/act'
import { CopyLine } from '../../ui/copy'
import { plain } from '../../ui/text'

type Made = Schema['NewEnrolmentToken']

export function AddHost({ opened, close }: { opened: boolean; close: () => void }) {
  const [made, setMade] = useState<Made>()
  function leave() {
    close()
    setMade(undefined)
  }
  return (
    <Modal opened={opened} onClose={leave} title={t('add.title')} size="lg">
      {made ? <Line made={made} /> : <TokenForm done={setMade} />}
    </Modal>
  )
}

function TokenForm({ done }: { done: (made: Made) => void }) {
  const [name, setName] = useState('')
  const [hours, setHours] = useState<string | number>(24)
  const [uses, setUses] = useState<string | number>(1)
  const [auto, setAuto] = useState(false)
  const [tags, setTags] = useState('')
  const make = useAct(
    () =>
      call<Made>('POST', '/api/v1/enrolment-tokens', {
        name,
        expires_in_s: Number(hours) * 3600,
        max_uses: Number(uses),
        auto_approve: auto,
        tags: tags.split(',').map((tag) => tag.trim()).filter(Boolean),
      }),
    ['enrolment-tokens'],
    done,
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    make.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={t('add.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required data-autofocus />
        <Group grow>
          <NumberInput label={t('add.hours')} value={hours} onChange={setHours} min={1} max={720} required />
          <NumberInput label={t('add.uses')} value={uses} onChange={setUses} min={1} max={10_000} required />
        </Group>
        <TextInput label={t('add.tags')} value={tags} onChange={(e) => setTags(e.currentTarget.value)} />
        <Checkbox
          label={t('add.auto')}
          description={t('add.auto.hint')}
          checked={auto}
          onChange={(e) => setAuto(e.currentTarget.checked)}
        />
        <Button type="submit" loading={make.isPending}>
          {t('add.make')}
        </Button>
      </Stack>
    </form>
  )
}

function Line({ made }: { made: Made }) {
  const [arrived, setArrived] = useState<string>()
  useEvents(['machine.enrolled'], (event) => {
    if (event.machine_id) setArrived(event.machine_id)
  })
  const machine = useQuery({
    queryKey: ['machine', arrived],
    queryFn: () => data(client.GET('/api/v1/machines/{id}', { params: { path: { id: arrived ?? '' } } })),
    enabled: arrived !== undefined,
  })
  return (
    <Stack>
      <Text size="sm">{t('add.run')}</Text>
      <CopyLine text={made.install_command} label={t('add.run')} />
      <Text size="xs" c="dimmed">
        {t('add.once')}
      </Text>
      {machine.data ? (
        <Alert color="green" icon={<IconCheck aria-hidden />} role="status">
          {t('add.arrived', { name: plain(machine.data.name) })}
        </Alert>
      ) : (
        <Group gap="sm" role="status">
          <Loader size="sm" aria-hidden />
          <Text size="sm">{t('add.waiting')}</Text>
        </Group>
      )}
    </Stack>
  )
}
