/** What an administrator does: set up, look, filter, act in bulk, watch, limit others. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from '@playwright/test'

import { api, closed, fleet, settled, signIn, SLOW, thisMachine } from './fleet.ts'

const PASSWORD = 'correct horse battery staple'

test('a new host is set up by its link, once', async ({ page }) => {
  const link = process.env.NEW_SETUP ?? ''
  expect(link).toContain('/setup#')
  await page.goto(link)
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(PASSWORD)
  await page.getByRole('textbox', { name: 'Password again' }).fill('something else')
  await expect(page.getByText('The two passwords differ.')).toBeVisible()
  await page.getByRole('textbox', { name: 'Password again' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create the administrator' }).click()
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
  await page.goto(link)
  await expect(page.getByRole('heading', { name: 'Sign in' }).or(page.getByRole('heading', { name: 'Overview' }))).toBeVisible()
})

test('a wrong password is refused with its reason', async ({ page }) => {
  await page.goto(`${fleet.url}/signin`)
  await page.getByLabel('Name').fill('admin')
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toContainText('wrong')
})

test('hosts are filtered by the address, and an error points at its character', async ({ page }) => {
  await signIn(page)
  await page.goto(`${fleet.url}/machines?q=os:debian`)
  await expect(page.getByRole('link', { name: 'this-machine' })).toBeVisible()
  await page.getByRole('combobox', { name: 'Filter' }).fill('name:nobody-*')
  await page.keyboard.press('Enter')
  await expect(page.getByText('No host matches this filter')).toBeVisible()
  await expect(page).toHaveURL((url) => url.searchParams.get('q') === 'name:nobody-*')
  await page.getByRole('combobox', { name: 'Filter' }).fill('os:debian )')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert').locator('mark')).toHaveText(')')
})

test('an operation on chosen hosts says what it will do, runs, and ends on each', async ({ page }) => {
  await signIn(page)
  await page.goto(`${fleet.url}/machines`)
  await page.getByRole('checkbox', { name: 'this-machine' }).check()
  await page.getByRole('button', { name: 'Refresh inventory' }).click()
  await expect(page.getByRole('dialog')).toContainText('This will collect the inventory again on 1 hosts.')
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await expect(page.getByRole('cell', { name: 'succeeded' })).toBeVisible(SLOW)
})

test('a live chart moves', async ({ page }) => {
  await signIn(page)
  const machine = await thisMachine()
  await page.goto(`${fleet.url}/machines/${machine.id}`)
  const chart = page.getByRole('img', { name: /^CPU/ })
  await expect(chart.locator('canvas')).toBeVisible()
  const picture = () => chart.locator('canvas').evaluate((c) => (c as HTMLCanvasElement).toDataURL())
  const before = await picture()
  await expect.poll(picture, SLOW).not.toBe(before)
})

test('a host is added: the line is shown, its enrolment is seen live, and it is approved', async ({ page }) => {
  const name = `joined-${Date.now()}`
  const folder = mkdtempSync(join(tmpdir(), 'sysmanage-joined-'))
  const admin = await api()
  await signIn(page)
  await page.goto(`${fleet.url}/machines`)
  await page.getByRole('button', { name: 'Add a host' }).click()
  await page.getByLabel('Name of the token').fill('browser')
  await page.getByRole('button', { name: 'Make the token' }).click()
  const line = page.getByLabel('Run this on the new host, as root:', { exact: true })
  await expect(line).toContainText('install.sh')
  await expect(page.getByText('Waiting for the host')).toBeVisible()
  const joining = enroll(folder, name, /smt_[\w-]+/.exec(await line.innerText())?.[0] ?? '')
  try {
    // An agent that is refused says why, before the page could say that it came.
    await Promise.race([expect(page.getByText(`${name} has enrolled`)).toBeVisible(SLOW), joining])
    await page.keyboard.press('Escape')
    await closed(page)
    await page.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name: /^Approvals 1/ }).click()
    const candidate = page.getByRole('region', { name })
    await expect(candidate).toContainText(/Key fingerprint: [0-9a-f]{16}/)
    await candidate.getByRole('button', { name: 'Approve' }).click()
    await expect(candidate).toHaveCount(0)
    await joining
    await page.goto(`${fleet.url}/machines?q=name:${name}`)
    await expect(page.getByRole('link', { name })).toBeVisible()
  } finally {
    const found = (await (await admin.get(`/api/v1/machines?q=name:${name}`)).json()) as { items: { id: string }[] }
    for (const machine of found.items) await admin.delete(`/api/v1/machines/${machine.id}`)
    await joining.catch(() => undefined)
    rmSync(folder, { recursive: true })
  }
})

/** A second agent on this machine asks to join; it ends once it is approved. */
async function enroll(folder: string, name: string, token: string): Promise<void> {
  const authority = (await (await (await api()).get('/api/v1/authority')).json()) as { fingerprint: string; gateway_url: string }
  const server = `https://localhost:${new URL(authority.gateway_url).port}`
  const args = ['--data', folder, 'enroll', '--name', name, '--token', token, '--ca-fingerprint', authority.fingerprint, '--server', server]
  await promisify(execFile)(join(process.env.SYSMANAGE_BIN_DIR ?? '../target/debug', 'sysmanage-agent'), args, SLOW)
}

