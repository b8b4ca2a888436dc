// The inbox: what would run, where, with which text; a decision binds to exactly that.
import { Alert, Badge, Button, Card, Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { ChangeButton, CodeEditor, EngineLink, PageHeader, ProblemAlert, When } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type Approval, type Page, useChange, useRead } from "../api";
import { Diff } from "./ScriptPage";

export default function ApprovalsPage() {
  const pending = useRead<Page<Approval>>("/approvals?state=pending&limit=100", ["automation.approval.requested", "automation.approval.decided"]);
  return (
    <Stack>
      <PageHeader title="Approvals" description="Runs of privileged scripts that wait for another person." />
      <ProblemAlert error={pending.error} retry={() => void pending.refetch()} />
      {pending.data?.items.length === 0 && <Text c="dimmed">Nothing waits for a decision.</Text>}
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
          <Badge variant="light" tt="none">{`${a.run.targets} machines`}</Badge>
        </Group>
        <Text size="sm">{`${a.requested_by_name} asks: ${a.justification || "(no reason given)"}`}</Text>
        <Text size="sm">{`Machines: ${a.run.selector || "as listed in the run"}. Values: ${JSON.stringify(a.run.parameters)}`}</Text>
        <CodeEditor label="What would run" value={a.version.content ?? ""} language={a.version.interpreter} minHeight={120} />
        {a.version.number > 1 && <Stack gap={4}><Text size="sm" fw={500}>{`Changed since version ${a.version.number - 1}`}</Text><Diff script={a.script_id} from={a.version.number - 1} to={a.version.number} /></Stack>}
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>{"Binding "}<Code>{a.binding}</Code></Text>
        <Text size="xs" c="dimmed">{"May be decided until "}<When at={a.expires_at} /></Text>
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
      <Alert color="yellow" variant="light">Approving covers this text, these values and these machines only. Any difference refuses the run.</Alert>
      <TextInput label="Reason" value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
      <ProblemAlert error={decide.error} />
      <Group>
        <ChangeButton color="green" loading={decide.isPending} onClick={() => decide.mutate({ verb: "approve", body: { binding: approval.binding, reason } })}>Approve</ChangeButton>
        <Button variant="default" disabled={reason.trim() === ""} onClick={() => decide.mutate({ verb: "reject", body: { reason } })}>Reject</Button>
      </Group>
    </Stack>
  );
}
