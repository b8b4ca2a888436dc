/** An engine is bought: from signing up at the portal to the host's marketplace, and back when the money goes back. */
import { readFileSync } from 'node:fs'

import { expect, type Page, test } from '@playwright/test'

import { accessible } from './axe.ts'
import { settled, SLOW } from './fleet.ts'
import { newHost, type NewHost, setUp } from './host.ts'
import { newPortal, type Portal } from './portal.ts'

let portal: Portal
let host: NewHost

test.beforeAll(async () => {
  test.setTimeout(240_000)
  portal = await newPortal(['automation', 'example'])
  host = await newHost({ SYSMANAGE__MARKETPLACE__URL: portal.url })
})
test.afterAll(async () => {
  await (host as NewHost | undefined)?.stop()
  await (portal as Portal | undefined)?.stop()
})

const PASSWORD = 'correct horse battery staple'

async function signUp(page: Page, name: string, organisation: string): Promise<void> {
  await page.goto(`${portal.url}/sign-up`)
  await page.getByLabel('Address').fill(`${name}@example.org`)
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Organisation').fill(organisation)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await expect(page.getByRole('button', { name: `Sign out ${name}` })).toBeVisible()
}

/** A page that only a host with a portal has: for people to look at, and for axe. */
async function looked(page: Page, name: string): Promise<void> {
  for (const [view, width, height] of [['wide', 1280, 800], ['narrow', 390, 844]] as const) {
    await page.setViewportSize({ width, height })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await settled(page)
      await accessible(page)
      await page.screenshot({ path: `screenshots/${name}-${colorScheme}-${view}.png` })
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 })
}

/** Download the licence at the portal and install it on the host's licence page. */
async function carryLicense(shop: Page, console_: Page): Promise<void> {
  await shop.getByRole('link', { name: 'Licences' }).first().click()
  const downloading = shop.waitForEvent('download')
  await shop.getByRole('link', { name: 'Licence file' }).click()
  const file = await (await downloading).path()
  await console_.goto(`${host.url}/license`)
  await settled(console_)
  await console_.getByRole('textbox', { name: 'Licence', exact: false }).fill(readFileSync(file, 'utf8').trim())
  await console_.getByRole('button', { name: 'Install a licence' }).click()
  await expect(console_.getByRole('region', { name: 'Marta & Co' })).toBeVisible()
}

test('sign up, buy, install from the marketplace, upgrade, refund', async ({ page, browser }) => {
  test.setTimeout(180_000)
  await setUp(page, host, PASSWORD)
  const shop = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
  for (const one of [page, shop]) one.setDefaultTimeout(30_000)

  await test.step('buy Professional at the portal', async () => {
    await signUp(shop, 'marta', 'Marta & Co')
    await expect(shop.getByRole('heading', { name: 'Marta & Co' })).toBeVisible()
    await shop.getByRole('link', { name: 'Orders', exact: true }).click()
    await shop.getByLabel('Plan').first().selectOption({ label: (await shop.getByLabel('Plan').first().locator('option', { hasText: 'Professional' }).first().textContent()) ?? '' })
    await shop.getByRole('button', { name: 'Order', exact: true }).click()
    await shop.getByRole('button', { name: 'Pay with the test payment' }).click()
    await expect(shop.getByText('Licensed: Professional')).toBeVisible()
  })

  await test.step('see the catalogue before there is a licence', async () => {
    await page.goto(`${host.url}/marketplace`)
    await settled(page)
    await page.getByRole('button', { name: 'Look again' }).click()
    const example = page.getByRole('region', { name: 'Example' })
    await expect(example.getByText('not in the licence')).toBeVisible(SLOW)
    await expect(example.getByRole('button', { name: /^Install/ })).toHaveCount(0)
    await looked(page, 'marketplace')
    await page.getByRole('link', { name: 'Example', exact: true }).click()
    await expect(page.getByRole('region', { name: '0.1.0' })).toBeVisible()
    await looked(page, 'marketplace-example')
  })

  await test.step('install from the marketplace page', async () => {
    await carryLicense(shop, page)
    await page.goto(`${host.url}/marketplace`)
    const example = page.getByRole('region', { name: 'Example' })
    await example.getByRole('button', { name: /^Install/ }).click(SLOW)
    await expect(example.getByText('0.1.0 in use')).toBeVisible(SLOW)
    await page.goto(`${host.url}/engines`)
    await expect(page.getByRole('region', { name: 'Example' }).getByText('active')).toBeVisible(SLOW)
  })

  await test.step('upgrade to Enterprise', async () => {
    await shop.getByRole('link', { name: 'Orders', exact: true }).click()
    await shop.getByRole('table').getByRole('link').first().click()
    await shop.getByLabel('Tier').selectOption('enterprise')
    await shop.getByRole('button', { name: 'Change', exact: true }).click()
    await expect(shop.getByText('Licensed: Enterprise')).toBeVisible()
    await carryLicense(shop, page)
    await page.goto(`${host.url}/marketplace`)
    const automation = page.getByRole('region', { name: 'Automation' })
    await automation.getByRole('button', { name: /^Install/ }).click(SLOW)
    await expect(automation.getByText('0.1.0 in use')).toBeVisible(SLOW)
  })

  await test.step('a refund makes engines read-only', async () => {
    await refund(shop)
    await carryLicense(shop, page)
    await page.goto(`${host.url}/engines`)
    for (const name of ['Example', 'Automation']) {
      await expect(page.getByRole('region', { name }).getByText('read only')).toBeVisible(SLOW)
    }
  })
})

/** The vendor gives back what was paid. */
async function refund(shop: Page): Promise<void> {
  const context = await shop.context().browser()!.newContext()
  const vendor = await context.newPage()
  await signUp(vendor, 'vera', 'The vendor')
  portal.staff('vera@example.org')
  const org = /organisations\/([0-9a-f-]+)/.exec(shop.url())![1]!
  const origin = { origin: portal.url }
  const orders = (await (await shop.request.get(`${portal.url}/api/v1/organisations/${org}/orders`)).json()) as { items: { id: string }[] }
  const order = orders.items[0]!.id
  const history = (await (await shop.request.get(`${portal.url}/api/v1/organisations/${org}/orders/${order}/history`)).json()) as {
    items: { payment?: string; amount?: number }[]
  }
  for (const paid of history.items.filter((entry) => entry.payment && entry.amount)) {
    const data = { id: `refund-${paid.payment}`, kind: 'refunded', payment: paid.payment, total: paid.amount }
    const answer = await vendor.request.post(`${portal.url}/api/v1/vendor/orders/${order}/events`, { data, headers: origin })
    expect(answer.ok(), await answer.text()).toBe(true)
  }
  await context.close()
}
