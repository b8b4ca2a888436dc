// What the example brings to the console.
import { registerEngine } from "@sysmanage/plugin-kit";

registerEngine({
  id: "example",
  pages: [{ path: "notes", title: "Notes", component: () => import("./pages/NotesPage") }],
  navigation: [{ label: "Notes", path: "notes" }],
});
