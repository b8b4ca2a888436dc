/** What tests share: the fleet's address and credentials, signing in, and the API for what a test needs beforehand. */
import { type APIRequestContext, expect, type Page, request } from '@playwright/test'

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
