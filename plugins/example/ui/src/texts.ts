// What the example says, by language.
import { catalogue } from "@sysmanage/plugin-kit";

export const t = catalogue({
  en: {
    title: "Notes",
    description: "Every approved machine gets one; add your own.",
    new: "New note",
    add: "Add",
    none: "No notes yet.",
  },
  de: {
    title: "Notizen",
    description: "Jeder freigegebene Host bekommt eine; fügen Sie eigene hinzu.",
    new: "Neue Notiz",
    add: "Hinzufügen",
    none: "Noch keine Notizen.",
  },
});
