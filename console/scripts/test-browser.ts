/** What tests outside a browser need of one: where the reader's language is kept and shown. */
const kept = new Map<string, string>()

Object.assign(globalThis, {
  localStorage: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) },
  document: { documentElement: { lang: '', dir: '' } },
})
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'] }, configurable: true })
