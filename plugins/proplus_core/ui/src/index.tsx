// What licence management brings to the console.
import { registerEngine } from "@sysmanage/plugin-kit";
import { t } from "./texts";

registerEngine({
  id: "proplus_core",
  pages: [{ path: "licence", title: () => t("title"), component: () => import("./pages/CoveragePage") }],
  navigation: [{ label: () => t("licence"), path: "licence" }],
  overviewCards: [{ id: "licence", title: () => t("licence"), permission: "proplus_core:license:read", width: 3, component: () => import("./pages/LicenceCard") }],
});
