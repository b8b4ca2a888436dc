/** A host of one's own, with nobody else's data: for tests that would be in the way of others. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, type Page } from '@playwright/test'

import { front } from './front.ts'

const PATIENCE_MS = 180_000

export function binary(name: string): string {
  return join(process.env.SYSMANAGE_BIN_DIR ?? '../target/debug', name)
}

/** A port whose neighbour is free too: the agents' gateway takes the next one. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
  throw new Error('no two free ports side by side')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Wait for a word in a process's log. */
export async function until(log: string, word: string, child: ChildProcess): Promise<string> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const text = readFileSync(log, 'utf8')
    if (text.includes(word)) return text
    if (child.exitCode !== null || Date.now() > end) throw new Error(`no "${word}" from ${child.spawnfile}:\n${text}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    setTimeout(() => child.kill('SIGKILL'), 40_000).unref()
  })
}

export interface NewHost {
  url: string
  /** Where its first administrator is made. */
  setup: string
  database: string
  stop: () => Promise<void>
}

/** Start a host that nobody has set up; `env` overrides its configuration. */
export async function newHost(env: Record<string, string> = {}): Promise<NewHost> {
  const folder = mkdtempSync(join(tmpdir(), 'sysmanage-host-'))
  const port = await freePort()
  const log = join(folder, 'host.log')
  const out = openSync(log, 'a')
  const data = join(folder, 'data')
  const args = ['--data-dir', data, 'serve', '--http-port', String(port), '--agents-port', String(port + 1)]
  const child = spawn(binary('sysmanage'), args, { stdio: ['ignore', out, out], env: { ...process.env, ...env } })
  const told = await until(log, 'Set it up', child)
  const dist = process.env.CONSOLE_DIST
  const own = `https://localhost:${port}`
  // A console that was built since the host was: `CONSOLE_DIST=embed/dist`.
  const shown = dist ? await front(own, dist) : { url: own, close: () => {} }
  const link = /https:\S+#\S+/.exec(told)?.[0] ?? ''
  return {
    url: shown.url,
    setup: shown.url + link.slice(link.indexOf('/', 'https://'.length)),
    database: join(data, 'sysmanage.db'),
    stop: async () => {
      shown.close()
      child.kill('SIGTERM')
      await ended(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Follow the link of a new host, and become its administrator, `admin`. */
export async function setUp(page: Page, host: NewHost, password: string): Promise<void> {
  await page.goto(host.setup)
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password)
  await page.getByRole('textbox', { name: 'Password again' }).fill(password)
  await page.getByRole('button', { name: 'Create the administrator' }).click()
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible()
}
