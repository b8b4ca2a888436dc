// Schedules, each with when it runs next.
import { Button, Card, Group, List, Modal, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ChangeButton, date, PageHeader, ProblemAlert, useEngine, When } from "@sysmanage/plugin-kit";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Page, type Rule, type Schedule, type Script, useChange, useRead } from "../api";
import { t } from "../texts";

const OUTCOMES = ["started", "queued", "skipped_missed", "skipped_overlap"] as const;

export default function SchedulesPage() {
  const [making, setMaking] = useState(false);
  const schedules = useRead<Page<Schedule>>("/schedules?limit=100", ["automation.schedule.changed"]);
  return (
    <Stack>
      <PageHeader title={t("schedules")} description={t("schedules.description")}>
        <ChangeButton onClick={() => setMaking(true)}>{t("schedule.new")}</ChangeButton>
      </PageHeader>
      <ProblemAlert error={schedules.error} retry={() => void schedules.refetch()} />
      {schedules.data?.items.length === 0 && <Text c="dimmed">{t("schedules.none")}</Text>}
      {schedules.data?.items.map((s) => <ScheduleCard key={s.id} schedule={s} />)}
      {making && <NewSchedule onClose={() => setMaking(false)} />}
    </Stack>
  );
}

function ruleText(rule: Rule | null, machines: string): string {
  if (!rule) return machines;
  if (rule.kind === "cron") return t("rule.cron", { expression: rule.expression, zone: rule.time_zone, machines });
  return rule.kind === "interval" ? t("rule.interval", { count: rule.every_s, machines }) : t("rule.once", { at: date(rule.at), machines });
}

/** How the last time went: a word, or the sentence of what went wrong. */
function outcomeText(outcome: string): string {
  const problem = /^failed: (.*)$/s.exec(outcome)?.[1];
  if (problem !== undefined) return t("outcome.failed", { problem });
  const known = OUTCOMES.find((o) => o === outcome);
  return known ? t(`outcome.${known}`) : outcome.replaceAll("_", " ");
}

function ScheduleCard({ schedule }: { schedule: Schedule }) {
  const { mayWrite } = useEngine();
  const toggle = useChange((on: boolean) => api(`/schedules/${schedule.id}/${on ? "enable" : "disable"}`, { method: "POST" }));
  return (
    <Card withBorder radius="md" p="md">
      <Group justify="space-between" wrap="nowrap">
        <Stack gap={2}>
          <Text fw={600}>{schedule.name}</Text>
          <Text size="sm">{ruleText(schedule.rule, schedule.selector || t("machines.chosen"))}</Text>
          <Text size="sm" c="dimmed">{t.rich("schedule.next", { at: <When at={schedule.enabled ? schedule.next_at : null} fallback={t("schedule.off")} /> })}</Text>
          {schedule.last_outcome && <Text size="sm" c="dimmed">{t("schedule.last", { outcome: outcomeText(schedule.last_outcome) })}</Text>}
        </Stack>
        <Switch checked={schedule.enabled} disabled={!mayWrite || toggle.isPending} aria-label={t("schedule.on", { name: schedule.name })} onChange={(e) => toggle.mutate(e.currentTarget.checked)} />
      </Group>
      <ProblemAlert error={toggle.error} />
    </Card>
  );
}

function NewSchedule({ onClose }: { onClose: () => void }) {
  const scripts = useRead<Page<Script>>("/scripts?limit=200");
  const [name, setName] = useState("");
  const [script, setScript] = useState<string | null>(null);
  const [selector, setSelector] = useState("");
  const [expression, setExpression] = useState("30 4 * * mon-fri");
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
  const rule: Rule = { kind: "cron", expression, time_zone: zone };
  const make = useChange((body: object) => api<Schedule>("/schedules", { body }));
  const save = () => make.mutate({ name, script_id: script, selector, rule }, { onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={t("schedule.new")} size="lg" closeButtonProps={{ "aria-label": t("close") }}>
      <Stack>
        <TextInput label={t("name")} required value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <Select label={t("script")} required searchable data={scripts.data?.items.map((s) => ({ value: s.id, label: s.name })) ?? []} value={script} onChange={setScript} />
        <TextInput label={t("machines")} description={t("schedule.machines")} required value={selector} onChange={(e) => setSelector(e.currentTarget.value)} />
        <Group grow align="flex-start">
          <TextInput label={t("when")} description={t("schedule.when")} value={expression} onChange={(e) => setExpression(e.currentTarget.value)} />
          <TextInput label={t("schedule.zone")} description={t("schedule.zone.hint")} value={zone} onChange={(e) => setZone(e.currentTarget.value)} />
        </Group>
        <NextRuns rule={rule} />
        <ProblemAlert error={make.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t("cancel")}</Button>
          <Button disabled={!name.trim() || !script || !selector.trim()} loading={make.isPending} onClick={save}>{t("schedule.save")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function NextRuns({ rule }: { rule: Rule }) {
  const [asked] = useDebouncedValue(JSON.stringify(rule), 300);
  const next = useQuery({
    queryKey: ["automation", "preview", asked],
    queryFn: ({ signal }) => api<{ next: string[] }>("/schedules/preview?count=5", { body: JSON.parse(asked) as Rule, signal }),
    retry: false,
  });
  if (next.error) return <Text size="sm" c="red" role="alert">{next.error.message}</Text>;
  return (
    <Stack gap={4} data-testid="next-runs">
      <Text size="sm" fw={500}>{t("schedule.runs")}</Text>
      <List size="sm">{next.data?.next.map((at) => <List.Item key={at}><When at={at} /></List.Item>)}</List>
    </Stack>
  );
}
