/** Roles: which permissions, on which hosts. */
import { Button, Modal, MultiSelect, Stack, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data } from '../../api/client'
import { useLive } from '../../api/events'
import { t } from '../../i18n'
import { useMay } from '../../shell/session'
import { useAct } from '../../ui/act'
import { Outcome, PageHead } from '../../ui/panels'
import { Explain } from './explain'
import { Matrix, permissionsQuery } from './matrix'
import { rolesQuery } from './users'

export function Roles() {
  const may = useMay()
  const [adding, setAdding] = useState(false)
  useLive(['role.'], ['roles'])
  const roles = useQuery(rolesQuery)
  return (
    <>
      <PageHead title={t('roles.title')}>
        {may('roles:manage') ? (
          <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            {t('roles.add')}
          </Button>
        ) : null}
      </PageHead>
      <Outcome of={roles}>{(page) => <Matrix roles={page.items} />}</Outcome>
      <Explain />
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('roles.add')} size="lg">
        <AddRole done={() => setAdding(false)} />
      </Modal>
    </>
  )
}

function AddRole({ done }: { done: () => void }) {
  const permissions = useQuery(permissionsQuery)
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [scope, setScope] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const add = useAct(
    () => data(client.POST('/api/v1/roles', { body: { name, description, scope, permissions: chosen } })),
    ['roles', 'permissions'],
    done,
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    add.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={t('users.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required data-autofocus />
        <TextInput label={t('roles.description')} value={description} onChange={(e) => setDescription(e.currentTarget.value)} />
        <TextInput label={t('roles.scope')} placeholder={t('machines.filter.example')} value={scope} onChange={(e) => setScope(e.currentTarget.value)} />
        <MultiSelect
          label={t('roles.permissions')}
          data={permissions.data?.map((p) => ({ value: p.name, label: `${p.name}: ${p.description}` })) ?? []}
          value={chosen}
          onChange={setChosen}
          searchable
          required
        />
        <Button type="submit" loading={add.isPending}>
          {t('roles.add')}
        </Button>
      </Stack>
    </form>
  )
}
