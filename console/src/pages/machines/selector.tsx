/** The selector bar: the filter that is also the address, the saved search and the target of an operation. */
import { ActionIcon, Alert, Button, Code, Group, Popover, Stack, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconHelp, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'

import { client, data, Failure, type Schema } from '../../api/client'
import { number, t } from '../../i18n'
import { FailurePanel } from '../../ui/panels'
import { plain, pointed } from '../../ui/text'

interface Props {
  value: string
  onChange: (selector: string) => void
  error: unknown
}

type Suggestion = Schema['Suggestion']
const LIST = 'selector-suggestions'

/** What could come next where the cursor stands. Positions are characters at the host, UTF-16 units in the field. */
function useCompletion(text: string, cursor: number, wanted: boolean) {
  const [asked] = useDebouncedValue(`${cursor}|${text}`, 80)
  const at = Number(asked.slice(0, asked.indexOf('|')))
  const written = asked.slice(asked.indexOf('|') + 1)
  return useQuery({
    queryKey: ['complete', written, at],
    queryFn: async () => {
      const body = { text: written, cursor: [...written.slice(0, at)].length }
      return { ...(await data(client.POST('/api/v1/selector/complete', { body }))), written }
    },
    enabled: wanted,
    staleTime: 30_000,
    retry: false,
    placeholderData: keepPreviousData,
  })
}

export function SelectorBar({ value, onChange, error }: Props) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const [cursor, setCursor] = useState(value.length)
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(-1)
  useEffect(() => setText(value), [value])
  const found = useCompletion(text, cursor, open)
  const fits = found.data?.written === text
  const suggestions = open && fits ? (found.data?.suggestions.slice(0, 12) ?? []) : []

  function submit(event?: FormEvent) {
    event?.preventDefault()
    setOpen(false)
    onChange(text.trim())
  }

  function typed(next: string, position: number) {
    setText(next)
    setCursor(position)
    setAt(-1)
    setOpen(true)
  }

  function take(suggestion: Suggestion) {
    const chars = [...text]
    const head = chars.slice(0, found.data?.from ?? 0).join('') + suggestion.text
    const tail = chars.slice(found.data?.to ?? chars.length).join('')
    const gap = suggestion.kind === 'field' || tail.startsWith(' ') ? '' : ' '
    const next = head + gap + tail
    typed(next, head.length + gap.length)
    setOpen(suggestion.kind === 'field')
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(head.length + gap.length, head.length + gap.length)
    })
  }

  function key(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const one = suggestions[at]
    if (step !== undefined) {
      event.preventDefault()
      if (suggestions.length === 0) setOpen(true)
      else setAt((at + step + suggestions.length + (at < 0 && step < 0 ? 1 : 0)) % suggestions.length)
    } else if (event.key === 'Enter' && one) {
      event.preventDefault()
      take(one)
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation()
      setOpen(false)
    }
  }

  return (
    <Stack gap={6} className="grow">
      <form onSubmit={submit} role="search">
        <Group gap="xs" wrap="nowrap">
          <div className="grow suggests">
            <TextInput
              ref={field}
              dir="ltr"
              value={text}
              onChange={(e) => typed(e.currentTarget.value, e.currentTarget.selectionStart ?? e.currentTarget.value.length)}
              onKeyDown={key}
              onSelect={(e) => setCursor(e.currentTarget.selectionStart ?? 0)}
              onClick={() => setOpen(true)}
              onBlur={() => setOpen(false)}
              placeholder={t('machines.filter.example')}
              aria-label={t('machines.filter')}
              leftSection={<IconSearch size={16} aria-hidden />}
              rightSection={<Help />}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              role="combobox"
              aria-autocomplete="list"
              aria-expanded={suggestions.length > 0}
              aria-controls={LIST}
              aria-activedescendant={suggestions[at] ? `${LIST}-${at}` : undefined}
            />
            <div id={LIST} role="listbox" aria-label={t('machines.suggestions')} className="suggestions" hidden={suggestions.length === 0}>
              {suggestions.map((s, i) => (
                <div
                  key={`${s.kind} ${s.text}`}
                  id={`${LIST}-${i}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={i === at}
                  className="entry"
                  onMouseDown={(e) => {
                    e.preventDefault()
                    take(s)
                  }}
                >
                  <Code>{plain(s.text)}</Code>
                  <Text size="xs" c="dimmed" span>
                    {typeof s.machines === 'number' ? t('machines.hosts', { count: number(s.machines) }) : plain(s.help)}
                  </Text>
                </div>
              ))}
            </div>
          </div>
          <Button type="submit" variant="default">
            {t('machines.filter')}
          </Button>
        </Group>
      </form>
      {error ? <Pointer text={value} error={error} /> : null}
    </Stack>
  )
}

/** The error below the character that it is about. */
function Pointer({ text, error }: { text: string; error: unknown }) {
  const at = error instanceof Failure ? error.problem.at : undefined
  if (!(error instanceof Failure) || typeof at !== 'number') return <FailurePanel error={error} />
  const { before, mark, after } = pointed(text, at)
  return (
    <Alert color="red" py="xs" role="alert">
      <Code className="pointed">
        {before}
        <mark>{mark}</mark>
        {after}
      </Code>
      <Text size="sm" mt={4}>
        {error.message}
      </Text>
    </Alert>
  )
}

function Help() {
  const [open, setOpen] = useState(false)
  const fields = useQuery({
    queryKey: ['selector-fields'],
    queryFn: () => data(client.GET('/api/v1/selector/fields')),
    enabled: open,
    staleTime: Infinity,
  })
  return (
    <Popover position="bottom-end" withArrow width={440} opened={open} onChange={setOpen}>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('machines.filter.helplabel')} onClick={() => setOpen(!open)}>
          <IconHelp size={18} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown mah={440} className="scrolls" tabIndex={0}>
        <Text size="sm" mb="xs">
          {t('machines.filter.help')}
        </Text>
        <Table withRowBorders={false} verticalSpacing={2}>
          <Table.Tbody>
            {(fields.data ?? []).map((f) => (
              <Table.Tr key={f.name}>
                <Table.Td>
                  <Code>{f.examples[0] ?? f.name}</Code>
                </Table.Td>
                <Table.Td>
                  <Text size="xs">{f.help}</Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Popover.Dropdown>
    </Popover>
  )
}
