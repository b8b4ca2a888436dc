// What the example brings to the console.
import { registerEngine } from "@sysmanage/plugin-kit";
import { t } from "./texts";

const title = () => t("title");

registerEngine({
  id: "example",
  pages: [{ path: "notes", title, component: () => import("./pages/NotesPage") }],
  navigation: [{ label: title, path: "notes" }],
});
