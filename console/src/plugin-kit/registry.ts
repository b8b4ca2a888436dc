// What engines have registered, and which of them are loaded. A store outside React: engines register while their module runs.
import { useSyncExternalStore } from "react";
import type { EngineRegistration, EngineUi } from "./types";

export interface LoadedEngine {
  ui: EngineUi;
  /** Digest of the package whose module is registered. */
  digest?: string;
  registration?: EngineRegistration;
  /** Why its module could not be loaded. */
  failure?: string;
}

export interface Snapshot {
  /** Whether the list was read once. */
  ready: boolean;
  engines: LoadedEngine[];
}

let snapshot: Snapshot = { ready: false, engines: [] };
const subscribers = new Set<() => void>();
/** Registrations by the module that made them: the loader picks up what its import left here. */
const arrived = new Map<string, EngineRegistration>();

/** Called by an engine's entry module, once. */
export function registerEngine(registration: EngineRegistration): void {
  if (!/^[a-z][a-z0-9_]{1,39}$/.test(registration.id)) {
    throw new Error(`registerEngine: \`${registration.id}\` is no id of an engine`);
  }
  arrived.set(registration.id, registration);
}

/** Take what the module of `id` registered. */
export function takeRegistration(id: string): EngineRegistration | undefined {
  const found = arrived.get(id);
  arrived.delete(id);
  return found;
}

export function publish(next: Snapshot): void {
  snapshot = next;
  for (const told of subscribers) told();
}

export function current(): Snapshot {
  return snapshot;
}

function subscribe(told: () => void): () => void {
  subscribers.add(told);
  return () => subscribers.delete(told);
}

/** Everything that engines bring; renders again when one comes, changes or goes. */
export function useEngines(): Snapshot {
  return useSyncExternalStore(subscribe, current);
}

/** One engine; `undefined` when it is not installed. */
export function useEngineEntry(id: string): LoadedEngine | undefined {
  return useEngines().engines.find((e) => e.ui.id === id);
}
