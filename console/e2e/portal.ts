/** A portal on loopback that sells the engines that were packed, with the test payment. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { packageOf } from './fleet.ts'
import { binary, ended, freePort } from './host.ts'

const PATIENCE_MS = 60_000

export interface Portal {
  url: string
  /** Publish a package file. */
  publish: (file: string) => void
  /** Make somebody who has signed up one of the vendor's staff. */
  staff: (email: string) => void
  stop: () => Promise<void>
}

export async function newPortal(engines: string[]): Promise<Portal> {
  const folder = mkdtempSync(join(tmpdir(), 'sysmanage-portal-'))
  const config = join(folder, 'portal.toml')
  // Staff sign in without an authenticator, and packages of the tests have no conformance report.
  writeFileSync(config, '[payments]\ntest = true\n[auth]\nstaff_second_factor = false\n[releases]\nneeds_report = false\n')
  const common = ['--config', config, '--data-dir', join(folder, 'data')]
  const run = (...args: string[]) => execFileSync(binary('sysmanage-portal'), [...common, ...args], { encoding: 'utf8', timeout: PATIENCE_MS })
  for (const engine of engines) run('publish', packageOf(engine))
  const port = await freePort()
  const out = openSync(join(folder, 'portal.log'), 'a')
  const child = spawn(binary('sysmanage-portal'), [...common, 'serve', '--port', String(port)], { stdio: ['ignore', out, out] })
  const url = `http://127.0.0.1:${port}`
  await answers(`${url}/readyz`)
  return {
    url,
    publish: (file) => void run('publish', file),
    staff: (email) => void run('staff', email),
    stop: async () => {
      child.kill('SIGTERM')
      await ended(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const ok = await fetch(url).then((answer) => answer.ok, () => false)
    if (ok) return
    if (Date.now() > end) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
