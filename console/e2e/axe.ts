/** Pages looked at by axe. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

function told(found: Awaited<ReturnType<AxeBuilder['analyze']>>): string[] {
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join(' | ')}`)
}

/** Nothing that keeps somebody out, whatever they use to read. */
export async function accessible(page: Page): Promise<void> {
  const rules = new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'])
  expect(told(await rules.analyze())).toEqual([])
}

/** What another scheme may spoil. */
export async function readable(page: Page): Promise<void> {
  expect(told(await new AxeBuilder({ page }).withRules(['color-contrast']).analyze())).toEqual([])
}
