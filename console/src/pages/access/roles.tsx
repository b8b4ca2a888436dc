/** Roles: which permissions, on which hosts. */
import { Accordion, Badge, Button, Code, Group, Modal, MultiSelect, Stack, Text, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data } from '../../api/client'
import { useLive } from '../../api/events'
import { t } from '../../i18n'
import { useMay } from '../../shell/session'
import { useAct } from '../../ui/act'
import { Outcome, PageHead } from '../../ui/panels'
import { plain } from '../../ui/text'
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
      <Outcome of={roles}>
        {(page) => (
          <Accordion variant="separated">
            {page.items.map((role) => (
              <Accordion.Item key={role.id} value={role.id}>
                <Accordion.Control>
                  <Group gap="sm">
                    <Text fw={600}>{plain(role.name)}</Text>
                    {role.built_in ? (
                      <Badge color="gray" variant="light" tt="none">
                        {t('roles.builtin')}
                      </Badge>
                    ) : null}
                    <Text size="sm" c="dimmed">
                      {plain(role.description)}
                    </Text>
                  </Group>
                </Accordion.Control>
                <Accordion.Panel>
                  <Text size="sm" mb="xs">
                    {t('roles.scope')}: {role.scope ? <Code>{plain(role.scope)}</Code> : t('roles.scope.all')}
                  </Text>
                  <Group gap={4}>
                    {role.permissions.map((p) => (
                      <Code key={p}>{plain(p)}</Code>
                    ))}
                  </Group>
                </Accordion.Panel>
              </Accordion.Item>
            ))}
          </Accordion>
        )}
      </Outcome>
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('roles.add')} size="lg">
        <AddRole done={() => setAdding(false)} />
      </Modal>
    </>
  )
}

function AddRole({ done }: { done: () => void }) {
  const permissions = useQuery({ queryKey: ['permissions'], queryFn: () => data(client.GET('/api/v1/permissions')) })
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [scope, setScope] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const add = useAct(
    () => data(client.POST('/api/v1/roles', { body: { name, description, scope, permissions: chosen } })),
    ['roles'],
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
