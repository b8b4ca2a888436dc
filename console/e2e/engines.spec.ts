/** Engines and licences as the console shows them, live. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, type Page, test } from '@playwright/test'

import { api, fleet, install, license, packageOf, settled, signIn, SLOW, state, unlicense, variant } from './fleet.ts'

const NOTES = 'Every approved machine gets one; add your own.'
const NOTES_THEN = 'Every approved machine gets one, as of the next version.'

test.beforeEach(async ({ page }) => signIn(page))

/** Something that only a reload of the console would remove. */
const mark = (page: Page) => page.evaluate(() => Object.assign(window, { notReloaded: true }))
const notReloaded = (page: Page) => page.evaluate(() => 'notReloaded' in window)

test('an engine is installed by its file, and one that lies is refused with its reason', async ({ page }) => {
  const admin = await api()
  await admin.post('/api/v1/engines/example/-/uninstall', { data: {} })
  await page.goto(`${fleet.url}/engines`)
  const file = page.locator('input[type=file]')
  await file.setInputFiles(packageOf('example'))
  const dialog = page.getByRole('dialog', { name: 'Install Example' })
  await expect(dialog).toContainText('Signed by')
  await expect(dialog.getByRole('listitem').filter({ hasText: 'keep its own tables' })).toBeVisible()
  await dialog.getByRole('button', { name: 'Install' }).click()
  await expect(page.getByText(/example .* is installed/)).toBeVisible(SLOW)
  await expect(page.getByRole('region', { name: 'Example' }).getByText('active')).toBeVisible(SLOW)
  await file.setInputFiles({ name: 'bad.engine', mimeType: 'application/octet-stream', buffer: Buffer.from('no package') })
  await expect(page.getByRole('main').getByRole('alert')).toContainText('The package is damaged')
})

test('an upgrade tells what it asks for before it is made, and replaces the pages that are open', async ({ page, context }) => {
  await install('example')
  const folder = mkdtempSync(join(tmpdir(), 'sysmanage-upgrade-'))
  const next = join(folder, 'next.engine')
  variant('upgrade', packageOf('example'), '--out', next, '--old', NOTES, '--new', NOTES_THEN)
  const admin = await api()
  try {
    // One who works with the engine while another upgrades it.
    const worker = await context.newPage()
    await worker.goto(`${fleet.url}/engines/example/notes`)
    await expect(worker.getByText(NOTES)).toBeVisible()
    await mark(worker)
    await page.goto(`${fleet.url}/engines`)
    await page.locator('input[type=file]').setInputFiles(next)
    const dialog = page.getByRole('dialog', { name: /^Upgrade Example/ })
    await expect(dialog).toContainText('0.1.0 → 0.1.1')
    const asks = dialog.getByRole('region', { name: 'It asks for capabilities that were not asked for before:' })
    await expect(asks.getByRole('listitem')).toHaveText([/notify/])
    expect(await version()).toBe('0.1.0')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(dialog).toHaveCount(0)
    expect(await version()).toBe('0.1.0')
    await page.locator('input[type=file]').setInputFiles(next)
    await dialog.getByRole('button', { name: 'Upgrade' }).click()
    await expect(page.getByText('example 0.1.1 is installed')).toBeVisible(SLOW)
    await expect(worker.getByText(NOTES_THEN)).toBeVisible(SLOW)
    expect(await notReloaded(worker)).toBe(true)
    await page.goto(`${fleet.url}/engines/example`)
    await page.getByRole('button', { name: 'Roll back → 0.1.0' }).click()
    await expect(worker.getByText(NOTES)).toBeVisible(SLOW)
    expect(await notReloaded(worker)).toBe(true)
  } finally {
    if ((await version()) !== '0.1.0') await admin.post('/api/v1/engines/example/-/rollback', { data: {} })
    rmSync(folder, { recursive: true })
  }

  async function version(): Promise<string> {
    return ((await (await admin.get('/api/v1/engines/example')).json()) as { version: string }).version
  }
})

test('settings of an engine are changed, and a capability is withdrawn and granted', async ({ page }) => {
  await install('example')
  const admin = await api()
  type Report = { settings: { keep_days: number }; capabilities: { name: string; granted: boolean }[] }
  const report = async () => (await (await admin.get('/api/v1/engines/example')).json()) as Report
  const granted = async () => (await report()).capabilities.find((c) => c.name === 'audit')?.granted
  await page.goto(`${fleet.url}/engines/example`)
  await settled(page)
  const settings = page.getByRole('region', { name: 'Settings' })
  await settings.getByLabel('keep days').fill('45')
  await settings.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved', { exact: true })).toBeVisible()
  expect((await report()).settings.keep_days).toBe(45)
  const audit = page.getByRole('region', { name: 'Capabilities' }).getByRole('switch', { name: 'audit' })
  await expect(audit).toBeChecked()
  await audit.click({ force: true })
  await expect(audit).not.toBeChecked()
  await expect.poll(granted, SLOW).toBe(false)
  await expect(audit).toBeEnabled(SLOW)
  await audit.click({ force: true })
  await expect(audit).toBeChecked()
  await expect.poll(granted, SLOW).toBe(true)
  await state('example', 'active')
  await admin.post('/api/v1/engines/example/-/settings', { data: { settings: { keep_days: 30 } } })
})

test('an engine is purged only after its data were exported', async ({ page }) => {
  await install('example')
  await page.goto(`${fleet.url}/engines/example`)
  await page.getByRole('button', { name: 'Uninstall' }).click()
  const dialog = page.getByRole('dialog', { name: 'Uninstall: Example' })
  await dialog.getByRole('switch', { name: 'Delete its data too' }).click({ force: true })
  const uninstall = dialog.getByRole('button', { name: 'Uninstall' })
  await expect(uninstall).toBeDisabled()
  const saved = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Export its data' }).click()
  const file = await (await saved).path()
  expect(readFileSync(file).includes('notes')).toBe(true)
  await uninstall.click()
  await expect(page).toHaveURL(/\/engines$/)
  const left = (await (await (await api()).get('/api/v1/engines/example')).json()) as { tables: string[]; version?: string }
  expect([left.tables, left.version ?? null]).toEqual([[], null])
  await install('example')
})

test('a licence that is removed and installed again is seen at once', async ({ page }) => {
  await page.goto(`${fleet.url}/engines`)
  const card = page.getByRole('region', { name: 'Automation' })
  await expect(card.getByText('active')).toBeVisible()
  try {
    await unlicense()
    await expect(card.getByText('unlicensed').or(card.getByText('read only'))).toBeVisible()
  } finally {
    await license()
  }
  await expect(card.getByText('active')).toBeVisible(SLOW)
})
