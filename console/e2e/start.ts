/** Starts the demo's fleet on free ports in a folder of its own, and ends it after the last test. */
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { front } from './front.ts'
import { binary, ended, freePort, newHost, until } from './host.ts'

export default async function start(): Promise<() => Promise<void>> {
  // A fleet that runs already, such as the demo behind `npm run dev`: see docs/console.md.
  if (process.env.FLEET_URL) return async () => {}
  const folder = mkdtempSync(join(tmpdir(), 'sysmanage-browser-'))
  const log = join(folder, 'demo.log')
  const out = openSync(log, 'a')
  const port = await freePort()
  const args = ['--data', join(folder, 'demo'), '--port', String(port)]
  // Every test signs in from the one address there is: more often in a minute than people do.
  const env = { ...process.env, SYSMANAGE__AUTH__LOGINS_PER_MINUTE: '1000' }
  const demo = spawn(binary('demo'), args, { stdio: ['ignore', out, out], env })
  await until(log, 'Ctrl-C stops it', demo)
  const login = JSON.parse(readFileSync(join(folder, 'demo/login.json'), 'utf8')) as { password: string; token: string }

  // A second host, which nobody has set up.
  const fresh = await newHost()
  const own = `https://localhost:${port}`
  // A console that was built since the hosts were: `CONSOLE_DIST=embed/dist`.
  const dist = process.env.CONSOLE_DIST
  const shown = dist ? await front(own, dist) : { url: own, close: () => {} }
  process.env.FLEET_URL = shown.url
  process.env.FLEET_PASSWORD = login.password
  process.env.FLEET_TOKEN = login.token
  process.env.FLEET_LICENSE = readFileSync(join(folder, 'demo/license.jws'), 'utf8')
  process.env.FLEET_FOLDER = join(folder, 'demo')
  process.env.NEW_SETUP = fresh.setup
  return async () => {
    shown.close()
    demo.kill('SIGINT')
    await Promise.all([ended(demo), fresh.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
}
