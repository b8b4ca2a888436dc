/** The stored look of pages: written once, compared at each run. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Part of a page -> its edges and colours. */
type Parts = Map<string, string[]>

/** On every page, whatever is in the database. Other parts are there when there is something to show. */
const FRAME = ['header', 'nav', 'main', 'main h1', '.dock']

function pages(text: string): Map<string, Parts> {
  const found = new Map<string, Parts>()
  for (const block of text.split('\n\n').filter((b) => b.startsWith('# '))) {
    const [name = '', ...lines] = block.trim().split('\n')
    const parts: Parts = new Map()
    for (const line of lines) {
      const at = line.indexOf(': ')
      const part = line.slice(0, at)
      parts.set(part, [...(parts.get(part) ?? []), line.slice(at + 2)])
    }
    found.set(name.slice(2), parts)
  }
  return found
}

/** How `now` differs from what is stored in `file`; nothing when `update` writes it anew. */
export function differences(file: string, now: string, update: boolean): string[] {
  if (update || !existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, now)
    return update ? [] : [`${file} was not there and is written: look at it and commit it`]
  }
  const stored = pages(readFileSync(file, 'utf8'))
  const found = pages(now)
  const told = [...stored.keys()].filter((page) => !found.has(page)).map((page) => `${page} is not looked at any more`)
  for (const [page, parts] of found) {
    const before = stored.get(page)
    if (!before) told.push(`${page} is new: write the stored look anew`)
    for (const part of new Set([...parts.keys(), ...(before?.keys() ?? [])])) {
      const [was, is] = [before?.get(part) ?? [], parts.get(part) ?? []]
      const compared = FRAME.includes(part) || (was.length > 0 && is.length > 0)
      if (before && compared && was.join() !== is.join()) told.push(`${page}, ${part}: was ${was.join(' | ')}, is ${is.join(' | ')}`)
    }
  }
  return told
}
