import { expect, test } from 'vitest'

import { plain, pointed } from './text'

test('a direction override is shown, not obeyed', () => {
  expect(plain('photo\u202egnp.exe')).toBe('photo␣202E␣gnp.exe')
  expect(plain('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>')
  expect(plain('tab\tand\nline stay')).toBe('tab\tand\nline stay')
})

test('an error points at its character', () => {
  expect(pointed('os:debian )', 11)).toEqual({ before: 'os:debian ', mark: ')', after: '' })
  expect(pointed('😀 x', 3)).toEqual({ before: '😀 ', mark: 'x', after: '' })
  expect(pointed('os:', 9)).toEqual({ before: 'os:', mark: ' ', after: '' })
})
