// Live output: what machines say while they run, machines with the same text under one heading. Output is text, never markup.
import { Badge, Code, Group, ScrollArea, Stack, Text } from "@mantine/core";
import { StateBadge } from "@sysmanage/plugin-kit";
import { useEffect, useMemo, useState } from "react";
import { t } from "../texts";

interface Said {
  name: string;
  state: string;
  text: string;
  exit: number | null;
}

const MOST = 200_000;

/** Follow a run's stream to its end. */
export function useLiveOutput(runId: string, live: boolean, onEnd: () => void): Map<string, Said> {
  const [said, setSaid] = useState<Map<string, Said>>(new Map());
  useEffect(() => {
    if (!live) return;
    setSaid(new Map());
    const stream = new EventSource(`/api/v1/engines/automation/runs/${runId}/output/stream`);
    const add = (id: string, change: (s: Said) => Said, name: string) =>
      setSaid((all) => new Map(all).set(id, change(all.get(id) ?? { name, state: "queued", text: "", exit: null })));
    stream.addEventListener("output", (e) => {
      const d = JSON.parse((e as MessageEvent<string>).data) as { machine_id: string; machine_name: string; text: string };
      add(d.machine_id, (s) => ({ ...s, text: (s.text + d.text).slice(-MOST) }), d.machine_name);
    });
    stream.addEventListener("state", (e) => {
      const d = JSON.parse((e as MessageEvent<string>).data) as { machine_id: string; machine_name: string; state: string; exit_code: number | null };
      add(d.machine_id, (s) => ({ ...s, state: d.state, exit: d.exit_code }), d.machine_name);
    });
    stream.addEventListener("end", () => { stream.close(); onEnd(); });
    stream.onopen = () => setSaid(new Map());
    return () => stream.close();
    // The end is told once; a new callback is no reason to read everything again.
  }, [runId, live]);
  return said;
}

export function LiveOutput({ said }: { said: Map<string, Said> }) {
  const groups = useMemo(() => {
    const by = new Map<string, { state: string; text: string; exit: number | null; names: string[] }>();
    for (const s of said.values()) {
      const key = `${s.state}\n${s.exit}\n${s.text}`;
      const group = by.get(key);
      if (group) group.names.push(s.name);
      else by.set(key, { state: s.state, text: s.text, exit: s.exit, names: [s.name] });
    }
    return [...by.values()].sort((a, b) => b.names.length - a.names.length);
  }, [said]);
  if (groups.length === 0) return <Text c="dimmed" size="sm">{t("output.none")}</Text>;
  return <Stack>{groups.map((g) => <OutputGroup key={`${g.state}${g.text}`} {...g} />)}</Stack>;
}

const NAMED = 8;

/** The first names, and how many follow. */
function named(names: string[]): string {
  const first = names.slice(0, NAMED).join(", ");
  return names.length > NAMED ? t("output.names", { names: first, count: names.length - NAMED }) : first;
}

export function OutputGroup({ state, text, exit, names }: { state: string; text: string; exit: number | null; names: string[] }) {
  return (
    <Stack gap={4} data-testid="output-group">
      <Group gap="xs">
        <Badge variant="filled" color="gray" autoContrast>{names.length}</Badge>
        <StateBadge state={state} />
        {exit !== null && exit !== undefined && <Text size="xs" c="dimmed">{t("output.exit", { code: String(exit) })}</Text>}
        <Text size="sm" lineClamp={1}>{named(names)}</Text>
      </Group>
      <ScrollArea.Autosize mah={360} viewportProps={{ tabIndex: 0, "aria-label": t("output.of", { count: names.length }) }}>
        <Code block>{text === "" ? t("output.empty") : text}</Code>
      </ScrollArea.Autosize>
    </Stack>
  );
}
