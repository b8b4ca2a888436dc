import { expect, test } from 'vitest'

import { de } from './de'
import { en, type Key } from './en'

const keys = Object.keys(en) as Key[]
const holes = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()

test('a text has the same holes in every language', () => {
  for (const key of keys) expect(holes(de[key]), key).toEqual(holes(en[key]))
})

test('the texts around pages of engines are there in the second language', () => {
  const same = keys.filter((key) => key.startsWith('kit.') && de[key] === en[key])
  expect(same).toEqual([])
})
