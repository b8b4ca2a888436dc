/** Ctrl-K: pages, hosts by name, and what engines find. */
import { Group, Kbd, Modal, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useDebouncedValue, useHotkeys } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'

import { client, data } from '../api/client'
import { t, useLanguage } from '../i18n'
import { searchEngines } from '../plugin-kit/console'
import { useEngines } from '../plugin-kit/registry'
import { plain } from '../ui/text'
import { usePages } from './navigation'
import { useMay } from './session'

interface Entry {
  key: string
  label: string
  note: string
  to: string
}

function useEntries(text: string): Entry[] {
  const [typed] = useDebouncedValue(text.trim(), 120)
  const may = useMay()
  const name = typed.replaceAll(/["\\*?]/g, '')
  const machines = useQuery({
    queryKey: ['palette', name],
    queryFn: () => data(client.GET('/api/v1/machines', { params: { query: { q: `name:"*${name}*"`, limit: 8 } } })),
    enabled: name.length > 1 && may('machines:read'),
  })
  const { engines } = useEngines()
  const language = useLanguage()
  const hits = useQuery({
    queryKey: ['palette-engines', typed, language],
    queryFn: ({ signal }) => searchEngines(engines, typed, signal),
    enabled: typed.length > 1 && engines.some((e) => (e.registration?.searchProviders ?? []).length > 0),
  })
  const wanted = text.trim().toLowerCase()
  const pages = usePages().filter((p) => t(p.title).toLowerCase().includes(wanted))
  return [
    ...pages.map((p) => ({ key: p.path, label: t(p.title), note: t(p.group), to: p.path })),
    ...(machines.data?.items ?? []).map((m) => ({
      key: m.id,
      label: plain(m.name),
      note: plain(m.os_name),
      to: `/machines/${m.id}`,
    })),
    ...(hits.data ?? []).map((h) => ({ key: h.key, label: plain(h.label), note: plain(h.group), to: h.href })),
  ]
}

export function Palette() {
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const navigate = useNavigate()
  const entries = useEntries(text)
  // From inside a field too, also from the palette's own while it is closing.
  useHotkeys([['mod+K', () => (open ? setOpen(false) : begin())]], [])
  useHotkeys([['/', begin]])
  const at = Math.min(chosen, Math.max(entries.length - 1, 0))

  function begin() {
    setText('')
    setChosen(0)
    setOpen(true)
  }

  function go(entry: Entry | undefined) {
    // What is closing has gone already.
    if (!entry || !open) return
    setOpen(false)
    void navigate({ to: entry.to })
  }

  function key(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      setChosen((at + step + entries.length) % Math.max(entries.length, 1))
    } else if (event.key === 'Enter') {
      go(entries[at])
    }
  }

  return (
    <>
      <UnstyledButton className="search" onClick={begin} aria-label={t('app.search')}>
        <Group gap="xs" wrap="nowrap">
          <IconSearch size={16} aria-hidden />
          <Text size="sm" visibleFrom="sm">
            {t('app.search')}
          </Text>
          <Kbd visibleFrom="sm">Ctrl K</Kbd>
        </Group>
      </UnstyledButton>
      <Modal opened={open} onClose={() => setOpen(false)} title={t('palette.title')} size="lg">
        <TextInput
          data-autofocus
          value={text}
          onChange={(e) => {
            setText(e.currentTarget.value)
            setChosen(0)
          }}
          onKeyDown={key}
          placeholder={t('app.search')}
          aria-label={t('app.search')}
          aria-describedby="palette-hint"
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={entries[at] ? `palette-${at}` : undefined}
        />
        <Stack gap={2} mt="sm" id="palette-list" role="listbox" aria-label={t('palette.title')}>
          {entries.map((entry, i) => (
            <UnstyledButton
              key={entry.key}
              id={`palette-${i}`}
              role="option"
              aria-selected={i === at}
              className="entry"
              tabIndex={-1}
              onClick={() => go(entry)}
            >
              <Group justify="space-between" wrap="nowrap">
                <Text size="sm">{entry.label}</Text>
                <Text size="xs" c="dimmed">
                  {entry.note}
                </Text>
              </Group>
            </UnstyledButton>
          ))}
        </Stack>
        {entries.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t('palette.nothing')}
          </Text>
        ) : null}
        <Text id="palette-hint" size="xs" c="dimmed" mt="sm">
          {t('palette.hint')}
        </Text>
      </Modal>
    </>
  )
}
