// What automation brings to the console.
import { registerEngine } from "@sysmanage/plugin-kit";
import { usePendingApprovals } from "./api";
import { searchScripts } from "./search";

registerEngine({
  id: "automation",
  pages: [
    { path: "scripts", title: "Scripts", component: () => import("./pages/ScriptsPage") },
    { path: "scripts/:id", title: "Script", component: () => import("./pages/ScriptPage") },
    { path: "runs", title: "Runs", component: () => import("./pages/RunsPage") },
    { path: "runs/:id", title: "Run", component: () => import("./pages/RunPage") },
    { path: "approvals", title: "Approvals", component: () => import("./pages/ApprovalsPage") },
    { path: "schedules", title: "Schedules", component: () => import("./pages/SchedulesPage") },
  ],
  navigation: [
    { label: "Scripts", path: "scripts" },
    { label: "Runs", path: "runs" },
    { label: "Approvals", path: "approvals", useCount: usePendingApprovals },
    { label: "Schedules", path: "schedules" },
  ],
  machineTabs: [{ id: "runs", label: "Scripts run", permission: "automation:runs:read", component: () => import("./parts/MachineRuns") }],
  overviewCards: [{ id: "latest", title: "Latest runs", permission: "automation:runs:read", width: 6, component: () => import("./parts/LatestRuns") }],
  bulkActions: [{ id: "run", label: "Run a script", permission: "automation:scripts:run", component: () => import("./parts/BulkRun") }],
  searchProviders: [{ id: "scripts", label: "Scripts", search: searchScripts }],
});
