/** Who may come in and what they may do: invitations, second factors, roles and their reasons, sessions. */
import { createHmac } from 'node:crypto'

import { expect, test } from '@playwright/test'

import { api, fleet, signIn } from './fleet.ts'

const PASSWORD = 'correct horse battery staple'
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A time-based code (RFC 6238): SHA-1, six digits, thirty seconds. */
function codeOf(secret: string, at = Date.now()): string {
  const bits = [...secret.replaceAll(/[\s=]/g, '')].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const digest = createHmac('sha1', key).update(counter).digest()
  const offset = digest[19]! & 15
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

async function fresh(name: string, roles: string[]): Promise<void> {
  const admin = await api()
  const users = (await (await admin.get('/api/v1/users?limit=500')).json()) as { items: { id: string; name: string }[] }
  for (const user of users.items.filter((u) => u.name === name)) await admin.delete(`/api/v1/users/${user.id}`)
  const made = await admin.post('/api/v1/users', { data: { name, password: PASSWORD, roles } })
  expect(made.status(), await made.text()).toBe(201)
}

test('somebody who is invited joins by the link, once', async ({ page }) => {
  const name = `guest-${Date.now()}`
  const admin = await api()
  const made = await admin.post('/api/v1/invitations', { data: { name, roles: ['viewer'] } })
  const { token } = (await made.json()) as { token: string }
  await page.goto(`${fleet.url}/invite#${token}`)
  await expect(page.getByText('You will have these roles: viewer.')).toBeVisible()
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(PASSWORD)
  await page.getByRole('textbox', { name: 'Password again' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Join' }).click()
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await page.goto('about:blank')
  await page.goto(`${fleet.url}/invite#${token}`)
  await expect(page.getByRole('alert')).toBeVisible()
})

test('a second factor is set up, asked for, and given by a recovery code', async ({ page }) => {
  await fresh('careful', ['viewer'])
  await signIn(page, 'careful', PASSWORD)
  await page.goto(`${fleet.url}/account`)
  const card = page.getByRole('region', { name: 'Second factor' })
  await card.getByRole('textbox', { name: 'Current password' }).fill(PASSWORD)
  await card.getByRole('button', { name: 'Set up' }).click()
  await expect(card.getByRole('img', { name: 'QR code for the authenticator app' })).toBeVisible()
  const secret = await card.getByLabel('Or type this secret:', { exact: true }).innerText()
  await card.getByRole('textbox', { name: 'Six-digit code' }).fill(codeOf(secret))
  await card.getByRole('button', { name: 'Confirm' }).click()
  const recovery = await card.getByRole('listitem').first().innerText()
  await card.getByRole('button', { name: 'I have kept them' }).click()
  await expect(card.getByText(/recovery codes left/)).toBeVisible()
  await page.context().clearCookies()
  await page.goto(`${fleet.url}/signin`)
  await page.getByRole('textbox', { name: 'Name' }).fill('careful')
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('textbox', { name: /Six-digit code/ }).fill(recovery)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: /^Account of/ })).toBeVisible()
})

test('a role is edited in the matrix, and its effect is explained', async ({ page }) => {
  const admin = await api()
  const name = `matrix-${Date.now()}`
  const made = await admin.post('/api/v1/roles', { data: { name, permissions: ['machines:read'] } })
  const role = (await made.json()) as { id: string }
  await signIn(page)
  await page.goto(`${fleet.url}/roles`)
  await page.getByRole('checkbox', { name: `${name}: tags:read` }).check()
  await page.getByRole('button', { name: 'Save 1 roles' }).click()
  await expect(page.getByText('Saved', { exact: true })).toBeVisible()
  const kept = (await (await admin.get(`/api/v1/roles/${role.id}`)).json()) as { permissions: string[] }
  expect(kept.permissions.sort()).toEqual(['machines:read', 'tags:read'])
  await expect(page.getByRole('checkbox', { name: 'admin: tags:read' })).toBeDisabled()
  const form = page.getByRole('region', { name: 'Why may somebody do something?' })
  await form.getByRole('combobox', { name: 'Permission' }).fill('tags:read')
  await page.getByRole('option', { name: 'tags:read' }).click()
  await form.getByRole('button', { name: 'Explain' }).click()
  await expect(form.getByRole('status')).toContainText('Allowed')
  await admin.delete(`/api/v1/roles/${role.id}`)
})

test('a session of somebody else is ended, and they are out', async ({ page, browser }) => {
  await fresh('leaver', ['viewer'])
  const other = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' })
  const theirs = await other.newPage()
  await signIn(theirs, 'leaver', PASSWORD)
  await signIn(page)
  await page.goto(`${fleet.url}/sessions`)
  const panel = page.getByRole('region', { name: 'Sessions: leaver' })
  await panel.getByRole('button', { name: /^End/ }).click()
  await expect(panel).toHaveCount(0)
  await theirs.goto(`${fleet.url}/machines`)
  await expect(theirs.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await other.close()
})

test('a provider that refused is named on the sign-in page', async ({ page }) => {
  await page.goto(`${fleet.url}/login?error=oidc_refused`)
  await expect(page.getByRole('alert')).toContainText('oidc_refused')
})
