// Vite plugin of the console: an entry for each shared module, and the import map that leads engines to them.
//
// The map is a `<script type="importmap">` in index.html: browsers read no other kind. The host computes the hash of what
// stands in it for the content security policy, so no inline script is allowed but exactly this one.
import { fileURLToPath } from "node:url";
import { SHARED } from "./shared.mjs";

const PREFIX = "virtual:shared/";
const KIT = fileURLToPath(new URL("../index.ts", import.meta.url));

/** CommonJS packages have no named exports for a bundler to re-export: they are listed from the package itself. */
async function code(specifier) {
  if (specifier === "@sysmanage/plugin-kit") return `export * from ${JSON.stringify(KIT)};`;
  const names = Object.keys(await import(specifier)).filter((n) => n !== "default" && n !== "module.exports" && !n.startsWith("__"));
  const from = JSON.stringify(specifier);
  if (!["react", "react/jsx-runtime", "react-dom"].includes(specifier)) return `export * from ${from};`;
  return `import * as all from ${from};\nconst it = all.default ?? all;\nexport default it;\n${names.map((n) => `export const ${n} = it.${n};`).join("\n")}`;
}

export function sharedModules() {
  let base = "/";
  let dev = false;
  return {
    name: "sysmanage-shared-modules",
    config: () => ({ resolve: { alias: { "@sysmanage/plugin-kit": KIT } } }),
    configResolved(config) {
      base = config.base;
      dev = config.command === "serve";
    },
    buildStart() {
      if (dev) return;
      for (const [specifier, name] of Object.entries(SHARED)) {
        this.emitFile({ type: "chunk", id: PREFIX + specifier, name: `shared-${name}`, preserveSignature: "strict" });
      }
    },
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load: (id) => (id.startsWith(`\0${PREFIX}`) ? code(id.slice(PREFIX.length + 1)) : undefined),
    transformIndexHtml: {
      order: "post",
      handler(_html, context) {
        const imports = {};
        for (const [specifier, name] of Object.entries(SHARED)) {
          const chunk = Object.values(context.bundle ?? {}).find((c) => c.type === "chunk" && c.name === `shared-${name}`);
          if (chunk) imports[specifier] = base + chunk.fileName;
          else if (dev) imports[specifier] = `${base}@id/__x00__${PREFIX}${specifier}`;
        }
        const children = JSON.stringify({ imports });
        return [{ tag: "script", attrs: { type: "importmap" }, children, injectTo: "head-prepend" }];
      },
    },
  };
}
