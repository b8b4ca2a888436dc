/** Starts the demo's fleet on free ports in a folder of its own, and ends it after the last test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { front } from './front.ts'

const PATIENCE_MS = 180_000

function binary(name: string): string {
  return join(process.env.SYSMANAGE_BIN_DIR ?? '../target/debug', name)
}

/** A port whose neighbour is free too: the agents' gateway takes the next one. */
async function freePort(): Promise<number> {
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

async function until(log: string, word: string, child: ChildProcess): Promise<string> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const text = readFileSync(log, 'utf8')
    if (text.includes(word)) return text
    if (child.exitCode !== null || Date.now() > end) throw new Error(`no "${word}" from ${child.spawnfile}:\n${text}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', () => resolve())
    setTimeout(() => child.kill('SIGKILL'), 40_000).unref()
  })
}

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
  const newPort = await freePort()
  const newLog = join(folder, 'new.log')
  const newOut = openSync(newLog, 'a')
  const newArgs = ['--data-dir', join(folder, 'new'), 'serve', '--http-port', String(newPort), '--agents-port', String(newPort + 1)]
  const fresh = spawn(binary('sysmanage'), newArgs, { stdio: ['ignore', newOut, newOut] })
  const told = await until(newLog, 'Set it up', fresh)

  // A console that was built since the hosts were: `CONSOLE_DIST=embed/dist`.
  const dist = process.env.CONSOLE_DIST
  const shown = await Promise.all(
    [port, newPort].map((p) => `https://localhost:${p}`).map((url) => (dist ? front(url, dist) : { url, close: () => {} })),
  )
  process.env.FLEET_URL = shown[0]!.url
  process.env.FLEET_PASSWORD = login.password
  process.env.FLEET_TOKEN = login.token
  process.env.FLEET_LICENSE = readFileSync(join(folder, 'demo/license.jws'), 'utf8')
  process.env.FLEET_FOLDER = join(folder, 'demo')
  const link = /https:\S+#\S+/.exec(told)?.[0]
  process.env.NEW_SETUP = link ? shown[1]!.url + link.slice(link.indexOf('/', 'https://'.length)) : ''
  return async () => {
    for (const one of shown) one.close()
    demo.kill('SIGINT')
    fresh.kill('SIGTERM')
    await Promise.all([ended(demo), ended(fresh)])
    rmSync(folder, { recursive: true, force: true })
  }
}
