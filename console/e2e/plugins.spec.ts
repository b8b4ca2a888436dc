/** Pages that engines bring: loaded, locked, thrown, replaced, all without loading the console anew. */
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'

import { api, closed, fleet, install, license, signIn, SLOW, unlicense } from './fleet.ts'
import { flaws } from './look.ts'

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
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts`)
  await expect(page.getByRole('heading', { name: 'Scripts', level: 1 })).toBeVisible()
  await mark(page)
  try {
    await unlicense()
    const locked = page.getByTestId('engine-locked')
    await expect(locked).toContainText('Automation is locked')
    await expect(locked).toContainText('Its data is kept and comes back with the licence.')
    await clean(page)
    await locked.getByRole('button', { name: 'Install a licence' }).click()
    await expect(page.getByRole('heading', { name: 'Licence', level: 1 })).toBeVisible()
    await page.goBack()
  } finally {
    await license()
  }
  await expect(page.getByRole('heading', { name: 'Scripts', level: 1 })).toBeVisible(SLOW)
  expect(await unloaded(page)).toBe(true)
})

test('a licence in grace says until when, and one past it leaves reading', async ({ page }) => {
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts`)
  const make = page.getByRole('button', { name: 'New script' })
  await expect(make).toBeEnabled()
  await mark(page)
  try {
    await license(-24, 14)
    const grace = page.getByTestId('engine-grace')
    await expect(grace).toContainText('Everything works until')
    const end = new Date(Date.now() + 13 * 86_400_000).toLocaleDateString('en', { dateStyle: 'medium' })
    await expect(grace).toContainText(end)
    await clean(page)
    await make.click()
    await expect(page.getByRole('dialog', { name: 'New script' })).toBeVisible()
    await page.keyboard.press('Escape')
    await closed(page)
    await license(-24, 0)
    await expect(page.getByTestId('engine-read-only')).toContainText('Reading and export work')
    await expect(make).toHaveAttribute('aria-disabled', 'true')
    await clean(page)
    await make.click({ force: true })
    await closed(page)
  } finally {
    await license()
  }
  await expect(page.getByTestId('engine-read-only')).toHaveCount(0)
  await expect(make).not.toHaveAttribute('aria-disabled', 'true')
  expect(await unloaded(page)).toBe(true)
})

test('a privileged script runs once somebody else has approved it', async ({ page, browser }) => {
  const admin = await api()
  const name = `Careful ${Date.now()}`
  const password = 'correct horse battery staple'
  await admin.post('/api/v1/users', { data: { name: 'approver', password, roles: ['admin'] } })
  const version = { content: '#!/bin/sh\necho approved\n', interpreter: 'sh', parameters: [], privileged: true, timeout_s: 60, note: '' }
  const made = await admin.post('/api/v1/engines/automation/scripts', { data: { name, description: '', version } })
  expect(made.ok(), await made.text()).toBe(true)
  const script = (await made.json()) as { id: string }

  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts/${script.id}`)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Machines').first().fill('name:this-machine')
  await expect(dialog.getByTestId('frozen-targets')).toContainText('this-machine')
  await dialog.getByLabel('Why').fill('Because the test wants it')
  await dialog.getByRole('button', { name: /^(Ask|Run)/ }).click()
  await expect(page).toHaveURL(/runs\/[^/]+$/)
  const run = page.url()

  const other = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB' })
  const theirs = await other.newPage()
  await signIn(theirs, 'approver', password)
  await expect(theirs.getByRole('link', { name: /^Approvals 1/ })).toBeVisible()
  await theirs.goto(`${fleet.url}/engines/automation/approvals`)
  const asked = theirs.getByTestId('approval').filter({ hasText: name })
  await expect(asked).toContainText('Because the test wants it')
  await expect(asked.getByLabel('What would run')).toHaveValue(/echo approved/)
  await clean(theirs)
  await expect(asked.getByRole('button', { name: 'Reject' })).toBeDisabled()
  await asked.getByRole('button', { name: 'Approve' }).click()
  await expect(asked).toHaveCount(0)
  await expect(theirs.getByText('Nothing waits for a decision.')).toBeVisible()
  await other.close()

  await page.goto(run)
  await expect(page.getByTestId('output-group')).toContainText('approved', SLOW)
})

test('a schedule is made with its next runs before the eyes, and switched off', async ({ page }) => {
  const script = await written('Scheduled')
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/schedules`)
  await page.getByRole('button', { name: 'New schedule' }).click()
  const dialog = page.getByRole('dialog', { name: 'New schedule' })
  const name = `Nightly ${Date.now()}`
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('combobox', { name: 'Script' }).fill(script)
  await page.getByRole('option', { name: script }).click()
  await dialog.getByLabel('Machines').fill('name:this-machine')
  await dialog.getByLabel('When').fill('not a rule')
  await expect(dialog.getByRole('alert')).toBeVisible()
  await dialog.getByLabel('When').fill('30 4 * * *')
  await dialog.getByLabel('Time zone').fill('Europe/Berlin')
  await expect(dialog.getByTestId('next-runs').getByRole('listitem')).toHaveCount(5)
  await clean(page)
  await dialog.getByRole('button', { name: 'Save schedule' }).click()
  await closed(page)
  const on = page.getByRole('switch', { name: `Run ${name}` })
  await expect(on).toBeChecked()
  await expect(page.getByText('30 4 * * * (Europe/Berlin) on name:this-machine').first()).toBeVisible()
  await clean(page)
  await on.click({ force: true })
  await expect(on).not.toBeChecked()
  await page.reload()
  await expect(on).not.toBeChecked()
})

