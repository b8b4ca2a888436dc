// Scripts in the global search.
import { engineApi, query, type SearchHit } from "@sysmanage/plugin-kit";
import type { Page, Script } from "./api";

const api = engineApi("automation");

export async function searchScripts(text: string, signal: AbortSignal): Promise<SearchHit[]> {
  const found = await api<Page<Script>>(`/scripts${query({ q: text, limit: 8 })}`, { signal });
  return found.items.map((s) => ({ id: s.id, label: s.name, description: s.description, path: `scripts/${s.id}` }));
}
