/** Every page: readable by machines for people who do not see (axe), in both schemes, wide and narrow, pictured. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'

import { api, fleet, signIn, thisMachine } from './fleet.ts'

const PATHS = [
  '/', '/machines', '/approvals', '/operations', '/engines', '/engines/automation', '/license', '/users', '/roles',
  '/tokens', '/activity', '/account',
]
const VIEWS = [
  { name: 'light-wide', scheme: 'light', width: 1280, height: 800 },
  { name: 'dark-wide', scheme: 'dark', width: 1280, height: 800 },
  { name: 'light-narrow', scheme: 'light', width: 390, height: 844 },
  { name: 'dark-narrow', scheme: 'dark', width: 390, height: 844 },
] as const

async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
}

async function accessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']).analyze()
  const told = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join(' | ')}`)
  expect(told).toEqual([])
}

for (const view of VIEWS) {
  test(`every page is accessible: ${view.name}`, async ({ page }) => {
    test.setTimeout(240_000)
    await page.setViewportSize({ width: view.width, height: view.height })
    await page.emulateMedia({ colorScheme: view.scheme, reducedMotion: 'reduce' })
    await page.goto(`${fleet.url}/signin`)
    await accessible(page)
    await page.screenshot({ path: `screenshots/signin-${view.name}.png` })
    await signIn(page)
    const machine = await thisMachine()
    for (const path of [...PATHS, `/machines/${machine.id}`]) {
      await page.goto(fleet.url + path)
      await settled(page)
      await accessible(page)
      const name = path === '/' ? 'overview' : path.slice(1).replace(machine.id, 'one').replaceAll('/', '-')
      await page.screenshot({ path: `screenshots/${name}-${view.name}.png` })
    }
  })
}

test('a page asks for nothing elsewhere and breaks no rule of its policy', async ({ page }) => {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (asked) => {
    if (!asked.url().startsWith(fleet.url) && !asked.url().startsWith('data:')) complaints.push(asked.url())
  })
  await signIn(page)
  for (const path of PATHS) {
    await page.goto(fleet.url + path)
    await settled(page)
  }
  expect(complaints.filter((c) => !c.includes('401'))).toEqual([])
})

test('the first page is small and quick', async ({ page }) => {
  await page.goto(`${fleet.url}/signin`)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter((e) => e.name.endsWith('.js'))
      .reduce((sum, e) => sum + (e as PerformanceResourceTiming).encodedBodySize, 0),
  )
  expect(scripts).toBeGreaterThan(10_000)
  expect(scripts).toBeLessThan(250_000)
})

test('text from machines and people stays text', async ({ page }) => {
  const hostile = '<img src=x onerror="document.title=1">'
  const machine = await thisMachine()
  const admin = await api()
  const path = `/api/v1/machines/${machine.id}`
  const changed = await admin.patch(path, { data: { notes: hostile, name: `photo\u202egnp ${hostile}` } })
  expect(changed.status()).toBeLessThan(500)
  try {
    await signIn(page)
    await page.goto(`${fleet.url}/machines/${machine.id}`)
    await settled(page)
    await page.getByRole('tab', { name: 'Details' }).click()
    await expect(page.getByLabel('Notes')).toHaveValue(hostile)
    expect(await page.locator('main img').count()).toBe(0)
    await expect(page).toHaveTitle('SysManage')
  } finally {
    await admin.patch(path, { data: { notes: '', name: machine.name } })
  }
})
