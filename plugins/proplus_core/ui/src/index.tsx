// What licence management brings to the console.
import { registerEngine } from "@sysmanage/plugin-kit";

registerEngine({
  id: "proplus_core",
  pages: [{ path: "licence", title: "Licence coverage", component: () => import("./pages/CoveragePage") }],
  navigation: [{ label: "Licence", path: "licence" }],
  overviewCards: [{ id: "licence", title: "Licence", permission: "proplus_core:license:read", width: 3, component: () => import("./pages/LicenceCard") }],
});
