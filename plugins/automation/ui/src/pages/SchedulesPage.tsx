// Schedules, each with when it runs next.
import { Button, Card, Group, List, Modal, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ChangeButton, PageHeader, ProblemAlert, useEngine, When } from "@sysmanage/plugin-kit";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Page, type Rule, type Schedule, type Script, useChange, useRead } from "../api";

export default function SchedulesPage() {
  const [making, setMaking] = useState(false);
  const schedules = useRead<Page<Schedule>>("/schedules?limit=100", ["automation.schedule.changed"]);
  return (
    <Stack>
      <PageHeader title="Schedules" description="A schedule acts for whoever saved it last, with the rights they had then.">
        <ChangeButton onClick={() => setMaking(true)}>New schedule</ChangeButton>
      </PageHeader>
      <ProblemAlert error={schedules.error} retry={() => void schedules.refetch()} />
      {schedules.data?.items.length === 0 && <Text c="dimmed">No schedules yet.</Text>}
      {schedules.data?.items.map((s) => <ScheduleCard key={s.id} schedule={s} />)}
      {making && <NewSchedule onClose={() => setMaking(false)} />}
    </Stack>
  );
}

function ruleText(rule: Rule | null): string {
  if (!rule) return "";
  if (rule.kind === "cron") return `${rule.expression} (${rule.time_zone})`;
  return rule.kind === "interval" ? `every ${rule.every_s} seconds` : `once, ${rule.at}`;
}

function ScheduleCard({ schedule }: { schedule: Schedule }) {
  const { mayWrite } = useEngine();
  const toggle = useChange((on: boolean) => api(`/schedules/${schedule.id}/${on ? "enable" : "disable"}`, { method: "POST" }));
  return (
    <Card withBorder radius="md" p="md">
      <Group justify="space-between" wrap="nowrap">
        <Stack gap={2}>
          <Text fw={600}>{schedule.name}</Text>
          <Text size="sm">{`${ruleText(schedule.rule)} on ${schedule.selector || "chosen machines"}`}</Text>
          <Text size="sm" c="dimmed">{"Next: "}<When at={schedule.enabled ? schedule.next_at : null} fallback="not while it is off" /></Text>
          {schedule.last_outcome && <Text size="sm" c="dimmed">{`Last: ${schedule.last_outcome.replaceAll("_", " ")}`}</Text>}
        </Stack>
        <Switch checked={schedule.enabled} disabled={!mayWrite || toggle.isPending} aria-label={`Run ${schedule.name}`} onChange={(e) => toggle.mutate(e.currentTarget.checked)} />
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
    <Modal opened onClose={onClose} title="New schedule" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <TextInput label="Name" required value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <Select label="Script" required searchable data={scripts.data?.items.map((s) => ({ value: s.id, label: s.name })) ?? []} value={script} onChange={setScript} />
        <TextInput label="Machines" description="Chosen anew at each run" required value={selector} onChange={(e) => setSelector(e.currentTarget.value)} />
        <Group grow align="flex-start">
          <TextInput label="When" description="Minute, hour, day, month, weekday" value={expression} onChange={(e) => setExpression(e.currentTarget.value)} />
          <TextInput label="Time zone" description="As in Europe/Berlin" value={zone} onChange={(e) => setZone(e.currentTarget.value)} />
        </Group>
        <NextRuns rule={rule} />
        <ProblemAlert error={make.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button disabled={!name.trim() || !script || !selector.trim()} loading={make.isPending} onClick={save}>Save schedule</Button>
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
      <Text size="sm" fw={500}>Next runs</Text>
      <List size="sm">{next.data?.next.map((at) => <List.Item key={at}><When at={at} /></List.Item>)}</List>
    </Stack>
  );
}
