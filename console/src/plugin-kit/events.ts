// Server-sent events: one stream for all who listen, opened when the first does.
import { useEffect, useRef } from "react";

export interface HostEvent {
  id: number;
  topic: string;
  at: string;
  data: Record<string, unknown>;
  machine_id?: string;
}

type Listener = { topics: string[]; tell: (event: HostEvent) => void };

const listeners = new Set<Listener>();
let source: EventSource | undefined;
let open = "";
let scheduled: ReturnType<typeof setTimeout> | undefined;

function matches(pattern: string, topic: string): boolean {
  return pattern.endsWith("*") ? topic.startsWith(pattern.slice(0, -1)) : pattern === topic;
}

function tell(event: HostEvent) {
  for (const listener of [...listeners]) {
    if (event.topic === "lagged" || listener.topics.some((t) => matches(t, event.topic))) listener.tell(event);
  }
}

/** Everybody reads again: some events were missed. */
function lagged() {
  for (const l of [...listeners]) l.tell({ id: 0, topic: "lagged", at: new Date().toISOString(), data: {} });
}

function connect() {
  scheduled = undefined;
  const topics = [...new Set([...listeners].flatMap((l) => l.topics))].sort();
  const wanted = topics.join(",");
  if (wanted === open && source && source.readyState !== EventSource.CLOSED) return;
  source?.close();
  source = undefined;
  open = wanted;
  if (topics.length === 0) return;
  const stream = new EventSource(`/api/v1/events?unnamed=true&topics=${encodeURIComponent(wanted)}`);
  source = stream;
  stream.onmessage = (message: MessageEvent<string>) => tell(JSON.parse(message.data) as HostEvent);
  for (const gap of ["lagged", "gap"]) stream.addEventListener(gap, lagged);
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED && source === stream) {
      open = "";
      schedule(3_000);
    }
  };
}

function schedule(ms: number) {
  scheduled ??= setTimeout(connect, ms);
}

/** Listen; call the answer to stop. */
export function listen(topics: string[], heard: (event: HostEvent) => void): () => void {
  const listener = { topics, tell: heard };
  listeners.add(listener);
  schedule(0);
  return () => {
    listeners.delete(listener);
    schedule(0);
  };
}

/** Listen while the component is shown; `engine.*` hears every topic that begins so. */
export function useEvents(topics: string[], heard: (event: HostEvent) => void): void {
  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });
  const key = topics.join(",");
  useEffect(() => listen(key.split(",").filter(Boolean), (event) => latest.current(event)), [key]);
}
