/** Every page: readable by machines for people who do not see (axe), in both schemes, wide and narrow, pictured. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'

import { api, fleet, signIn, thisMachine } from './fleet.ts'

const PATHS = [
  '/', '/machines', '/updates', '/updates?by=host', '/software', '/software/1', '/changes', '/approvals', '/operations', '/engines', '/engines/automation', '/license', '/users', '/roles',
  '/sessions', '/tokens', '/activity', '/settings', '/account',
]
const TABS = [
  'live', 'history', 'details', 'software', 'updates', 'services', 'users', 'certificates', 'security', 'guests', 'inventory', 'changes',
  'operations',
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

/** Pixels by which a page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

for (const view of VIEWS) {
  test(`every page is accessible: ${view.name}`, async ({ page }) => {
    test.setTimeout(480_000)
    await page.setViewportSize({ width: view.width, height: view.height })
    await page.emulateMedia({ colorScheme: view.scheme, reducedMotion: 'reduce' })
    await page.goto(`${fleet.url}/signin`)
    await accessible(page)
    await page.screenshot({ path: `screenshots/signin-${view.name}.png` })
    await signIn(page)
    const machine = await thisMachine()
    for (const path of [...PATHS, ...TABS.map((tab) => `/machines/${machine.id}?tab=${tab}`)]) {
      await page.goto(fleet.url + path)
      await settled(page)
      await accessible(page)
      expect(await overflow(page), path).toBeLessThanOrEqual(0)
      const name = path === '/' ? 'overview' : path.slice(1).replace(machine.id, 'one').replaceAll(/[/?=]/g, '-')
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

test('pages mirror for languages written from right to left', async ({ page }) => {
  await signIn(page)
  for (const path of ['/', '/machines', '/updates', '/roles', '/settings']) {
    await page.goto(fleet.url + path)
    await settled(page)
    await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'))
    expect(await overflow(page), path).toBeLessThanOrEqual(0)
    const menu = await page.getByRole('navigation', { name: 'Menu' }).boundingBox()
    expect(menu!.x, path).toBeGreaterThan(640)
  }
})

test('assets are kept for ever by browsers, the page is not', async ({ page }) => {
  const answers = new Map<string, Record<string, string>>()
  page.on('response', (response) => answers.set(new URL(response.url()).pathname, response.headers()))
  await page.goto(`${fleet.url}/signin`)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  const assets = [...answers].filter(([path]) => path.startsWith('/assets/'))
  expect(assets.length).toBeGreaterThan(2)
  for (const [path, headers] of assets) {
    expect(headers['cache-control'], path).toContain('immutable')
  }
  expect(answers.get('/signin')!['cache-control']).toContain('no-store')
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
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity)
  test.info().annotations.push({ type: 'first paint', description: `${Math.round(paint)} ms, ${scripts} bytes of scripts` })
  console.log(`first contentful paint ${Math.round(paint)} ms, ${scripts} bytes of scripts`)
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
