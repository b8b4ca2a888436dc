/** What tests share: the fleet's address and credentials, signing in, and what a test needs beforehand. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type APIRequestContext, expect, type Page, request } from '@playwright/test'

/** An engine that comes up, a task that ends on a machine: longer than a page takes, on a machine that is busy. */
export const SLOW = { timeout: 90_000 }

export const fleet = {
  get url(): string {
    return process.env.FLEET_URL ?? ''
  },
  get password(): string {
    return process.env.FLEET_PASSWORD ?? ''
  },
  get folder(): string {
    return process.env.FLEET_FOLDER ?? ''
  },
}

export async function signIn(page: Page, name = 'admin', password = fleet.password): Promise<void> {
  await page.goto(`${fleet.url}/signin`)
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: /^Account of/ })).toBeVisible()
}

/** The page stands: its heading is there and nothing of it is still being read. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
  await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0)
}

/** Nothing is open any more: a dialog that is closing still takes keys. */
export async function closed(page: Page): Promise<void> {
  await expect(page.getByRole('dialog')).toHaveCount(0)
}

/** The API with an administrator's token. */
export function api(): Promise<APIRequestContext> {
  return request.newContext({
    baseURL: fleet.url,
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { authorization: `Bearer ${process.env.FLEET_TOKEN}` },
  })
}

export interface Machine {
  id: string
  name: string
}

export async function thisMachine(): Promise<Machine> {
  const answer = await (await api()).get('/api/v1/machines?q=name:this-machine')
  const page = (await answer.json()) as { items: Machine[] }
  return page.items[0]!
}

/** The file of an engine's package. */
export function packageOf(id: string): string {
  const folder = process.env.SYSMANAGE_ENGINES_DIR ?? '../target/engines/packages'
  const name = readdirSync(folder).find((n) => n.startsWith(`${id}-`) && n.endsWith('.engine'))
  if (!name) throw new Error(`no package of ${id} in ${folder}`)
  return join(folder, name)
}

/** Bring an engine in as it was packed, and switch it on, whatever an earlier test left of it. */
export async function install(id: string): Promise<void> {
  const admin = await api()
  const headers = { 'content-type': 'application/octet-stream' }
  const made = await admin.post('/api/v1/engines', { data: readFileSync(packageOf(id)), headers })
  // 409: a test that broke off left a higher version.
  const brought = made.status() === 409 ? await admin.post(`/api/v1/engines/${id}/-/rollback`, { data: {} }) : made
  expect(brought.ok(), await brought.text()).toBe(true)
  const enabled = await admin.post(`/api/v1/engines/${id}/-/enable`, { data: {} })
  expect(enabled.ok(), await enabled.text()).toBe(true)
  await state(id, 'active')
}

/** Wait for an engine's state. */
export async function state(id: string, wanted: string): Promise<void> {
  const admin = await api()
  await expect
    .poll(async () => ((await (await admin.get(`/api/v1/engines/${id}`)).json()) as { state?: string }).state, SLOW)
    .toBe(wanted)
}

/** Run the program that makes variants of licences and packages. */
export function variant(...args: string[]): string {
  return execFileSync(join(process.env.SYSMANAGE_BIN_DIR ?? '../target/debug', 'variants'), args, { encoding: 'utf8' })
}

/** Install the fleet's licence anew, ending in so many hours. */
export async function license(hours = 720, graceDays = 14): Promise<void> {
  const file = join(fleet.folder, 'license.jws')
  const headers = { 'content-type': 'text/plain' }
  // Editions are told apart by whole seconds: one made in the second of the last may be refused as older, the next one is not.
  await expect(async () => {
    const token = variant('license', file, '--ends-in', String(hours), '--grace', String(graceDays))
    const kept = await (await api()).put('/api/v1/license', { data: token, headers })
    expect(kept.status(), await kept.text()).toBe(200)
  }).toPass(SLOW)
}

/** Remove every licence. */
export async function unlicense(): Promise<void> {
  const gone = await (await api()).delete('/api/v1/license')
  expect(gone.status()).toBe(204)
}
