/** Texts by key in the reader's language, with dates and numbers as they are written there. */
import { useSyncExternalStore } from 'react'

import { de } from './de'
import { en, type Key } from './en'

export type { Key }

const catalogues: Record<string, Record<Key, string>> = { en, de }
export const languages: Record<string, string> = { en: 'English', de: 'Deutsch' }
/** Languages written from right to left, for catalogues to come. */
const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur']
const STORED = 'sysmanage.language'

function preferred(): string {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages.map((l) => l.slice(0, 2))]
  return wanted.find((l): l is string => l !== null && l in catalogues) ?? 'en'
}

let language = preferred()
const watchers = new Set<() => void>()

function mark(): void {
  document.documentElement.lang = language
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr'
}
mark()

export function setLanguage(next: string): void {
  if (!(next in catalogues)) return
  language = next
  localStorage.setItem(STORED, next)
  mark()
  for (const watcher of watchers) watcher()
}

/** The language that texts are in now; one that renders what depends on it calls `useLanguage`. */
export function currentLanguage(): string {
  return language
}

export function useLanguage(): string {
  return useSyncExternalStore(
    (then) => {
      watchers.add(then)
      return () => watchers.delete(then)
    },
    () => language,
  )
}

/** The text of `key`, with `{name}` filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = catalogues[language]?.[key] ?? en[key]
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}

/** The text of a key that is put together, such as a state's; the word itself where there is none. */
export function word(prefix: string, name: string): string {
  const key = `${prefix}.${name}` as Key
  return key in en ? t(key) : name.replaceAll('_', ' ')
}

export function date(at: string | null | undefined): string {
  if (!at) return t('app.never')
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at))
}

export function day(at: string | null | undefined): string {
  if (!at) return t('app.never')
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(at))
}

/** A moment on a scale: seconds where a scale spans minutes, the day where it spans days. */
export function tick(at: Date, spanSeconds: number): string {
  const day = { day: 'numeric', month: 'short' } as const
  const time = { hour: '2-digit', minute: '2-digit' } as const
  const parts = spanSeconds > 2 * 86_400 ? day : spanSeconds > 600 ? time : { ...time, second: '2-digit' as const }
  return new Intl.DateTimeFormat(language, parts).format(at)
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** `5 minutes ago`. */
export function ago(at: string | null | undefined, now = Date.now()): string {
  if (!at) return t('app.never')
  const seconds = Math.round((new Date(at).getTime() - now) / 1000)
  const [unit, size] = STEPS.find(([, s]) => Math.abs(seconds) >= s) ?? (['second', 1] as const)
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit)
}

/** A number with at most so many decimals, and at least so many. */
export function number(value: number, digits = 0, least = 0): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits, minimumFractionDigits: least }).format(value)
}

/** Bytes with a unit that fits, by 1024. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let step = 0
  let rest = value
  while (rest >= 1024 && step < units.length - 1) {
    rest /= 1024
    step += 1
  }
  return `${number(rest, rest < 10 && step > 0 ? 1 : 0)} ${units[step]}`
}

/** `3 d 4 h`. */
export function duration(seconds: number): string {
  const [d, h, m] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600), Math.floor((seconds % 3600) / 60)]
  if (d > 0) return `${d} d ${h} h`
  if (h > 0) return `${h} h ${m} min`
  return m > 0 ? `${m} min` : `${Math.floor(seconds)} s`
}
