/**
 * Every page, in both schemes, wide and narrow: readable for people who do not see (axe), without flaws that those who see would meet,
 * and with the edges and colours that are stored. Pictures would differ by the fonts of a machine and by what is installed on it.
 */
import { join } from 'node:path'

import { expect, type Page, test } from '@playwright/test'

import { accessible, readable } from './axe.ts'
import { api, closed, fleet, packageOf, settled, signIn, thisMachine } from './fleet.ts'
import { differences } from './layouts.ts'
import { edges, flaws } from './look.ts'
import { paint, type Paint } from './paint.ts'

const PATHS = [
  '/', '/machines', '/updates', '/updates?by=host', '/software', '/software/1', '/changes', '/approvals', '/operations', '/engines', '/engines/automation', '/marketplace', '/license', '/users', '/roles',
  '/sessions', '/tokens', '/activity', '/settings', '/account', '/engines/automation/scripts', '/engines/automation/runs',
  '/engines/automation/approvals', '/engines/automation/schedules', '/engines/example/notes', '/engines/proplus_core/licence',
]
const TABS = [
  'live', 'history', 'details', 'software', 'updates', 'services', 'users', 'certificates', 'security', 'guests', 'inventory', 'changes',
  'operations',
]
const VIEWS = [
  { name: 'wide', width: 1280, height: 800 },
  { name: 'narrow', width: 390, height: 844 },
]

