/** What happens at the host, as it happens: one stream for the whole console, shared by topic. */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface HostEvent {
  id: number
  topic: string
  at: string
  machine_id?: string
  data: Record<string, unknown>
}

type Listener = (event: HostEvent) => void
export type Connection = 'connecting' | 'live' | 'lost'

const listeners = new Set<Listener>()
const watchers = new Set<() => void>()
let state: Connection = 'connecting'
let source: EventSource | undefined
let lastId: number | undefined
let retry: ReturnType<typeof setTimeout> | undefined
let pause = 500

function set(next: Connection): void {
  if (state === next) return
  state = next
  for (const watcher of watchers) watcher()
}

function receive(message: MessageEvent<string>): void {
  try {
    const event = JSON.parse(message.data) as HostEvent
    if (typeof event.id === 'number') lastId = event.id
    for (const listener of listeners) listener(event)
  } catch {
    // What is no event is not for us.
  }
}

/** Open the stream; it opens itself again, with growing pauses, until `disconnect`. */
export function connect(): void {
  clearTimeout(retry)
  source?.close()
  const since = lastId === undefined ? '' : `&last_event_id=${lastId}`
  source = new EventSource(`/api/v1/events?unnamed=true${since}`)
  source.onopen = () => {
    pause = 500
    set('live')
  }
  source.onmessage = receive
  for (const topic of ['gap', 'lagged']) {
    source.addEventListener(topic, () => listeners.forEach((l) => l({ id: 0, topic: 'gap', at: '', data: {} })))
  }
  source.onerror = () => {
    source?.close()
    set('lost')
    retry = setTimeout(connect, pause)
    pause = Math.min(pause * 2, 15_000)
  }
}

export function disconnect(): void {
  clearTimeout(retry)
  source?.close()
  source = undefined
  lastId = undefined
  set('connecting')
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (then) => {
      watchers.add(then)
      return () => watchers.delete(then)
    },
    () => state,
  )
}

/** Hear events whose topic begins with one of `prefixes`. */
export function useEvents(prefixes: readonly string[], then: Listener): void {
  const latest = useRef(then)
  latest.current = then
  const key = prefixes.join(',')
  useEffect(() => {
    const wanted = key.split(',')
    const listener: Listener = (event) => {
      if (event.topic === 'gap' || wanted.some((p) => event.topic.startsWith(p))) latest.current(event)
    }
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [key])
}

/** Read queries again when something they show has changed; many events in a moment are one reading. */
export function useLive(prefixes: readonly string[], keys: readonly string[]): void {
  const queries = useQueryClient()
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEvents(prefixes, () => {
    if (timer.current) return
    timer.current = setTimeout(() => {
      timer.current = undefined
      for (const key of keys) void queries.invalidateQueries({ queryKey: [key] })
    }, 250)
  })
  useEffect(() => () => clearTimeout(timer.current), [])
}
