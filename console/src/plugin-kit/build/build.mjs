// Builds an engine's pages: `node build.mjs plugins/<id>/ui` writes dist/index.js and dist/index.css. Tools are the console's.
import { existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SHARED } from "./shared.mjs";

const console_ = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const need = createRequire(join(process.env.SYSMANAGE_CONSOLE_TOOLS ?? console_, "package.json"));
const { build } = await import(pathToFileURL(need.resolve("vite")));

const root = resolve(process.argv[2] ?? ".");
const entry = ["src/index.tsx", "src/index.ts"].map((f) => join(root, f)).find(existsSync);
if (!entry) {
  console.error(`${root} has no src/index.tsx`);
  process.exit(1);
}
rmSync(join(root, "dist"), { recursive: true, force: true });
await build({
  root,
  configFile: false,
  logLevel: "warn",
  // JSX as React wants it, without a plugin: pages are never developed apart from the console.
  oxc: { jsx: { runtime: "automatic" } },
  base: "./",
  build: {
    target: "es2023",
    outDir: join(root, "dist"),
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: entry },
      external: Object.keys(SHARED),
      preserveEntrySignatures: "exports-only",
      output: {
        format: "es",
        entryFileNames: "index.js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: (asset) => (asset.names?.some((n) => n.endsWith(".css")) ? "index.css" : "[name]-[hash][extname]"),
      },
    },
  },
});
