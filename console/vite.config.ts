/** How the console is built: hashed assets, each beside its Brotli form, no inline script. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

import { sharedModules } from './src/plugin-kit/build/vite-shared.mjs'
import { precompress } from './scripts/precompress.ts'

// `npm run dev` serves the pages and hands the API through to a host, the demo's unless told.
const host = process.env.SYSMANAGE_URL ?? 'https://localhost:8443'

export default defineConfig({
  plugins: [react(), sharedModules(), precompress()],
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
} as Parameters<typeof defineConfig>[0])
