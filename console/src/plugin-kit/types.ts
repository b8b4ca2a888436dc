// What an engine registers. Only types: the contract between console and engines, which only grows.
import type { ComponentType } from "react";

/** Loads a component when it is first shown. */
export type Lazy<P = object> = () => Promise<{ default: ComponentType<P> }>;

/**
 * A text that is shown: as it is, by language (`en` where the reader's is missing), or said by a function each time it is
 * shown, such as `() => t("nav.notes")`.
 */
export type Label = string | { readonly en: string; readonly [language: string]: string } | (() => string);

/** A machine, as tabs and bulk actions see it. */
export interface MachineRef {
  id: string;
  name: string;
}

/** A page below the engine's own path. */
export interface EnginePage {
  /** Path below `/engines/<id>/`, with `:name` for a parameter: `runs/:id`. */
  path: string;
  /** Shown in the browser's title. */
  title: Label;
  component: Lazy;
}

/**
 * An entry of the console's navigation. The signed manifest lists it too, with its permission: what is not there is not shown.
 * The label is this one; the manifest's stands there while the engine's code is not loaded, as when it is locked.
 */
export interface EngineNavigation {
  label: Label;
  path: string;
  /** Number shown beside the label, e.g. what waits for a decision. */
  useCount?: () => number | undefined;
}

/** A tab of the machine page. */
export interface MachineTab {
  id: string;
  label: Label;
  permission?: string;
  component: Lazy<{ machine: MachineRef }>;
}

/** A card of the overview. */
export interface OverviewCard {
  id: string;
  title: Label;
  permission?: string;
  /** Columns of twelve. */
  width?: 3 | 4 | 6 | 12;
  component: Lazy;
}

/** Something to do with the machines chosen in a list. */
export interface BulkAction {
  id: string;
  label: Label;
  permission?: string;
  /** Shown in a dialog; the list gives the selector that chooses exactly these machines. */
  component: Lazy<{ selector: string; count: number; onClose: () => void }>;
}

/** The engine's part of the settings page. */
export interface SettingsSection {
  id: string;
  label: Label;
  permission?: string;
  component: Lazy;
}

/** A hit of the global search. */
export interface SearchHit {
  id: string;
  label: string;
  description?: string;
  /** Path below the engine's own. */
  path: string;
}

/** Answers the global search. */
export interface SearchProvider {
  id: string;
  label: Label;
  search: (text: string, signal: AbortSignal) => Promise<SearchHit[]>;
}

/** Everything an engine brings to the console. */
export interface EngineRegistration {
  id: string;
  pages?: EnginePage[];
  navigation?: EngineNavigation[];
  machineTabs?: MachineTab[];
  overviewCards?: OverviewCard[];
  bulkActions?: BulkAction[];
  settings?: SettingsSection[];
  searchProviders?: SearchProvider[];
}

/** A page as the signed manifest declares it. */
export interface DeclaredPage {
  label: string;
  path: string;
  allowed: boolean;
}

/** A file with the hash the browser checks. */
export interface UiFile {
  href: string;
  integrity: string;
}

/** An engine with pages, as `GET /api/v1/engines/-/ui` tells. */
export interface EngineUi {
  id: string;
  name: string;
  description: string;
  version: string;
  tier: string;
  state: string;
  reason?: string;
  report?: string;
  remedy: string;
  entitlement: "granted" | "grace" | "read_only" | "locked";
  sentence: string;
  unlocks: string | null;
  turns_at: string | null;
  digest: string | null;
  entry: UiFile | null;
  styles: UiFile[];
  navigation: DeclaredPage[];
}
