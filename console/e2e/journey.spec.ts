/** What an administrator does: set up, look, filter, act in bulk, watch, limit others. */
import { expect, test } from '@playwright/test'

import { api, fleet, signIn, thisMachine } from './fleet.ts'

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
  expect(new URL(page.url()).searchParams.get('q')).toBe('name:nobody-*')
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
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.getByRole('cell', { name: 'succeeded' })).toBeVisible({ timeout: 30_000 })
})

test('a live chart moves', async ({ page }) => {
  await signIn(page)
  const machine = await thisMachine()
  await page.goto(`${fleet.url}/machines/${machine.id}`)
  const chart = page.getByRole('img', { name: /^CPU/ })
  await expect(chart.locator('canvas')).toBeVisible()
  const picture = () => chart.locator('canvas').evaluate((c) => (c as HTMLCanvasElement).toDataURL())
  const before = await picture()
  await expect.poll(picture, { timeout: 30_000 }).not.toBe(before)
})

test('a host is added: the line is shown, and its enrolment is seen live', async ({ page }) => {
  await signIn(page)
  await page.goto(`${fleet.url}/machines`)
  await page.getByRole('button', { name: 'Add a host' }).click()
  await page.getByLabel('Name of the token').fill('browser')
  await page.getByRole('button', { name: 'Make the token' }).click()
  await expect(page.getByLabel('Run this on the new host, as root:', { exact: true })).toContainText('install.sh')
  await expect(page.getByText('Waiting for the host')).toBeVisible()
})

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
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('oper')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Operations' })).toBeVisible()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('this-mach')
  await expect(page.getByRole('option', { name: /this-machine/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'this-machine' })).toBeVisible()
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
