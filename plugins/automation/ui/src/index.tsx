// What automation brings to the console.
import { registerEngine } from "@sysmanage/plugin-kit";
import { usePendingApprovals } from "./api";
import { searchScripts } from "./search";
import { t } from "./texts";

registerEngine({
  id: "automation",
  pages: [
    { path: "scripts", title: () => t("scripts"), component: () => import("./pages/ScriptsPage") },
    { path: "scripts/:id", title: () => t("script"), component: () => import("./pages/ScriptPage") },
    { path: "runs", title: () => t("runs"), component: () => import("./pages/RunsPage") },
    { path: "runs/:id", title: () => t("run"), component: () => import("./pages/RunPage") },
    { path: "approvals", title: () => t("approvals"), component: () => import("./pages/ApprovalsPage") },
    { path: "schedules", title: () => t("schedules"), component: () => import("./pages/SchedulesPage") },
  ],
  navigation: [
    { label: () => t("scripts"), path: "scripts" },
    { label: () => t("runs"), path: "runs" },
    { label: () => t("approvals"), path: "approvals", useCount: usePendingApprovals },
    { label: () => t("schedules"), path: "schedules" },
  ],
  machineTabs: [{ id: "runs", label: () => t("tab.machine"), permission: "automation:runs:read", component: () => import("./parts/MachineRuns") }],
  overviewCards: [{ id: "latest", title: () => t("card.latest"), permission: "automation:runs:read", width: 6, component: () => import("./parts/LatestRuns") }],
  bulkActions: [{ id: "run", label: () => t("bulk.run"), permission: "automation:scripts:run", component: () => import("./parts/BulkRun") }],
  searchProviders: [{ id: "scripts", label: () => t("scripts"), search: searchScripts }],
});
