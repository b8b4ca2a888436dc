import type { Plugin } from "vite";

/** An entry for each module that console and engines share, and the import map that leads engines to them. */
export function sharedModules(): Plugin;
