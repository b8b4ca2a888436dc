// Which engine a component belongs to, and what it may do now.
import { createContext, type ReactNode, useCallback, useContext, useMemo } from "react";
import { useRouter } from "@tanstack/react-router";
import { engineApi, type Call } from "./api";
import { useEngineEntry } from "./registry";
import type { EngineUi } from "./types";

export interface EngineContext {
  ui: EngineUi;
  /** Parameters of the page's path. */
  params: Record<string, string>;
}

const Context = createContext<EngineContext | undefined>(undefined);

export function EngineProvider({ value, children }: { value: EngineContext; children: ReactNode }) {
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export interface Engine {
  id: string;
  name: string;
  version: string;
  /** Whether changes are possible: `false` while the licence only allows reading. */
  mayWrite: boolean;
  params: Record<string, string>;
  api: <T>(path: string, call?: Call) => Promise<T>;
  /** Address of one of the engine's pages. */
  href: (path: string) => string;
  /** Go to one of the engine's pages. */
  go: (path: string, options?: { replace?: boolean }) => void;
}

/** The engine that the component belongs to. */
export function useEngine(): Engine {
  const context = useContext(Context);
  if (!context) throw new Error("useEngine: this component is not part of an engine's page");
  const { id } = context.ui;
  const ui = useEngineEntry(id)?.ui ?? context.ui;
  const router = useRouter();
  const api = useMemo(() => engineApi(id), [id]);
  const href = useCallback((path: string) => `/engines/${id}/${path.replace(/^\//, "")}`, [id]);
  const go = useCallback(
    (path: string, options?: { replace?: boolean }) => {
      if (options?.replace) router.history.replace(href(path));
      else router.history.push(href(path));
    },
    [href, router],
  );
  return {
    id,
    name: ui.name,
    version: ui.version,
    mayWrite: ui.entitlement === "granted" || ui.entitlement === "grace",
    params: context.params,
    api,
    href,
    go,
  };
}
