// The inbox: what would run, where, with which text; a decision binds to exactly that.
import { Alert, Badge, Button, Card, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { ChangeButton, CodeEditor, EngineLink, PageHeader, ProblemAlert, When } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type Approval, type Page, useChange, useRead } from "../api";
import { t } from "../texts";
import { Diff } from "./ScriptPage";

export default function ApprovalsPage() {
  const pending = useRead<Page<Approval>>("/approvals?state=pending&limit=100", ["automation.approval.requested", "automation.approval.decided"]);
  return (
    <Stack>
      <PageHeader title={t("approvals")} description={t("approvals.description")} />
      <ProblemAlert error={pending.error} retry={() => void pending.refetch()} />
      {pending.data?.items.length === 0 && <Text c="dimmed">{t("approvals.none")}</Text>}
      {pending.data?.items.map((a) => <Pending key={a.id} id={a.id} />)}
    </Stack>
  );
}

function Pending({ id }: { id: string }) {
  const approval = useRead<Approval>(`/approvals/${id}`);
  const a = approval.data;
  if (!a?.run || !a.version) return <ProblemAlert error={approval.error} />;
  return (
    <Card withBorder radius="md" p="md" data-testid="approval">
      <Stack>
        <Group justify="space-between">
          <EngineLink to={`runs/${a.run_id}`} fw={600}>{`${a.run.script_name} v${a.version.number}`}</EngineLink>
          <Badge variant="light" tt="none">{t("machines.count", { count: a.run.targets })}</Badge>
        </Group>
        <Text size="sm">{t("approval.asks", { name: a.requested_by_name, reason: a.justification || t("approval.noreason") })}</Text>
        <Text size="sm">{t("approval.for", { machines: a.run.selector || t("approval.listed"), values: JSON.stringify(a.run.parameters) })}</Text>
        <CodeEditor label={t("approval.text")} value={a.version.content ?? ""} language={a.version.interpreter} minHeight={120} />
        {a.version.number > 1 && <Stack gap={4}><Text size="sm" fw={500}>{t("approval.changed", { version: String(a.version.number - 1) })}</Text><Diff script={a.script_id} from={a.version.number - 1} to={a.version.number} /></Stack>}
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>{t.rich("approval.binding", { binding: <Code>{a.binding}</Code> })}</Text>
        <Text size="xs" c="dimmed">{t.rich("approval.until", { at: <When at={a.expires_at} /> })}</Text>
        <Decide approval={a} />
      </Stack>
    </Card>
  );
}

function Decide({ approval }: { approval: Approval }) {
  const [reason, setReason] = useState("");
  const decide = useChange(({ verb, body }: { verb: string; body: object }) => api<Approval>(`/approvals/${approval.id}/${verb}`, { body }));
  return (
    <Stack gap="xs">
      <Alert color="yellow" variant="light">{t("approval.covers")}</Alert>
      <TextInput label={t("approval.reason")} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      <ProblemAlert error={decide.error} />
      <Group>
        <ChangeButton color="green" loading={decide.isPending} onClick={() => decide.mutate({ verb: "approve", body: { binding: approval.binding, reason } })}>{t("approval.approve")}</ChangeButton>
        <Button variant="default" disabled={reason.trim() === ""} onClick={() => decide.mutate({ verb: "reject", body: { reason } })}>{t("approval.reject")}</Button>
      </Group>
    </Stack>
  );
}
