// One run: live output grouped by text, results per machine, cancel, and another try for any of them.
import { Button, Card, Center, Checkbox, Group, Loader, Progress, Stack, Table, Tabs, Text } from "@mantine/core";
import { ChangeButton, EngineLink, number, PageHeader, ProblemAlert, StateBadge, stateWord, useEngine, When } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type Group as Same, type Page, type Result, type Run, RUN_TOPICS, useChange, useRead } from "../api";
import { LiveOutput, OutputGroup, useLiveOutput } from "../parts/Output";
import { t } from "../texts";

const ENDED = ["succeeded", "partly_failed", "failed", "cancelled", "rejected", "expired", "refused"];
const BAD = ["failed", "timed_out", "no_answer", "never_dispatched", "cancelled"];

export default function RunPage() {
  const { params } = useEngine();
  const run = useRead<Run>(`/runs/${params.id}`, RUN_TOPICS);
  if (run.isPending) return <Center p="xl"><Loader aria-label={t("loading")} /></Center>;
  if (!run.data) return <ProblemAlert error={run.error} retry={() => void run.refetch()} />;
  return <Shown run={run.data} again={() => void run.refetch()} />;
}

function Shown({ run, again }: { run: Run; again: () => void }) {
  const ended = ENDED.includes(run.state);
  const [live] = useState(!ended);
  const said = useLiveOutput(run.id, live && run.state !== "awaiting_approval", again);
  return (
    <Stack>
      <EngineLink to="runs" size="sm">{t("runs.all")}</EngineLink>
      <PageHeader title={`${run.script_name} v${run.version}`} description={t.rich("run.made", { name: run.actor_name, count: run.targets, at: <When at={run.created_at} /> })}>
        <StateBadge state={run.state} />
        {!ended && <Cancel run={run} />}
      </PageHeader>
      {run.reason && <Text>{run.reason}</Text>}
      {run.state === "awaiting_approval" && <Text>{t.rich("run.waits", { link: <EngineLink to="approvals">{t("run.waits.link")}</EngineLink> })}</Text>}
      <Counts run={run} />
      <Tabs defaultValue="output" keepMounted={false}>
        <Tabs.List><Tabs.Tab value="output">{t("run.output")}</Tabs.Tab><Tabs.Tab value="machines">{t("machines")}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="output" pt="md">{ended ? <Groups run={run} /> : <LiveOutput said={said} />}</Tabs.Panel>
        <Tabs.Panel value="machines" pt="md"><Results run={run} ended={ended} /></Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

const BAR: [string, string][] = [["succeeded", "green"], ["running", "blue"], ["failed", "red"], ["timed_out", "orange"], ["no_answer", "grape"], ["never_dispatched", "gray"], ["cancelled", "dark"]];

function Counts({ run }: { run: Run }) {
  const all = Math.max(1, run.targets);
  return (
    <Card withBorder radius="md" p="md">
      <Progress.Root size="lg">
        {BAR.map(([state, color]) => <Progress.Section key={state} value={(100 * (run.counts[state] ?? 0)) / all} color={color} aria-label={stateWord(state)} />)}
      </Progress.Root>
      <Group mt="xs" gap="md">
        {Object.entries(run.counts).filter(([, n]) => n > 0).map(([state, n]) => <Text size="sm" key={state}>{t("run.count", { count: n, state: stateWord(state) })}</Text>)}
      </Group>
    </Card>
  );
}

function Cancel({ run }: { run: Run }) {
  const cancel = useChange(() => api<Run>(`/runs/${run.id}/cancel`, { body: {} }));
  return <><Button color="red" variant="light" loading={cancel.isPending} onClick={() => cancel.mutate(undefined)}>{t("run.cancel")}</Button><ProblemAlert error={cancel.error} /></>;
}

function Groups({ run }: { run: Run }) {
  const groups = useRead<Same[]>(`/runs/${run.id}/groups`);
  return (
    <Stack>
      <ProblemAlert error={groups.error} />
      {groups.data?.map((g) => <OutputGroup key={`${g.state}${g.digest}${g.exit_code}`} state={g.state} text={g.sample ?? ""} exit={g.exit_code} names={namesOf(g)} />)}
    </Stack>
  );
}

function namesOf(g: Same): string[] {
  const names = g.machines.map((m) => m.name);
  return names.length < g.count ? [...names, ...Array<string>(g.count - names.length).fill("…")] : names;
}

function Results({ run, ended }: { run: Run; ended: boolean }) {
  const engine = useEngine();
  const results = useRead<Page<Result>>(`/runs/${run.id}/results?limit=200`, RUN_TOPICS);
  const [chosen, setChosen] = useState<string[]>([]);
  const retry = useChange((body: object) => api<Run>(`/runs/${run.id}/retry`, { body }));
  const go = (body: object) => retry.mutate(body, { onSuccess: (made) => engine.go(`runs/${made.id}`) });
  const bad = results.data?.items.some((r) => BAD.includes(r.state));
  const toggle = (id: string) => setChosen((c) => (c.includes(id) ? c.filter((x) => x !== id) : [...c, id]));
  return (
    <Stack>
      <Group>
        <ChangeButton size="xs" disabled={!ended || chosen.length === 0} loading={retry.isPending} onClick={() => go({ machine_ids: chosen })}>{t("retry.chosen", { count: chosen.length })}</ChangeButton>
        {bad && <ChangeButton size="xs" variant="default" disabled={!ended} onClick={() => go({ states: BAD })}>{t("retry.bad")}</ChangeButton>}
      </Group>
      <ProblemAlert error={results.error ?? retry.error} />
      <Table verticalSpacing="xs">
        <Table.Thead><Table.Tr><Table.Th w={40}><span className="mantine-visually-hidden" /></Table.Th><Table.Th>{t("result.machine")}</Table.Th><Table.Th>{t("state")}</Table.Th><Table.Th>{t("result.exit")}</Table.Th><Table.Th>{t("result.took")}</Table.Th><Table.Th>{t("result.error")}</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {results.data?.items.map((r) => (
            <Table.Tr key={r.id}>
              <Table.Td><Checkbox aria-label={t("result.choose", { name: r.machine_name })} checked={chosen.includes(r.machine_id)} onChange={() => toggle(r.machine_id)} /></Table.Td>
              <Table.Td><Text size="sm">{r.machine_name}</Text></Table.Td>
              <Table.Td><StateBadge state={r.state} /></Table.Td>
              <Table.Td><Text size="sm">{r.exit_code ?? ""}</Text></Table.Td>
              <Table.Td><Text size="sm">{r.duration_ms === null ? "" : t("result.seconds", { seconds: number(r.duration_ms / 1000, 1, 1) })}</Text></Table.Td>
              <Table.Td><Text size="sm">{r.error_message ?? ""}</Text></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
