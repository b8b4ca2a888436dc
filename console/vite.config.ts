/** How the console is built: hashed assets, each beside its Brotli form, no inline script. */
import react from '@vitejs/plugin-react'
import { defineConfig, type UserConfig } from 'vite'

import { sharedModules } from './src/plugin-kit/build/vite-shared.mjs'
import { firstModules } from './scripts/first-load.ts'
import { precompress } from './scripts/precompress.ts'

// `npm run dev` serves the pages and hands the API through to a host, the demo's unless told.
const host = process.env.SYSMANAGE_URL ?? 'https://localhost:8443'

const config: UserConfig & { test: object } = {
  plugins: [react(), sharedModules()],
  build: {
    // The host takes the files in from there; the folder above is in the repository, so that it can be watched.
    outDir: 'embed/dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: {
    port: 5173,
    proxy: Object.fromEntries(
      ['/api', '/engines'].map((path) => [path, { target: host, secure: false, changeOrigin: false }]),
    ),
  },
  test: { include: ['src/**/*.test.ts'], setupFiles: ['scripts/test-browser.ts'] },
}

export default defineConfig(async ({ command, mode }) => {
  if (command !== 'build' || mode === 'test') return config
  const first = await firstModules({ plugins: [react(), sharedModules()], build: config.build })
  // Apart from the console's own code, so that browsers keep it when only that has changed.
  const groups = [{ name: 'libraries', test: (id: string) => first.has(id) && id.includes('node_modules') }]
  const rolldownOptions = { output: { codeSplitting: { groups } } }
  return { ...config, plugins: [react(), sharedModules(), precompress()], build: { ...config.build, rolldownOptions } }
})