test('a viewer sees what viewers may, and no more', async ({ page }) => {
  const admin = await api()
  const made = await admin.post('/api/v1/users', { data: { name: 'onlooker', password: PASSWORD, roles: ['viewer'] } })
  expect([201, 409]).toContain(made.status())
  await signIn(page, 'onlooker', PASSWORD)
  const menu = page.getByRole('navigation')
  await expect(menu.getByRole('link', { name: 'Hosts' })).toBeVisible()
  for (const hidden of ['Approvals', 'Users', 'Activity']) {
    await expect(menu.getByRole('link', { name: hidden })).toHaveCount(0)
  }
  await page.goto(`${fleet.url}/machines`)
  await expect(page.getByRole('button', { name: 'Add a host' })).toHaveCount(0)
  await page.goto(`${fleet.url}/activity`)
  await expect(page.getByRole('alert')).toContainText('You may not see this')
})

test('everything is reached by keyboard', async ({ page }) => {
  await signIn(page)
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused()
  const palette = page.getByRole('dialog', { name: 'Command palette' })
  await page.keyboard.press('Control+k')
  await palette.getByRole('combobox').fill('oper')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Operations', level: 1 })).toBeVisible()
  await closed(page)
  await page.keyboard.press('Control+k')
  await palette.getByRole('combobox').fill('this-mach')
  await expect(palette.getByRole('option', { name: /this-machine/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'this-machine', level: 1 })).toBeVisible()
})

test('the palette opens from inside a field and while it is closing, and a slash in a field is a slash', async ({ page }) => {
  await signIn(page)
  await page.goto(`${fleet.url}/machines`)
  await settled(page)
  const field = page.getByRole('combobox', { name: 'Filter' })
  await field.fill('name:a')
  await field.press('/')
  await expect(field).toHaveValue('name:a/')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  const palette = page.getByRole('dialog', { name: 'Command palette' })
  const text = palette.getByRole('combobox')
  await field.press('Control+k')
  await expect(text).toBeFocused()
  await page.keyboard.type('oper')
  // One after the other, with no wait between: the second finds the palette closing.
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await expect(text).toBeFocused()
  await expect(text).toHaveValue('')
  await page.keyboard.press('Control+k')
  await closed(page)
  await expect(page).toHaveURL(/machines$/)
})

test('the other language and the dark scheme stay', async ({ page }) => {
  await signIn(page)
  await page.getByRole('button', { name: 'Account of admin' }).click()
  await page.getByText('Deutsch').click()
  await expect(page.getByRole('heading', { name: 'Übersicht' })).toBeVisible()
  await page.getByText('Dunkel').click()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Übersicht' })).toBeVisible()
  expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark')
  expect(await page.locator('html').getAttribute('lang')).toBe('de')
})
