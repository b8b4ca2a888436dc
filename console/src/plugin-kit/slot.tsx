// One place of the console filled by an engine: loaded when shown, behind its own boundary.
import { Center, Loader } from "@mantine/core";
import { type ComponentType, lazy, Suspense } from "react";
import { t } from "../i18n";
import { EngineBoundary } from "./boundary";
import { EngineProvider } from "./engine-context";
import { LockedPanel } from "./locked";
import { useEngineEntry } from "./registry";
import type { Lazy } from "./types";

const components = new WeakMap<Lazy<never>, ComponentType<never>>();

/** The component of a loader, the same each time; a load that failed is tried again. */
function componentOf<P extends object>(load: Lazy<P>): ComponentType<P> {
  const key = load as unknown as Lazy<never>;
  const known = components.get(key) as ComponentType<P> | undefined;
  if (known) return known;
  const made = lazy(() =>
    load().catch((error: unknown) => {
      components.delete(key);
      throw error;
    }),
  ) as unknown as ComponentType<P>;
  components.set(key, made as unknown as ComponentType<never>);
  return made;
}

export interface SlotProps<P extends object> {
  engine: string;
  load: Lazy<P>;
  props: P;
  params?: Record<string, string>;
  /** Whether it is the page itself: then its failure is the page's heading. */
  page?: boolean;
}

export function EngineSlot<P extends object>({ engine, load, props, params = {}, page = false }: SlotProps<P>) {
  const entry = useEngineEntry(engine);
  if (!entry) return null;
  const { ui } = entry;
  if (!entry.registration) return <LockedPanel ui={ui} failure={entry.failure} />;
  const Part = componentOf(load);
  return (
    <EngineBoundary engine={ui.name} version={ui.version} what={`${entry.digest}`} page={page}>
      <EngineProvider value={{ ui, params }}>
        <Suspense fallback={<Center p="xl"><Loader size="sm" role="status" aria-label={t("kit.loading")} /></Center>}>
          <Part {...props} />
        </Suspense>
      </EngineProvider>
    </EngineBoundary>
  );
}
