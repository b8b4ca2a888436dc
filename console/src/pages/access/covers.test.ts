import { expect, test } from 'vitest'

import { covers } from './covers'

test('a pattern covers what begins as it does, and nothing else', () => {
  expect(covers(['*'], 'tags:read')).toBe(true)
  expect(covers(['automation:*'], 'automation:scripts:run')).toBe(true)
  expect(covers(['automation:*'], 'tags:read')).toBe(false)
  expect(covers(['tags:read'], 'tags:manage')).toBe(false)
})
