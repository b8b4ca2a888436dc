// The engine's own routes, as its OpenAPI document describes them.
import { engineApi, query, request, useEvents } from "@sysmanage/plugin-kit";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export interface Page<T> {
  items: T[];
  next_cursor?: string;
}

export type Parameter = {
  name: string;
  description?: string;
  required?: boolean;
  default?: unknown;
  type: "text" | "integer" | "boolean" | "choice" | "secret";
  max_length?: number;
  pattern?: string;
  min?: number;
  max?: number;
  choices?: string[];
};

export interface Script {
  id: string;
  name: string;
  description: string;
  owner_name: string;
  tags: string[];
  interpreter: string;
  privileged: boolean;
  latest_version: number;
  shared_with: string;
  archived_at?: string;
  updated_at: string;
}

export interface Version {
  id: string;
  number: number;
  content?: string;
  sha256: string;
  fingerprint: string;
  interpreter: string;
  passing: string;
  parameters: Parameter[];
  privileged: boolean;
  run_as?: string;
  working_directory?: string;
  timeout_s: number;
  note: string;
  created_by_name: string;
  created_at: string;
}

export interface NewVersion {
  content: string;
  interpreter: string;
  parameters: Parameter[];
  privileged: boolean;
  timeout_s: number;
  note: string;
  passing?: string;
  run_as?: string;
  working_directory?: string;
}

export interface Run {
  id: string;
  script_id: string;
  script_name: string;
  version: number;
  state: string;
  check: boolean;
  actor_name: string;
  selector: string;
  targets: number;
  counts: Record<string, number>;
  parameters: Record<string, unknown>;
  concurrency: number;
  timeout_s: number;
  retry_of?: string;
  schedule_id?: string;
  reason?: string;
  created_at: string;
  started_at?: string;
  finished_at?: string;
  approval_id?: string;
}

export interface Result {
  id: string;
  machine_id: string;
  machine_name: string;
  state: string;
  exit_code: number | null;
  duration_ms: number | null;
  error_message: string | null;
}

export interface Group {
  state: string;
  digest: string | null;
  exit_code: number | null;
  error_code: string | null;
  count: number;
  machines: { id: string; name: string }[];
  sample: string | null;
}

export interface Approval {
  id: string;
  run_id: string;
  script_id: string;
  state: string;
  binding: string;
  fingerprint: string;
  requested_by_name: string;
  justification: string;
  created_at: string;
  expires_at: string;
  decided_by_name: string | null;
  reason: string | null;
  run?: Run;
  version?: Version;
}

export type Rule =
  | { kind: "cron"; expression: string; time_zone: string }
  | { kind: "interval"; every_s: number }
  | { kind: "once"; at: string };

export interface Schedule {
  id: string;
  name: string;
  script_id: string;
  rule: Rule | null;
  selector: string;
  enabled: boolean;
  owner_name: string;
  next_at: string | null;
  last_outcome: string | null;
  last_run_id: string | null;
}

export const api = engineApi("automation");
const KEY = "automation";

export const RUN_TOPICS = ["automation.run.created", "automation.run.started", "automation.run.progressed", "automation.run.finished"];

/** Read a route; read again when one of the topics is told. */
export function useRead<T>(path: string, topics: string[] = [], options: { enabled?: boolean; everyMs?: number } = {}) {
  const client = useQueryClient();
  useEvents(topics, () => void client.invalidateQueries({ queryKey: [KEY, path] }));
  return useQuery({
    queryKey: [KEY, path],
    queryFn: ({ signal }) => api<T>(path, { signal }),
    enabled: options.enabled ?? true,
    refetchInterval: options.everyMs ?? false,
  });
}

/** Change something; what is shown is read again. */
export function useChange<B, T>(call: (body: B) => Promise<T>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: call, onSuccess: () => client.invalidateQueries({ queryKey: [KEY] }) });
}

export function usePendingApprovals(): number | undefined {
  const pending = useRead<Page<Approval>>("/approvals?state=pending&limit=100", ["automation.approval.requested", "automation.approval.decided"]);
  return pending.data?.items.length || undefined;
}

export interface Target {
  id: string;
  name: string;
}

/** Machines that a selector matches now; `more` when there are further ones. */
export function useTargets(selector: string, enabled: boolean) {
  return useQuery({
    queryKey: [KEY, "targets", selector],
    queryFn: async ({ signal }) => {
      const page = await request<Page<Target>>(`/api/v1/machines${query({ q: selector, limit: 200 })}`, { signal });
      return { machines: page.items.map(({ id, name }) => ({ id, name })), more: page.next_cursor != null };
    },
    enabled,
    retry: false,
  });
}

export const INTERPRETERS = ["bash", "zsh", "ksh", "sh", "powershell", "cmd"];
