// Renewal without a network: a request file out, the answer back in.
import { Card, FileButton, Group, Button, Stack, Text } from "@mantine/core";
import { ProblemAlert, request, When } from "@sysmanage/plugin-kit";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, type Renewal, useRead } from "../api";
import { t } from "../texts";

function save(renewal: Renewal) {
  const address = URL.createObjectURL(new Blob([renewal.file], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href: address, download: `renewal-${renewal.digest.slice(0, 12)}.json` }).click();
  URL.revokeObjectURL(address);
}

function History({ renewal: r }: { renewal: Renewal }) {
  const asked = { name: r.actor_name, at: <When at={r.created_at} /> };
  return r.answered_at ? t.rich("renew.answered", { ...asked, answered: <When at={r.answered_at} /> }) : t.rich("renew.waiting", asked);
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
      <Text size="sm">{t("renew.hint")}</Text>
      <Group><Button loading={make.isPending} onClick={() => make.mutate()}>{t("renew.make")}</Button></Group>
      <ProblemAlert error={make.error ?? answer.error ?? renewals.error} />
      {answer.isSuccess && <Text role="status">{t("renew.done")}</Text>}
      {renewals.data?.items.map((r) => (
        <Card withBorder radius="md" p="sm" key={r.id}>
          <Group justify="space-between">
            <Stack gap={0}>
              <Text size="sm" fw={600}>{t("renew.request", { digest: r.digest.slice(0, 12) })}</Text>
              <Text size="sm" c="dimmed"><History renewal={r} /></Text>
            </Stack>
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => save(r)}>{t("renew.save")}</Button>
              <FileButton accept=".json,application/json" inputProps={{ "aria-label": t("renew.answer.to", { digest: r.digest.slice(0, 12) }) }} onChange={(file) => file && answer.mutate({ id: r.id, file })}>
                {(props) => <Button {...props} size="xs" loading={answer.isPending}>{t("renew.answer")}</Button>}
              </FileButton>
            </Group>
          </Group>
        </Card>
      ))}
    </Stack>
  );
}
