import { expect, test } from 'vitest'

import { term, toggled } from './terms'

test('a chip adds its term, and takes it away again', () => {
  expect(toggled('', 'os:debian')).toBe('os:debian')
  expect(toggled('tag:web', 'os:debian')).toBe('tag:web os:debian')
  expect(toggled('tag:web os:debian', 'os:debian')).toBe('tag:web')
})

test('alternatives stay one condition', () => {
  expect(toggled('os:debian or os:ubuntu', 'online:yes')).toBe('(os:debian or os:ubuntu) online:yes')
})

test('a value is quoted where a selector needs it', () => {
  expect(term('tag', 'a b"c')).toBe('tag:"a b\\"c"')
  expect(term('os.version', 'debian 12')).toBe('os:debian os.version:12')
  expect(term('needs', 'updates')).toBe('needs:update')
})
