// Where the console shows what engines bring: the page of a path, navigation, tabs, cards, actions, settings, search.
import { Alert, Center, Loader, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { t } from "../i18n";
import { EngineProvider } from "./engine-context";
import { spoken } from "./label";
import { EntitlementBanner, LockedPanel } from "./locked";
import { type LoadedEngine, useEngines } from "./registry";
import { EngineSlot } from "./slot";
import type { BulkAction, DeclaredPage, EnginePage, EngineUi, MachineRef, MachineTab, OverviewCard, SearchHit, SettingsSection } from "./types";

/** The parameters when `path` fits `pattern`. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/").filter(Boolean);
  const found = path.split("/").filter(Boolean);
  if (wanted.length !== found.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const here = found[i] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(here);
    else if (part !== here) return undefined;
  }
  return params;
}

function find(pages: EnginePage[], path: string): { page: EnginePage; params: Record<string, string> } | undefined {
  for (const page of pages) {
    const params = match(page.path, path);
    if (params) return { page, params };
  }
  return undefined;
}

/** The page of an engine at a path below `/engines/<id>/`; without a path its first. */
export function EnginePageView({ id, path }: { id: string; path: string }) {
  const { ready, engines } = useEngines();
  const entry = engines.find((e) => e.ui.id === id);
  if (!ready) return <Center p="xl"><Loader role="status" aria-label={t("kit.loading")} /></Center>;
  if (!entry) return <Alert color="gray" title={t("kit.noengine.title")}>{t("kit.noengine", { name: id })}</Alert>;
  if (!entry.registration) return <LockedPanel ui={entry.ui} failure={entry.failure} />;
  return <Found entry={entry} path={path} />;
}

function Found({ entry, path }: { entry: LoadedEngine; path: string }) {
  const pages = entry.registration?.pages ?? [];
  const first = entry.ui.navigation.find((n) => n.allowed);
  const found = find(pages, path === "" ? (first?.path ?? "") : path);
  const declared = entry.ui.navigation.find((n) => n.path === path.split("/")[0]);
  const title = found && spoken(found.page.title, entry.ui.name);
  useEffect(() => {
    if (title) document.title = `${title} · SysManage`;
  }, [title]);
  if (declared && !declared.allowed) {
    return <Alert color="gray" title={t("kit.notallowed.title")}>{t("kit.notallowed", { name: navigationLabel(entry, declared) })}</Alert>;
  }
  if (!found) return <Alert color="gray" title={t("kit.nopage.title")}>{t("kit.nopage", { name: entry.ui.name })}</Alert>;
  return (
    <Stack gap="md">
      <EntitlementBanner ui={entry.ui} />
      <EngineSlot engine={entry.ui.id} load={found.page.component} props={{}} params={found.params} page />
    </Stack>
  );
}

export interface NavigationGroup {
  ui: EngineUi;
  locked: boolean;
  pages: (DeclaredPage & { href: string; useCount?: () => number | undefined })[];
}

const registered = (entry: LoadedEngine, page: DeclaredPage) => entry.registration?.navigation?.find((n) => n.path === page.path);

/** What the engine's code says; the signed manifest's words while there is none. */
const navigationLabel = (entry: LoadedEngine, page: DeclaredPage) => spoken(registered(entry, page)?.label, page.label);

/** Navigation of every engine: what the signed manifest declares and the caller may open; a locked one stays, with its reason. */
export function useEngineNavigation(): NavigationGroup[] {
  return useEngines().engines.map((entry) => ({
    ui: entry.ui,
    locked: !entry.registration,
    pages: entry.ui.navigation
      .filter((n) => n.allowed)
      .map((n) => ({
        ...n,
        label: navigationLabel(entry, n),
        href: `/engines/${entry.ui.id}/${n.path}`,
        useCount: registered(entry, n)?.useCount,
      })),
  }));
}

type Part = "machineTabs" | "overviewCards" | "bulkActions" | "settings";
type Parts = { machineTabs: MachineTab; overviewCards: OverviewCard; bulkActions: BulkAction; settings: SettingsSection };

function useParts<K extends Part>(kind: K, allows: (permission: string) => boolean): { engine: string; part: Parts[K] }[] {
  const { engines } = useEngines();
  return engines.flatMap((entry) => {
    const parts = (entry.registration?.[kind] ?? []) as Parts[K][];
    return parts.filter((p) => !p.permission || allows(p.permission)).map((part) => ({ engine: entry.ui.id, part }));
  });
}

export interface Shown {
  key: string;
  label: string;
}

/** Tabs for the machine page. */
export function useMachineTabs(allows: (permission: string) => boolean) {
  return useParts("machineTabs", allows).map(({ engine, part }) => ({
    key: `${engine}.${part.id}`,
    label: spoken(part.label, part.id),
    render: (machine: MachineRef) => <EngineSlot engine={engine} load={part.component} props={{ machine }} />,
  }));
}

/** Cards for the overview. */
export function useOverviewCards(allows: (permission: string) => boolean) {
  return useParts("overviewCards", allows).map(({ engine, part }) => ({
    key: `${engine}.${part.id}`,
    label: spoken(part.title, part.id),
    width: part.width ?? 4,
    render: () => <EngineSlot engine={engine} load={part.component} props={{}} />,
  }));
}

/** Actions for the bar of a list of machines. */
export function useBulkActions(allows: (permission: string) => boolean) {
  return useParts("bulkActions", allows).map(({ engine, part }) => ({
    key: `${engine}.${part.id}`,
    label: spoken(part.label, part.id),
    render: (props: { selector: string; count: number; onClose: () => void }) => (
      <EngineSlot engine={engine} load={part.component} props={props} />
    ),
  }));
}

/** Sections for the settings page. */
export function useEngineSettings(allows: (permission: string) => boolean) {
  return useParts("settings", allows).map(({ engine, part }) => ({
    key: `${engine}.${part.id}`,
    label: spoken(part.label, part.id),
    render: () => <EngineSlot engine={engine} load={part.component} props={{}} />,
  }));
}

const SEARCH_MS = 3_000;

/** Ask every engine; one that fails or is slow costs only its own hits. */
export async function searchEngines(engines: LoadedEngine[], text: string, signal: AbortSignal) {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(SEARCH_MS)]);
  const asked = engines.flatMap((entry) =>
    (entry.registration?.searchProviders ?? []).map(async (provider) => {
      const hits: SearchHit[] = await provider.search(text, bounded).catch(() => []);
      return hits.slice(0, 20).map((hit) => ({
        ...hit,
        key: `${entry.ui.id}.${provider.id}.${hit.id}`,
        group: `${entry.ui.name}: ${spoken(provider.label, provider.id)}`,
        href: `/engines/${entry.ui.id}/${hit.path}`,
      }));
    }),
  );
  return (await Promise.all(asked)).flat();
}

/** What a part shows while the engine that would fill it is absent. */
export function EmptySlot({ children }: { children: string }) {
  return <Text c="dimmed" size="sm">{children}</Text>;
}

export { EngineProvider };
