/** Pages that engines bring: loaded, locked, thrown, replaced, all without loading the console anew. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'

import { api, fleet, signIn } from './fleet.ts'

function packageOf(id: string): string {
  const folder = process.env.SYSMANAGE_ENGINES_DIR ?? '../target/engines/packages'
  const name = readdirSync(folder).find((n) => n.startsWith(`${id}-`) && n.endsWith('.engine'))
  if (!name) throw new Error(`no package of ${id} in ${folder}`)
  return join(folder, name)
}

async function install(id: string): Promise<void> {
  const admin = await api()
  const headers = { 'content-type': 'application/octet-stream' }
  const made = await admin.post('/api/v1/engines', { data: readFileSync(packageOf(id)), headers })
  if (!made.ok()) expect(await made.text()).toContain('"')
  await admin.post(`/api/v1/engines/${id}/-/enable`, { data: {} })
}

/** Something that only a reload of the console would remove. */
const mark = (page: Page) => page.evaluate(() => Object.assign(window, { notReloaded: true }))
const unloaded = (page: Page) => page.evaluate(() => 'notReloaded' in window)

async function clean(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze()
  expect(found.violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`)).toEqual([])
}

test('an engine page that throws costs only its panel, and can be tried again', async ({ page }) => {
  await install('misbehaving')
  await signIn(page)
  await page.goto(`${fleet.url}/engines/misbehaving/throwing`)
  const failed = page.getByTestId('engine-failed')
  await expect(failed).toContainText('this page throws on purpose')
  await expect(page.getByRole('navigation', { name: 'Menu' })).toBeVisible()
  await clean(page)
  await page.evaluate(() => history.replaceState(history.state, '', '?calm'))
  await failed.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByText('Calm now.')).toBeVisible()
  const admin = await api()
  await admin.post('/api/v1/engines/misbehaving/-/uninstall', { data: {} })
})

test('an engine page is locked when its engine is switched off, and comes back without a reload', async ({ page }) => {
  await install('example')
  await signIn(page)
  await page.goto(`${fleet.url}/engines/example/notes`)
  await expect(page.getByRole('heading', { name: 'Notes', level: 1 })).toBeVisible()
  await clean(page)
  await mark(page)
  const admin = await api()
  await admin.post('/api/v1/engines/example/-/disable', { data: {} })
  await expect(page.getByTestId('engine-locked')).toContainText('switched off')
  await clean(page)
  await admin.post('/api/v1/engines/example/-/enable', { data: {} })
  await expect(page.getByLabel('New note')).toBeVisible()
  expect(await unloaded(page)).toBe(true)
})

test('a licence that lapses locks the pages with the reason, and a renewal brings them back', async ({ page }) => {
  const admin = await api()
  const held = (await (await admin.get('/api/v1/license')).json()) as { licenses: { id: string }[] }
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts`)
  await expect(page.getByRole('heading', { name: 'Scripts', level: 1 })).toBeVisible()
  await mark(page)
  for (const license of held.licenses) await admin.delete(`/api/v1/license/${license.id}`)
  await expect(page.getByTestId('engine-locked')).toContainText('Automation is locked')
  const headers = { 'content-type': 'text/plain' }
  await admin.put('/api/v1/license', { data: process.env.FLEET_LICENSE ?? '', headers })
  await expect(page.getByRole('heading', { name: 'Scripts', level: 1 })).toBeVisible()
  expect(await unloaded(page)).toBe(true)
})

test('a script is written, run on a machine as frozen, and its output is seen live', async ({ page }) => {
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts`)
  await page.getByRole('button', { name: 'New script' }).click()
  const editor = page.getByRole('dialog')
  await editor.getByLabel('Name').first().fill('Count to three')
  await editor.getByLabel('Script', { exact: true }).fill('#!/bin/bash\nfor n in 1 2 3; do echo "line $n <b>"; sleep 0.3; done\n')
  await editor.getByRole('button', { name: 'Save script' }).click()
  await expect(page.getByRole('heading', { name: 'Count to three' })).toBeVisible()
  await clean(page)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Machines').first().fill('name:this-machine')
  await expect(dialog.getByTestId('frozen-targets')).toContainText('this-machine')
  await expect(dialog.getByTestId('run-sentence')).toContainText('will run on 1 machine')
  await dialog.getByRole('button', { name: 'Run on 1 machine' }).click()
  await expect(page.getByTestId('output-group')).toContainText('line 3 <b>', { timeout: 30_000 })
  await expect(page.getByText('succeeded').first()).toBeVisible({ timeout: 30_000 })
  await clean(page)
})
