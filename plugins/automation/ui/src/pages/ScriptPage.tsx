// One script: its text, its versions, what changed between them, its runs.
import { Button, Card, Center, Code, Group, Loader, ScrollArea, Select, Stack, Tabs, Text } from "@mantine/core";
import { ChangeButton, CodeEditor, EngineLink, PageHeader, ProblemAlert, useEngine, When } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type NewVersion, type Page, type Run, RUN_TOPICS, type Script, useChange, useRead, type Version } from "../api";
import { RunDialog } from "../parts/RunDialog";
import { RunTable } from "../parts/RunTable";
import { VersionForm } from "../parts/ScriptForm";
import { t } from "../texts";

export default function ScriptPage() {
  const { params } = useEngine();
  const script = useRead<Script>(`/scripts/${params.id}`, ["automation.script.changed"]);
  if (script.isPending) return <Center p="xl"><Loader aria-label={t("loading")} /></Center>;
  if (!script.data) return <ProblemAlert error={script.error} retry={() => void script.refetch()} />;
  return <Shown script={script.data} />;
}

function Shown({ script }: { script: Script }) {
  const [running, setRunning] = useState(false);
  const latest = useRead<Version>(`/scripts/${script.id}/versions/${script.latest_version}`);
  return (
    <Stack>
      <EngineLink to="scripts" size="sm">{t("scripts.all")}</EngineLink>
      <PageHeader title={script.name} description={script.description}>
        <ChangeButton onClick={() => setRunning(true)}>{t("script.run")}</ChangeButton>
      </PageHeader>
      <Tabs defaultValue="text" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="text">{t("script.tab.text")}</Tabs.Tab>
          <Tabs.Tab value="versions">{t("script.tab.versions")}</Tabs.Tab>
          <Tabs.Tab value="runs">{t("runs")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="text" pt="md">{latest.data && <Edit key={latest.data.id} script={script} version={latest.data} />}</Tabs.Panel>
        <Tabs.Panel value="versions" pt="md"><Versions script={script} /></Tabs.Panel>
        <Tabs.Panel value="runs" pt="md"><Runs script={script} /></Tabs.Panel>
      </Tabs>
      {running && <RunDialog script={script} onClose={() => setRunning(false)} />}
    </Stack>
  );
}

function draftOf(v: Version): NewVersion {
  const { content = "", interpreter, parameters, privileged, timeout_s, passing, run_as, working_directory } = v;
  return { content, interpreter, parameters, privileged, timeout_s, note: "", passing, run_as, working_directory };
}

function Edit({ script, version }: { script: Script; version: Version }) {
  const [draft, setDraft] = useState(() => draftOf(version));
  const changed = JSON.stringify({ ...draft, note: "" }) !== JSON.stringify(draftOf(version));
  const save = useChange((body: NewVersion) => api<Version>(`/scripts/${script.id}/versions`, { body }));
  return (
    <Stack>
      <VersionForm value={draft} onChange={setDraft} />
      <ProblemAlert error={save.error} />
      <Group justify="flex-end">
        <Button variant="default" disabled={!changed} onClick={() => setDraft(draftOf(version))}>{t("script.discard")}</Button>
        <ChangeButton disabled={!changed} loading={save.isPending} onClick={() => save.mutate(draft)}>{t("script.save.version", { version: String(script.latest_version + 1) })}</ChangeButton>
      </Group>
    </Stack>
  );
}

function Versions({ script }: { script: Script }) {
  const versions = useRead<Page<Version>>(`/scripts/${script.id}/versions?limit=100`);
  const [from, setFrom] = useState<string | null>(String(Math.max(1, script.latest_version - 1)));
  const numbers = versions.data?.items.map((v) => String(v.number)) ?? [];
  return (
    <Stack>
      <ProblemAlert error={versions.error} />
      {versions.data?.items.map((v) => (
        <Group key={v.id} justify="space-between" wrap="nowrap">
          <Stack gap={0}><Text size="sm" fw={600}>{t("version", { version: String(v.number) })}</Text><Text size="sm">{v.note}</Text><Text size="xs" c="dimmed">{t("version.made", { name: v.created_by_name, digest: v.sha256.slice(0, 12) })}</Text></Stack>
          <When at={v.created_at} />
        </Group>
      ))}
      {script.latest_version > 1 && (
        <Card withBorder radius="md">
          <Select label={t("version.compare")} data={numbers.filter((n) => n !== String(script.latest_version))} value={from} onChange={setFrom} w={220} allowDeselect={false} />
          {from && <Diff script={script.id} from={Number(from)} to={script.latest_version} />}
        </Card>
      )}
      {script.latest_version === 1 && versions.data?.items[0] && <Only script={script.id} />}
    </Stack>
  );
}

function Only({ script }: { script: string }) {
  const version = useRead<Version>(`/scripts/${script}/versions/1`);
  return version.data ? <CodeEditor label={t("version", { version: "1" })} value={version.data.content ?? ""} language={version.data.interpreter} /> : null;
}

export function Diff({ script, from, to }: { script: string; from: number; to: number }) {
  const diff = useRead<{ content: string }>(`/scripts/${script}/diff?from=${from}&to=${to}`);
  if (!diff.data) return <ProblemAlert error={diff.error} />;
  return <DiffText text={diff.data.content} />;
}

export function DiffText({ text }: { text: string }) {
  const color = (line: string) => (line.startsWith("+") ? "var(--mantine-color-green-light)" : line.startsWith("-") ? "var(--mantine-color-red-light)" : undefined);
  return (
    <ScrollArea.Autosize mah={400} mt="sm" viewportProps={{ tabIndex: 0, "aria-label": t("version.difference") }}>
      <Code block>{text === "" ? t("version.same") : text.split("\n").map((line, i) => <span key={i} style={{ display: "block", background: color(line) }}>{line || " "}</span>)}</Code>
    </ScrollArea.Autosize>
  );
}

function Runs({ script }: { script: Script }) {
  const runs = useRead<Page<Run>>(`/runs?script_id=${script.id}&limit=50`, RUN_TOPICS);
  return <Stack><ProblemAlert error={runs.error} />{runs.data && <RunTable runs={runs.data.items} />}</Stack>;
}
