// Keeps what is loaded equal to what the host serves: loads, replaces on upgrade, drops on disable, without a page reload.
import { t } from "../i18n";
import { request } from "./api";
import { listen } from "./events";
import { type LoadedEngine, current, publish, takeRegistration } from "./registry";
import type { EngineUi, UiFile } from "./types";

const LOAD_MS = 20_000;
const AGAIN_MS = 30_000;
/** States that another follows, of which no event may tell. */
const PASSING = ["discovered", "draining"];
const PASSING_MS = 1_000;
/** An engine that starts or stops is looked at again so long after the event that told of it. */
const SETTLING_MS = [1_000, 3_000, 6_000, 12_000];

let running: Promise<void> | undefined;
let again = false;

/** Begin; call the answer to stop. */
export function startEngines(): () => void {
  // An event may be told just before the state it leads to.
  const stopListening = listen(["engine.*", "license.*"], () => {
    void refreshEngines();
    for (const ms of SETTLING_MS) setTimeout(() => void refreshEngines(), ms);
  });
  // A licence also lapses by the clock, of which no event tells.
  const timer = setInterval(() => void refreshEngines(), AGAIN_MS);
  void refreshEngines();
  return () => {
    stopListening();
    clearInterval(timer);
  };
}

/** Ask the host again. Calls while one runs are answered by one more. */
export function refreshEngines(): Promise<void> {
  if (running) {
    again = true;
    return running;
  }
  running = refresh().finally(() => {
    running = undefined;
    if (again) {
      again = false;
      void refreshEngines();
    }
  });
  return running;
}

async function refresh(): Promise<void> {
  let list: { items: EngineUi[] };
  try {
    list = await request<{ items: EngineUi[] }>("/api/v1/engines/-/ui");
  } catch {
    // Signed out, or the host is away: keep what is shown.
    return;
  }
  const before = current().engines;
  const engines = await Promise.all(list.items.map((ui) => load(ui, before.find((e) => e.ui.id === ui.id))));
  const gone = before.filter((b) => !engines.some((e) => e.digest !== undefined && e.digest === b.digest));
  publish({ ready: true, engines });
  for (const engine of gone) dropStyles(engine);
  if (engines.some((e) => PASSING.includes(e.ui.state))) setTimeout(() => void refreshEngines(), PASSING_MS);
}

async function load(ui: EngineUi, before: LoadedEngine | undefined): Promise<LoadedEngine> {
  if (!ui.entry || !ui.digest) return { ui };
  if (before?.digest === ui.digest) return { ...before, ui };
  try {
    await Promise.all(ui.styles.map((file) => style(ui.id, file)));
    const registration = await module(ui.id, ui.entry);
    return { ui, digest: ui.digest, registration };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    console.error(`The pages of ${ui.id} ${ui.version} could not be loaded.`, error);
    return { ui, failure };
  }
}

/** What each module registered. A browser runs a module once: one that comes back is not asked again. */
const registrations = new Map<string, NonNullable<LoadedEngine["registration"]>>();

async function module(id: string, file: UiFile) {
  const known = registrations.get(file.href);
  if (known) return known;
  await link({ rel: "modulepreload", href: file.href, integrity: file.integrity }, id);
  await withDeadline(import(/* @vite-ignore */ file.href));
  const registration = takeRegistration(id);
  if (!registration) throw new Error(t("kit.load.silent", { file: file.href }));
  registrations.set(file.href, registration);
  return registration;
}

function style(id: string, file: UiFile): Promise<void> {
  return link({ rel: "stylesheet", href: file.href, integrity: file.integrity }, id);
}

function link(attributes: { rel: string; href: string; integrity: string }, id: string): Promise<void> {
  const there = [...document.head.querySelectorAll("link")].some((l) => l.getAttribute("href") === attributes.href);
  if (there) return Promise.resolve();
  const element = Object.assign(document.createElement("link"), attributes, { crossOrigin: "anonymous" });
  element.dataset.engine = id;
  const loaded = new Promise<void>((resolve, reject) => {
    element.onload = () => resolve();
    element.onerror = () => {
      element.remove();
      reject(new Error(t("kit.load.failed", { file: attributes.href })));
    };
  });
  document.head.append(element);
  return withDeadline(loaded);
}

function dropStyles(engine: LoadedEngine): void {
  if (!engine.digest) return;
  for (const element of document.head.querySelectorAll(`link[data-engine="${engine.ui.id}"]`)) {
    if (element.getAttribute("href")?.includes(engine.digest)) element.remove();
  }
}

function withDeadline<T>(promise: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(t("kit.load.late"))), LOAD_MS),
  );
  return Promise.race([promise, late]);
}
