/** Browser tests against a real host, agent and engines, which `e2e/start.ts` starts. */
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/start.ts',
  // What a page takes on two processors that do something else besides; see SLOW in fleet.ts for what takes longer.
  timeout: 240_000,
  expect: { timeout: 30_000 },
  // One fleet, which tests change: one after the other, in the order of their names.
  workers: 1,
  fullyParallel: false,
  reporter: [['list']],
  use: {
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