test('what the console says about engines is said in the second language', async ({ page }) => {
  await install('example')
  await signIn(page)
  await page.evaluate(() => localStorage.setItem('sysmanage.language', 'de'))
  await page.goto(`${fleet.url}/engines/example/notes`)
  await expect(page.getByLabel('Neue Notiz')).toBeVisible()
  const entry = page.getByRole('navigation').locator('a[href="/engines/example/notes"]')
  await expect(entry).toHaveText('Notizen')
  const admin = await api()
  try {
    await admin.post('/api/v1/engines/example/-/disable', { data: {} })
    const locked = page.getByTestId('engine-locked')
    await expect(locked).toContainText('Example ist ausgeschaltet')
    await expect(locked.getByRole('button', { name: 'Zu den Engines' })).toBeVisible()
    // Without the engine's code there are only the words of its manifest.
    await expect(entry).toHaveText(/^Notes\s*gesperrt$/)
  } finally {
    await admin.post('/api/v1/engines/example/-/enable', { data: {} })
  }
  await expect(entry).toHaveText('Notizen')
  await page.goto(`${fleet.url}/engines/example/nowhere`)
  await expect(page.getByRole('alert')).toContainText('Example hat unter dieser Adresse keine Seite.')
  await page.goto(`${fleet.url}/engines/nothing/at-all`)
  await expect(page.getByRole('alert')).toContainText('Keine solche Engine')
})

/** A script in the library; the answer is its name. */
async function written(title: string): Promise<string> {
  const name = `${title} ${Date.now()}`
  const version = { content: '#!/bin/sh\ntrue\n', interpreter: 'sh', parameters: [], privileged: false, timeout_s: 60, note: '' }
  const made = await (await api()).post('/api/v1/engines/automation/scripts', { data: { name, description: '', version } })
  expect(made.ok(), await made.text()).toBe(true)
  return name
}

