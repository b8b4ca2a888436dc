// Pages that fail on demand.
import { registerEngine } from "@sysmanage/plugin-kit";

registerEngine({
  id: "misbehaving",
  pages: [
    { path: "throwing", title: "Throwing", component: () => import("./pages/ThrowingPage") },
    { path: "missing", title: "Missing", component: () => Promise.reject(new Error("this part cannot be loaded")) },
  ],
  overviewCards: [{ id: "throwing", title: "A card that throws", width: 3, component: () => import("./pages/ThrowingPage") }],
});
