// Renewal without a network: a request file out, the answer back in.
import { Card, FileButton, Group, Button, Stack, Text } from "@mantine/core";
import { ProblemAlert, request, When } from "@sysmanage/plugin-kit";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Renewal, useRead } from "../api";

function save(renewal: Renewal) {
  const address = URL.createObjectURL(new Blob([renewal.file], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: address, download: `renewal-${renewal.digest.slice(0, 12)}.json` }).click();
  URL.revokeObjectURL(address);
}

export function RenewTab() {
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: ["proplus_core"] });
  const renewals = useRead<{ items: Renewal[] }>("/renewals");
  const make = useMutation({ mutationFn: () => api<Renewal>("/renewals", { method: "POST" }), onSuccess: (made) => { save(made); void again(); } });
  const answer = useMutation({
    mutationFn: async ({ id, file }: { id: string; file: File }) => {
      const body: unknown = JSON.parse(await file.text());
      const { license } = await api<{ license: string }>(`/renewals/${id}/response`, { body });
      await request("/api/v1/license", { method: "PUT", body: license });
    },
    onSuccess: again,
  });
  return (
    <Stack>
      <Text size="sm">For a host without a network: make a request file, carry it to the vendor, and bring the answer back. The request holds the instance, the licences, the machines used and the ledger's newest hash, signed by this host.</Text>
      <Group><Button loading={make.isPending} onClick={() => make.mutate()}>Make a request file</Button></Group>
      <ProblemAlert error={make.error ?? answer.error ?? renewals.error} />
      {answer.isSuccess && <Text role="status">The renewed licence is installed.</Text>}
      {renewals.data?.items.map((r) => (
        <Card withBorder radius="md" p="sm" key={r.id}>
          <Group justify="space-between">
            <Stack gap={0}>
              <Text size="sm" fw={600}>{`Request ${r.digest.slice(0, 12)}`}</Text>
              <Text size="sm" c="dimmed">{`${r.actor_name}, `}<When at={r.created_at} />{r.answered_at ? ", answered " : ", not answered yet"}{r.answered_at && <When at={r.answered_at} />}</Text>
            </Stack>
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => save(r)}>Save again</Button>
              <FileButton accept=".json,application/json" inputProps={{ "aria-label": `Answer to ${r.digest.slice(0, 12)}` }} onChange={(file) => file && answer.mutate({ id: r.id, file })}>
                {(props) => <Button {...props} size="xs" loading={answer.isPending}>Take in the answer</Button>}
              </FileButton>
            </Group>
          </Group>
        </Card>
      ))}
    </Stack>
  );
}
