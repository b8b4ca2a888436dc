import { expect, test } from 'vitest'

import { languages } from '../i18n'
import { flaws, type Messages } from './catalogue'

const FOLDERS = /^.*\/(?:plugins|engines)\/([a-z0-9_]+)\/ui\/src\/(.*)$/

interface Texts {
  t: { texts: { readonly [language: string]: Messages } }
}

const catalogues = import.meta.glob<Texts>('../../../plugins/*/ui/src/texts.ts', { eager: true })
const sources = import.meta.glob<string>('../../../plugins/*/ui/src/**/*.{ts,tsx}', { eager: true, query: '?raw', import: 'default' })

const engineOf = (path: string) => FOLDERS.exec(path)?.[1] ?? path
const engines = [...new Set(Object.keys(sources).map(engineOf))]
const textsOf = (engine: string) => Object.entries(catalogues).find(([path]) => engineOf(path) === engine)?.[1].t.texts
const pagesOf = (engine: string) => Object.entries(sources).filter(([path]) => engineOf(path) === engine && !path.includes('/texts'))

/** Words between tags, and in what is shown or read out. */
const SAID = [/>\s*[A-Za-z][^<>{}=;()]*<\//g, /\b(?:aria-label|description|fallback|label|placeholder|title)(?:=|: )"[^"]+"/g]

test('the engines that are looked at are those of this repository', () => {
  expect(engines).toEqual(expect.arrayContaining(['automation', 'example', 'proplus_core']))
})

test.each(engines)('%s speaks the languages of the console, with the same keys, holes and plural forms', (engine) => {
  const texts = textsOf(engine) ?? {}
  expect(Object.keys(texts)).toEqual(expect.arrayContaining(Object.keys(languages)))
  expect(flaws(texts)).toEqual([])
})

test.each(engines)('every text of %s is used', (engine) => {
  const code = pagesOf(engine).map(([, text]) => text).join('\n')
  // A key that is put together is looked for by its beginning: `will.${...}`.
  const used = (key: string) => ['"', '`'].some((quote) => code.includes(`${quote}${key}${quote}`)) || code.includes(`\`${key.split('.')[0]}.\${`)
  expect(Object.keys(textsOf(engine)?.en ?? {}).filter((key) => !used(key))).toEqual([])
})

test.each(engines)('%s says nothing beside its catalogue', (engine) => {
  const said = pagesOf(engine).flatMap(([path, text]) => SAID.flatMap((words) => (text.match(words) ?? []).map((found) => `${path}: ${found}`)))
  expect(said).toEqual([])
})
