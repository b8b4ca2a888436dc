/** Engines and licences as the console shows them, live. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from '@playwright/test'

import { api, fleet, signIn } from './fleet.ts'

function package_(id: string): string {
  const folder = process.env.SYSMANAGE_ENGINES_DIR ?? '../target/engines/packages'
  const name = readdirSync(folder).find((n) => n.startsWith(`${id}-`) && n.endsWith('.engine'))
  if (!name) throw new Error(`no package of ${id} in ${folder}`)
  return join(folder, name)
}

test('an engine is installed by its file, and one that lies is refused with its reason', async ({ page }) => {
  const admin = await api()
  await admin.post('/api/v1/engines/example/-/uninstall', { data: {} })
  await signIn(page)
  await page.goto(`${fleet.url}/engines`)
  const file = page.locator('input[type=file]')
  await file.setInputFiles(package_('example'))
  await expect(page.getByText(/example .* is installed/)).toBeVisible({ timeout: 30_000 })
  await expect(page.getByRole('region', { name: 'Example' }).getByText('active')).toBeVisible({ timeout: 30_000 })
  await file.setInputFiles({ name: 'bad.engine', mimeType: 'application/octet-stream', buffer: Buffer.from('no package') })
  await expect(page.getByRole('main').getByRole('alert')).toContainText('The package is damaged')
})

test('a licence that is removed and installed again is seen at once', async ({ page }) => {
  const admin = await api()
  const held = (await (await admin.get('/api/v1/license')).json()) as { licenses: { id: string }[] }
  await signIn(page)
  await page.goto(`${fleet.url}/engines`)
  const card = page.getByRole('region', { name: 'Automation' })
  await expect(card.getByText('active')).toBeVisible()
  for (const license of held.licenses) await admin.delete(`/api/v1/license/${license.id}`)
  await expect(card.getByText('unlicensed').or(card.getByText('read only'))).toBeVisible()
  const renewed = await admin.put('/api/v1/license', { data: process.env.FLEET_LICENSE ?? '', headers: { 'content-type': 'text/plain' } })
  expect(renewed.ok(), await renewed.text()).toBe(true)
  await expect(card.getByText('active')).toBeVisible({ timeout: 30_000 })
})
