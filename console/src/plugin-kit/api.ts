// Calls of the host's API: JSON in and out, a problem document as an error that says what to do.
import { t } from "../i18n";

/** An answer that is not a success: RFC 9457. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Record<string, unknown>;

  constructor(status: number, problem: Record<string, unknown>) {
    super(String(problem.detail ?? problem.title ?? t("kit.answered", { status })));
    this.name = "ApiProblem";
    this.status = status;
    this.code = String(problem.code ?? "unknown");
    this.problem = problem;
  }
}

export interface Call {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const LONGEST_MS = 60_000;

async function problemOf(response: Response): Promise<ApiProblem> {
  try {
    return new ApiProblem(response.status, (await response.json()) as Record<string, unknown>);
  } catch {
    return new ApiProblem(response.status, {});
  }
}

function bodyOf(call: Call): { body?: BodyInit; type?: string } {
  if (call.body === undefined) return {};
  if (typeof call.body === "string") return { body: call.body, type: "text/plain; charset=utf-8" };
  if (call.body instanceof Blob) return { body: call.body, type: "application/octet-stream" };
  return { body: JSON.stringify(call.body), type: "application/json" };
}

/** Call a route; the answer is not read yet. */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const { body, type } = bodyOf(call);
  const deadline = AbortSignal.timeout(LONGEST_MS);
  const response = await fetch(path, {
    method: call.method ?? (body === undefined ? "GET" : "POST"),
    body,
    headers: { accept: "application/json", ...(type ? { "content-type": type } : {}), ...call.headers },
    credentials: "same-origin",
    signal: call.signal ? AbortSignal.any([call.signal, deadline]) : deadline,
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Call a route and read its JSON; `undefined` where there is none. */
export async function request<T>(path: string, call: Call = {}): Promise<T> {
  const response = await send(path, call);
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** A query string of what is there; empty without any. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** Calls of one engine's own routes. */
export function engineApi(id: string): <T>(path: string, call?: Call) => Promise<T> {
  return (path, call) => request(`/api/v1/engines/${id}${path}`, call);
}

/** Upload with progress, which `fetch` does not tell. */
export function upload<T>(path: string, file: Blob, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    call.timeout = 10 * LONGEST_MS;
    call.setRequestHeader("content-type", "application/octet-stream");
    call.upload.onprogress = (e) => onProgress(e.lengthComputable && e.total > 0 ? e.loaded / e.total : 0);
    call.onerror = () => reject(new Error(t("kit.lost")));
    call.ontimeout = () => reject(new Error(t("kit.late")));
    call.onload = () => {
      const answer = parsed(call.responseText);
      if (call.status >= 200 && call.status < 300) resolve(answer as T);
      else reject(new ApiProblem(call.status, answer));
    };
    call.send(file);
  });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { detail: t("kit.unreadable") };
  }
}
