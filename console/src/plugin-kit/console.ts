// What the console itself imports of the kit: the other side of the contract.
export { startEngines, refreshEngines } from "./loader";
export { useEngines, useEngineEntry, current as currentEngines } from "./registry";
export { EngineBoundary } from "./boundary";
export { LockedPanel, EntitlementBanner } from "./locked";
export { EngineSlot } from "./slot";
export {
  EnginePageView, searchEngines, useBulkActions, useEngineNavigation, useEngineSettings, useMachineTabs, useOverviewCards, type NavigationGroup,
} from "./pages";
