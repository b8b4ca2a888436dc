/** Pages of the fleet with the data of a real agent: software, updates, changes, services, history, bulk work. */
import { expect, test } from '@playwright/test'

import { api, closed, fleet, settled, signIn, thisMachine } from './fleet.ts'

test.beforeEach(async ({ page }) => signIn(page))

test('a filter completes itself, and chips narrow it', async ({ page }) => {
  await page.goto(`${fleet.url}/machines`)
  const field = page.getByRole('combobox', { name: 'Filter' })
  await field.pressSequentially('os:deb')
  await expect(page.getByRole('option', { name: /debian/ })).toBeVisible()
  await field.press('ArrowDown')
  await field.press('Enter')
  await expect(field).toHaveValue('os:debian ')
  await field.press('Enter')
  await expect(page).toHaveURL(/q=os%3Adebian/)
  await page.getByRole('group', { name: 'Narrow by' }).getByText(/^online/).click()
  await expect(field).toHaveValue('os:debian online:yes')
  await expect(page.getByRole('link', { name: 'this-machine' })).toBeVisible()
})

test('no typing is lost while the host answers', async ({ page }) => {
  await page.goto(`${fleet.url}/machines`)
  const field = page.getByRole('combobox', { name: 'Filter' })
  const text = 'os:debian name:this* not tag:nothing updates>=0'
  await field.pressSequentially(text, { delay: 5 })
  await expect(field).toHaveValue(text)
})

test('a filter is saved, chosen again and deleted', async ({ page }) => {
  await page.goto(`${fleet.url}/machines?q=os:debian`)
  await page.getByRole('button', { name: 'Saved searches' }).click()
  await page.getByRole('menuitem', { name: 'Save this filter' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('browser-saved')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved as browser-saved')).toBeVisible()
  await page.goto(`${fleet.url}/machines`)
  await page.getByRole('button', { name: 'Saved searches' }).click()
  await page.getByRole('menuitem', { name: /browser-saved/ }).click()
  await expect(page).toHaveURL(/q=os%3Adebian/)
  await page.goto(`${fleet.url}/settings`)
  await page.getByRole('button', { name: 'Delete: browser-saved' }).click()
  await expect(page.getByText('browser-saved')).toHaveCount(0)
})

test('columns are chosen and remembered', async ({ page }) => {
  await page.goto(`${fleet.url}/machines`)
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('checkbox', { name: 'Kernel' }).check()
  await expect(page.getByRole('columnheader', { name: 'Kernel' })).toBeAttached()
  await page.reload()
  await expect(page.getByRole('columnheader', { name: 'Kernel' })).toBeAttached()
})

test('chosen hosts are tagged, and an operation on all that match says how many', async ({ page }) => {
  await page.goto(`${fleet.url}/machines?q=name:this*`)
  await page.getByRole('checkbox', { name: 'this-machine' }).check()
  await page.getByRole('button', { name: 'Tags', exact: true }).click()
  const tags = page.getByRole('dialog', { name: 'Tags' })
  await tags.getByLabel('Tags to add').fill('browser-tag')
  await tags.getByLabel('Tags to add').press('Enter')
  await tags.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('1 hosts changed')).toBeVisible()
  const machine = await thisMachine()
  await (await api()).patch(`/api/v1/machines/${machine.id}`, { data: { tags: [] } })
  await page.getByRole('button', { name: 'Select all 1 that match' }).click()
  await page.getByRole('button', { name: 'Packages' }).click()
  await page.getByRole('menuitem', { name: 'Install packages …' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Packages, separated by spaces').fill('sl cowsay')
  await expect(dialog).toContainText('This will install sl, cowsay on all 1 hosts that match `name:this*`.')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
})

test('software is searched, and shows its hosts', async ({ page }) => {
  await page.goto(`${fleet.url}/software`)
  await page.getByRole('searchbox', { name: 'Search packages' }).fill('adduser')
  await page.getByRole('link', { name: 'adduser', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'adduser', level: 1 })).toBeVisible()
  await expect(page.getByRole('link', { name: 'this-machine' })).toBeVisible()
})

test('updates are told by package and by host, and security alone is one press away', async ({ page }) => {
  const waiting = (await (await (await api()).get('/api/v1/updates?limit=1')).json()) as { items: unknown[] }
  await page.goto(`${fleet.url}/updates`)
  if (waiting.items.length > 0) await expect(page.getByRole('button', { name: /^Upgrade / }).first()).toBeVisible()
  else await expect(page.getByText('Nothing to update')).toBeVisible()
  await page.getByRole('button', { name: 'Update security only' }).first().click()
  await expect(page.getByRole('dialog')).toContainText('install updates that mend security, and no others, on every approved host')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('By host').click()
  await expect(page).toHaveURL(/by=host/)
})

test('every tab of a host has its content', async ({ page }) => {
  const machine = await thisMachine()
  const shows: [string, RegExp][] = [
    ['software', /dpkg/], ['services', /systemd|services/i], ['users', /root/], ['certificates', /Ends|No certificates/],
    ['security', /Listening sockets/], ['guests', /virtual machines/i], ['history', /1 hour/],
  ]
  for (const [tab, text] of shows) {
    await page.goto(`${fleet.url}/machines/${machine.id}?tab=${tab}`)
    await expect(page.getByRole('tabpanel')).toContainText(text)
  }
})

test('a service is asked to restart, by a sentence that names it', async ({ page }) => {
  const machine = await thisMachine()
  await page.goto(`${fleet.url}/machines/${machine.id}?tab=services`)
  await page.getByRole('button', { name: /^Restart: / }).first().click()
  await expect(page.getByRole('dialog')).toContainText(/Restart: .+ on this-machine\./)
})

test('changes of the fleet are told since a moment', async ({ page }) => {
  await page.goto(`${fleet.url}/changes`)
  await page.getByText('7 days').click()
  await expect(page).toHaveURL(/since=7d/)
  await expect(page.getByRole('article').first().or(page.getByText('Nothing changed'))).toBeVisible()
})

test('? tells the keys, and g with a letter goes', async ({ page }) => {
  await settled(page)
  await page.keyboard.press('Shift+?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await closed(page)
  const updates = page.getByRole('heading', { name: 'Updates', level: 1 })
  // The letter counts within a second of `g`: on a busy machine the two come apart.
  await expect(async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('u')
    await expect(updates).toBeVisible({ timeout: 5_000 })
  }).toPass()
})

test('the policy for hosts that do not report is changed, and one that makes no sense is refused with its reason', async ({ page }) => {
  const admin = await api()
  const policy = async () => (await (await admin.get('/api/v1/machines/-/stale-policy')).json()) as Record<string, unknown>
  const before = await policy()
  try {
    await signIn(page)
    await page.goto(`${fleet.url}/settings`)
    const panel = page.getByRole('region', { name: 'Hosts that do not report' })
    await panel.getByLabel('Remove hosts after').fill('3')
    await panel.getByRole('button', { name: 'Save' }).click()
    await expect(page.getByText('At least 7 days')).toBeVisible()
    await panel.getByLabel('Remove hosts after').fill('90')
    await panel.getByLabel('Never remove (selector)').fill('tag:seasonal')
    await panel.getByRole('button', { name: 'Save' }).click()
    await expect.poll(policy).toEqual({ ...before, remove_after_days: 90, keep: 'tag:seasonal' })
  } finally {
    await admin.put('/api/v1/machines/-/stale-policy', { data: before })
  }
})
