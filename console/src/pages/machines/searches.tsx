/** Saved searches: one's own and those that others share. */
import { ActionIcon, Badge, Button, Checkbox, Group, Menu, Modal, Stack, TextInput } from '@mantine/core'
import { IconBookmark, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

import { client, data } from '../../api/client'
import { t } from '../../i18n'
import { useMay } from '../../shell/session'
import { tell, useAct } from '../../ui/act'
import { plain } from '../../ui/text'

export const searchesQuery = {
  queryKey: ['searches'],
  queryFn: () => data(client.GET('/api/v1/searches', { params: { query: { limit: 200 } } })),
}

export function SavedSearches({ current, choose }: { current: string; choose: (selector: string) => void }) {
  const may = useMay()
  const [saving, setSaving] = useState(false)
  const [open, setOpen] = useState(false)
  const searches = useQuery({ ...searchesQuery, enabled: open && may('searches:read') })
  if (!may('searches:read')) return null
  const items = searches.data?.items ?? []
  return (
    <>
      <Menu position="bottom-end" width={320} opened={open} onChange={setOpen}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={16} aria-hidden />}>
            {t('searches.title')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={360} className="scrolls">
          {items.map((s) => (
            <Menu.Item
              key={s.id}
              disabled={!s.usable}
              title={plain(s.selector)}
              onClick={() => choose(s.selector)}
              rightSection={
                s.shared ? (
                  <Badge size="xs" variant="light" color="gray" tt="none">
                    {t('searches.shared')}
                  </Badge>
                ) : null
              }
            >
              {plain(s.name)}
            </Menu.Item>
          ))}
          {items.length === 0 ? <Menu.Label>{t('searches.empty')}</Menu.Label> : null}
          {may('searches:write') ? (
            <>
              <Menu.Divider />
              <Menu.Item disabled={current === ''} onClick={() => setSaving(true)}>
                {t('searches.save')}
              </Menu.Item>
            </>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={saving} onClose={() => setSaving(false)} title={t('searches.save')}>
        <SaveForm selector={current} done={() => setSaving(false)} />
      </Modal>
    </>
  )
}

function SaveForm({ selector, done }: { selector: string; done: () => void }) {
  const may = useMay()
  const [name, setName] = useState('')
  const [shared, setShared] = useState(false)
  const save = useAct(
    () => data(client.POST('/api/v1/searches', { body: { name, selector, shared } })),
    ['searches'],
    () => {
      tell(t('searches.saved', { name }))
      done()
    },
  )
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(undefined)
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label={t('users.name')} description={t('searches.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required data-autofocus />
        <TextInput label={t('machines.filter')} value={selector} readOnly />
        {may('searches:share') ? (
          <Checkbox label={t('searches.share')} checked={shared} onChange={(e) => setShared(e.currentTarget.checked)} />
        ) : null}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            {t('app.save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

export function DeleteSearch({ id, name }: { id: string; name: string }) {
  const remove = useAct(() => client.DELETE('/api/v1/searches/{id}', { params: { path: { id } } }), ['searches'])
  return (
    <ActionIcon variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined)} aria-label={`${t('app.delete')}: ${plain(name)}`}>
      <IconTrash size={16} aria-hidden />
    </ActionIcon>
  )
}