/** Pages of what machines have and people did: what stands on them differs from run to run, their frame does not. */
const OWN = /^(overview|updates|software|machines-one|changes|operations|sessions)/
const FRAME = /^(header|nav|main|\.dock|\[role)/

/** What is stored of each page, by scheme. */
class Book {
  private readonly light: string[] = []
  private readonly dark: string[] = []

  constructor(
    private readonly page: Page,
    private readonly view: string,
  ) {}

  /** Look at the page that is open, in one scheme and then in the other. */
  async look(name: string): Promise<void> {
    const { page, view } = this
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
    await settled(page)
    await accessible(page)
    expect.soft(await page.evaluate(flaws), `${name} ${view}`).toEqual([])
    await this.write(name, 'light')
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
    await readable(page)
    await this.write(name, 'dark')
  }

  private async write(name: string, scheme: 'light' | 'dark'): Promise<void> {
    await this.page.screenshot({ path: `screenshots/${name}-${scheme}-${this.view}.png` })
    const seen = await this.page.evaluate(edges)
    this[scheme].push(`# ${name}`, ...(OWN.test(name) ? seen.filter((line) => FRAME.test(line)) : seen), '')
  }

  compare(): void {
    for (const scheme of ['light', 'dark'] as const) {
      const file = join(import.meta.dirname, 'layouts', `${scheme}-${this.view}.txt`)
      const update = ['all', 'changed'].includes(test.info().config.updateSnapshots)
      expect.soft(differences(file, this[scheme].join('\n'), update)).toEqual([])
    }
  }
}

for (const view of VIEWS) {
  test(`every page is accessible and looks as it did: ${view.name}`, async ({ page }) => {
    test.setTimeout(1_200_000)
    await page.setViewportSize(view)
    const book = new Book(page, view.name)
    await page.goto(`${fleet.url}/signin`)
    await book.look('signin')
    await signIn(page)
    const machine = await thisMachine()
    for (const path of [...PATHS, ...TABS.map((tab) => `/machines/${machine.id}?tab=${tab}`)]) {
      await page.goto(fleet.url + path)
      await book.look(path === '/' ? 'overview' : path.slice(1).replace(machine.id, 'one').replaceAll(/[/?=]/g, '-'))
    }
    book.compare()
  })
}

for (const scheme of ['light', 'dark'] as const) {
  test(`what opens over a page is accessible: ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await signIn(page)
    const dialog = page.getByRole('dialog')
    const shut = async () => {
      await accessible(page)
      await page.screenshot({ path: `screenshots/over-${(n += 1)}-${scheme}.png` })
      await page.keyboard.press('Escape')
      await closed(page)
    }
    let n = 0
    await page.goto(`${fleet.url}/machines`)
    await settled(page)
    await page.keyboard.press('Control+k')
    await expect(dialog.getByRole('combobox')).toBeFocused()
    await shut()
    await page.keyboard.press('Shift+?')
    await expect(dialog).toContainText('Open the palette')
    await shut()
    await page.getByRole('button', { name: /^Notifications/ }).click()
    await expect(dialog).toBeVisible()
    await expect(dialog.locator('[aria-busy="true"]')).toHaveCount(0)
    await shut()
    await page.getByRole('button', { name: 'Add a host' }).click()
    await expect(dialog.getByLabel('Name of the token')).toBeVisible()
    await shut()
    await page.getByRole('checkbox', { name: 'this-machine' }).check()
    await page.getByRole('button', { name: 'Restart', exact: true }).click()
    await expect(dialog).toContainText('This will restart the system on 1 hosts.')
    await shut()
    await page.getByRole('button', { name: 'Account of admin' }).click()
    await expect(dialog.getByText('Language')).toBeVisible()
    await shut()
    await page.goto(`${fleet.url}/engines`)
    await page.locator('input[type=file]').setInputFiles(packageOf('example'))
    await expect(dialog).toContainText('It asks for these capabilities:')
    await shut()
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
  const machine = await thisMachine()
  const code = `/machines/${machine.id}?tab=certificates`
  const paths = ['/', '/machines', '/updates', '/roles', '/settings', '/engines', '/engines/example', '/engines/automation/schedules', '/license', code]
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 })
    for (const path of paths) {
      await page.goto(fleet.url + path)
      await settled(page)
      await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'))
      expect(await page.evaluate(flaws), `${path} ${width}`).toEqual([])
      const title = await page.getByRole('heading', { level: 1 }).boundingBox()
      expect(title!.x + title!.width, path).toBeGreaterThan((width === 390 ? width : width - 230) - 40)
      if (width === 1280) {
        const menu = await page.getByRole('navigation', { name: 'Menu' }).boundingBox()
        expect(menu!.x, path).toBeGreaterThan(640)
      }
      if (path === '/machines') await expect(page.getByRole('combobox', { name: 'Filter' })).toHaveCSS('direction', 'ltr')
      if (path === code) await expect(page.locator('main code').first()).toHaveCSS('direction', 'ltr')
      if (path === '/machines' || path === code) await page.screenshot({ path: `screenshots/rtl-${path === code ? 'certificates' : 'machines'}-${width}.png` })
    }
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

const BUDGET = { scriptBytes: 250_000, paintMs: 300 }

test('the first pages are small and quick, with nothing kept from before', async ({ page, browser }) => {
  await signIn(page)
  const storageState = await page.context().storageState()
  for (const path of ['/signin', '/', '/machines']) {
    const seen: Paint[] = []
    let scripts = 0
    for (let n = 0; n < 6; n += 1) {
      const fresh = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', storageState })
      const tab = await fresh.newPage()
      seen.push(await paint(tab, fleet.url + path))
      // What comes later, such as pages of engines, holds nothing up.
      scripts = await tab.evaluate(() => {
        const first = performance.getEntriesByName('first-contentful-paint')[0]!.startTime
        const all = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
        const needed = all.filter((e) => e.name.endsWith('.js') && e.startTime < first)
        return needed.reduce((sum, e) => sum + e.encodedBodySize, 0)
      })
      await fresh.close()
    }
    const each = seen.map((p) => `${Math.round(p.ms)}/${p.contention.toFixed(1)}`).join(' ')
    const told = `${path}: ${scripts} bytes of scripts; first text after ms / contention for the processor: ${each}`
    console.log(told)
    expect(scripts, told).toBeGreaterThan(10_000)
    expect(scripts, told).toBeLessThan(BUDGET.scriptBytes)
    // The quickest of several: noise only ever adds. Without what the page's thread waited for the processor, which says nothing of
    // the console but of the machine: browser and host share two cores here, and the browser draws without a graphics card.
    const own = seen.map((p) => (Number.isNaN(p.contention) ? p.ms : p.ms / p.contention))
    expect(Math.min(...own), told).toBeLessThan(BUDGET.paintMs)
    if (process.env.PAINT_BUDGET) expect(Math.min(...seen.map((p) => p.ms)), told).toBeLessThan(BUDGET.paintMs)
  }
})

test('who is signed in is asked for beside the scripts, once', async ({ page }) => {
  await signIn(page)
  await page.goto(fleet.url)
  await settled(page)
  const asked = await page.evaluate(() => {
    const all = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
    const main = all.find((e) => e.name.includes('/assets/index-') && e.name.endsWith('.js'))
    return { main: main?.responseEnd ?? 0, me: all.filter((e) => e.name.endsWith('/api/v1/me')).map((e) => e.startTime) }
  })
  expect(asked.me).toHaveLength(1)
  expect(asked.me[0]).toBeLessThan(asked.main)
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
