/** Searching a list: what is typed goes into the address after a moment, and from there to the host. */
import { TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

const PAUSE_MS = 200

/** The address's parameters, and a way to change some of them without a new step back. */
export function useAddress<S extends Record<string, string | undefined>>(): [S, (change: Partial<S>) => void] {
  const search = useSearch({ strict: false }) as S
  const navigate = useNavigate()
  function change(part: Partial<S>) {
    void navigate({
      to: '.',
      replace: true,
      search: ((now: S) => Object.fromEntries(Object.entries({ ...now, ...part }).filter(([, v]) => v))) as never,
    })
  }
  return [search, change]
}

interface Props {
  label: string
  value: string
  onChange: (text: string) => void
  className?: string
}

export function SearchInput({ label, value, onChange, className }: Props) {
  const [text, setText] = useState(value)
  const later = useRef<ReturnType<typeof setTimeout>>(undefined)
  const sent = useRef(value)
  useEffect(() => {
    // Only what others changed: an answer to earlier typing must not undo later typing.
    if (value !== sent.current) setText(value)
    sent.current = value
  }, [value])
  useEffect(() => () => clearTimeout(later.current), [])
  function typed(next: string) {
    setText(next)
    clearTimeout(later.current)
    later.current = setTimeout(() => {
      sent.current = next.trim()
      onChange(next.trim())
    }, PAUSE_MS)
  }
  return (
    <TextInput
      className={className}
      type="search"
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(e) => typed(e.currentTarget.value)}
      spellCheck={false}
    />
  )
}