test('pages of engines speak the language of the console, and follow it without a reload', async ({ page }) => {
  const script = await written('Two languages')
  const entry = (path: string) => page.getByRole('navigation').locator(`a[href="/engines/${path}"]`)
  const title = (name: string) => page.getByRole('heading', { name, level: 1, exact: true })
  const speak = async (language: string) => {
    await page.getByRole('button', { name: /admin$/ }).click()
    await page.getByText(language, { exact: true }).click()
    await page.keyboard.press('Escape')
  }
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts`)
  await expect(title('Scripts')).toBeVisible()
  await mark(page)

  await speak('Deutsch')
  await expect(page.locator('html')).toHaveAttribute('lang', 'de')
  await expect(title('Skripte')).toBeVisible()
  await expect(page).toHaveTitle('Skripte · SysManage')
  const menu = { scripts: 'Skripte', runs: 'Läufe', approvals: 'Freigaben', schedules: 'Zeitpläne' }
  for (const [path, label] of Object.entries(menu)) await expect(entry(`automation/${path}`)).toContainText(label)
  await page.getByRole('button', { name: `${script} ausführen` }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Hosts').first().fill('name:this-machine')
  await expect(dialog.getByTestId('run-sentence')).toHaveText(`Version 1 von ${script} wird auf 1 Host laufen.`)
  await expect(dialog.getByRole('button', { name: 'Auf 1 Host ausführen' })).toBeEnabled()
  await page.keyboard.press('Escape')
  await closed(page)
  await page.keyboard.press('Control+k')
  await dialog.getByRole('combobox').fill(script)
  await expect(dialog.getByRole('option', { name: script })).toContainText('Automation: Skripte')
  await page.keyboard.press('Escape')
  await closed(page)

  await entry('automation/runs').click()
  await expect(title('Läufe')).toBeVisible()
  await page.getByRole('combobox', { name: 'Zustand' }).click()
  await expect(page.getByRole('option', { name: 'wartet auf Freigabe' })).toBeVisible()
  await page.keyboard.press('Escape')
  await entry('proplus_core/licence').click()
  await expect(title('Lizenzumfang')).toBeVisible()
  await expect(page.getByRole('tab')).toHaveText(['Umfang', 'Was endet', 'Hosts', 'Erneuerung', 'Nachweisbuch'])
  await clean(page)
  await page.getByRole('navigation').getByRole('link', { name: 'Übersicht' }).click()
  await expect(page.getByText('Letzte Läufe', { exact: true })).toBeVisible()
  await expect(page.getByText('Umfang und Vorschau')).toBeVisible()

  await speak('English')
  await expect(page.locator('html')).toHaveAttribute('lang', 'en')
  await expect(page.getByText('Latest runs', { exact: true })).toBeVisible()
  await expect(entry('automation/runs')).toHaveText('Runs')
  await entry('proplus_core/licence').click()
  await expect(title('Licence coverage')).toBeVisible()
  expect(await unloaded(page)).toBe(true)
})

test('the longer words of the second language fit on the pages of engines', async ({ page }) => {
  await install('example')
  await written('Zeilenumbruch')
  await signIn(page)
  await page.evaluate(() => localStorage.setItem('sysmanage.language', 'de'))
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 })
    for (const path of ['automation/scripts', 'automation/runs', 'automation/approvals', 'automation/schedules', 'example/notes', 'proplus_core/licence']) {
      await page.goto(`${fleet.url}/engines/${path}`)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await expect(page.locator('[aria-busy="true"]')).toHaveCount(0)
      expect.soft(await page.evaluate(flaws), `${path} ${width}`).toEqual([])
      await page.screenshot({ path: `screenshots/de-${path.replace('/', '-')}-${width}.png` })
      await clean(page)
    }
  }
})

test('a script is written, run on a machine as frozen, and its output is seen live', async ({ page }) => {
  const name = `Count to three ${Date.now()}`
  await signIn(page)
  await page.goto(`${fleet.url}/engines/automation/scripts`)
  await page.getByRole('button', { name: 'New script' }).click()
  const editor = page.getByRole('dialog')
  await editor.getByLabel('Name').first().fill(name)
  await editor.getByLabel('Script', { exact: true }).fill('#!/bin/bash\nfor n in 1 2 3; do echo "line $n <b>"; sleep 0.3; done\n')
  await editor.getByRole('button', { name: 'Save script' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  await clean(page)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Machines').first().fill('name:this-machine')
  await expect(dialog.getByTestId('frozen-targets')).toContainText('this-machine')
  await expect(dialog.getByTestId('run-sentence')).toContainText('will run on 1 machine')
  await dialog.getByRole('button', { name: 'Run on 1 machine' }).click()
  await expect(page.getByTestId('output-group')).toContainText('line 3 <b>', SLOW)
  await expect(page.getByText('succeeded').first()).toBeVisible(SLOW)
  await clean(page)
})
