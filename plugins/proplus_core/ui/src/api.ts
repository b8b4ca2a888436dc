// The engine's own routes, as its OpenAPI document describes them.
import { engineApi, useEvents } from "@sysmanage/plugin-kit";
import { useQuery, useQueryClient } from "@tanstack/react-query";

export interface LicenceView {
  id: string;
  organisation: string;
  tier: string;
  engines: string[];
  expires_at: string | null;
  grace_until: string | null;
  days_left: number | null;
  standing: string;
  trial: boolean;
}

export interface Step {
  at: string;
  engine: string;
  name: string;
  state: string;
}

export interface Overview {
  instance: string;
  licenses: LicenceView[];
  machines: number;
  machine_limit: number | null;
  engines_granted: number;
  engines: number;
  next_change: Step | null;
  clock_set_back: boolean;
}

export interface Row {
  engine: string;
  name: string;
  tier: string;
  features: string[];
  professional: boolean;
  enterprise: boolean;
  installed: string | null;
  state: string;
  missing: string | null;
}

export interface Lapse {
  at: string;
  sentence: string;
  timeline: Step[];
  engines: { engine: string; name: string; now: string; then: string; sentence: string; stops: string[]; continues: string[] }[];
}

export interface Day {
  day: string;
  peak: number;
  last: number;
  limit: number | null;
}

export interface Entry {
  seq: number;
  at: string;
  kind: string;
  data: string;
  hash: string;
}

export interface Checked {
  whole: boolean;
  entries: number;
  head: string;
  broken_at: number | null;
  sentence: string;
}

export interface Renewal {
  id: string;
  digest: string;
  actor_name: string;
  created_at: string;
  answered_at: string | null;
  file: string;
}

export interface Notice {
  license: string;
  days: number;
  expires_at: string;
  sent_at: string | null;
}

export const api = engineApi("proplus_core");

/** Read a route; read again when something happens to licences, engines or machines. */
export function useRead<T>(path: string) {
  const client = useQueryClient();
  useEvents(["license.*", "engine.*", "machine.approved"], () => void client.invalidateQueries({ queryKey: ["proplus_core"] }));
  return useQuery({ queryKey: ["proplus_core", path], queryFn: ({ signal }) => api<T>(path, { signal }), placeholderData: (before) => before });
}
