// Labels that engines register: a text, a text per language, or a function that says it in the reader's language.
import { currentLanguage } from "../i18n";
import type { Label } from "./types";

/** What to show. A label that fails, or says nothing, costs its menu or page nothing: `fallback` stands there. */
export function spoken(label: Label | undefined, fallback: string): string {
  try {
    const text = typeof label === "function" ? label() : typeof label === "object" ? (label[currentLanguage()] ?? label.en) : label;
    return typeof text === "string" && text !== "" ? text : fallback;
  } catch (error) {
    console.error("A label of an engine failed.", error);
    return fallback;
  }
}
