import { renderToStaticMarkup } from 'react-dom/server'
import { createElement } from 'react'
import { afterEach, expect, test, vi } from 'vitest'

import { setLanguage } from '../i18n'
import { catalogue, flaws } from './catalogue'
import { spoken } from './label'

const t = catalogue({
  en: {
    hello: 'Hello {name}',
    hosts: { one: '{count} host', other: '{count} hosts' },
    next: 'Next: {at}.',
    only: 'Only in English',
  },
  de: {
    hello: 'Guten Tag, {name}',
    hosts: { one: '{count} Rechner', other: '{count} Rechner insgesamt' },
    next: '{at} ist der nächste Lauf.',
    only: 'Auch auf Deutsch',
  },
})

afterEach(() => setLanguage('en'))

test('a text follows the language of the console while it is changed', () => {
  expect(t('hello', { name: 'Ada' })).toBe('Hello Ada')
  setLanguage('de')
  expect(document.documentElement.lang).toBe('de')
  expect(t('hello', { name: 'Ada' })).toBe('Guten Tag, Ada')
  setLanguage('en')
  expect(t('hello', { name: 'Ada' })).toBe('Hello Ada')
})

test('a count chooses the form of its language, and is written as there', () => {
  expect([0, 1, 2, 12_345].map((count) => t('hosts', { count }))).toEqual(['0 hosts', '1 host', '2 hosts', '12,345 hosts'])
  setLanguage('de')
  expect([1, 12_345].map((count) => t('hosts', { count }))).toEqual(['1 Rechner', '12.345 Rechner insgesamt'])
})

test('a hole in a value stays what somebody wrote', () => {
  expect(t('hello', { name: '{name} {count} $& <b>' })).toBe('Hello {name} {count} $& <b>')
})

test('an element stands where its language puts it, and text beside it stays text', () => {
  const shown = () => renderToStaticMarkup(t.rich('next', { at: createElement('time', null, '<4:30>') }))
  expect(shown()).toBe('Next: <time>&lt;4:30&gt;</time>.')
  setLanguage('de')
  expect(shown()).toBe('<time>&lt;4:30&gt;</time> ist der nächste Lauf.')
})

test('what a language lacks is said in English, with the forms of English', () => {
  const partly = catalogue({ en: { hosts: { one: 'one host', other: '{count} hosts' }, done: 'Done' } })
  setLanguage('de')
  expect(partly('hosts', { count: 1 })).toBe('one host')
  expect(partly('done')).toBe('Done')
})

test('keys and holes that differ do not compile', () => {
  // @ts-expect-error a hole has another name
  catalogue({ en: { hello: 'Hello {name}' }, de: { hello: 'Hallo {nome}' } })
  // @ts-expect-error a key is missing
  catalogue({ en: { hello: 'Hello', bye: 'Bye' }, de: { hello: 'Hallo' } })
  // @ts-expect-error a key that English has not
  catalogue({ en: { hello: 'Hello' }, de: { hello: 'Hallo', servus: 'Servus' } })
  // @ts-expect-error there is no such key
  t('helo')
  // @ts-expect-error a hole stays empty
  t('hello')
  // @ts-expect-error a count is a number
  t('hosts', { count: '3' })
})

test('flaws names each key, hole and form that a language lacks', () => {
  const hosts = { one: '{count} host', other: '{count} hosts' }
  expect(flaws({ en: { a: 'A', b: '{x}', hosts }, de: { b: '{y}', c: 'C', hosts: { other: 'viele' } } })).toEqual([
    'de: a: missing',
    'de: b: holes are "{y}", in English "{x}"',
    'de: hosts: no form `one`',
    'de: c: not in English',
  ])
  expect(flaws({ en: { hosts }, de: { hosts: 'viele Hosts' } })).toEqual(['de: hosts: holes are "", in English "{count}"'])
  expect(flaws(t.texts)).toEqual([])
})

test('a label is a text, a text by language, or a function; one that fails costs nothing', () => {
  const labels = ['Runs', { en: 'Runs', de: 'Läufe' }, () => t('only')] as const
  expect(labels.map((label) => spoken(label, '?'))).toEqual(['Runs', 'Runs', 'Only in English'])
  setLanguage('de')
  expect(labels.map((label) => spoken(label, '?'))).toEqual(['Runs', 'Läufe', 'Auch auf Deutsch'])
  expect(spoken({ en: 'Runs', fr: 'Lancements' }, '?')).toBe('Runs')
  expect(spoken(undefined, 'from the manifest')).toBe('from the manifest')
  const complained = vi.spyOn(console, 'error').mockReturnValue(undefined)
  const broken = () => {
    throw new Error('on purpose')
  }
  expect(spoken(broken, 'from the manifest')).toBe('from the manifest')
  expect(complained).toHaveBeenCalledOnce()
  complained.mockRestore()
})
