// The ledger: entries, whether it is whole, and its export.
import { Alert, Anchor, Button, Code, FileButton, Group, Stack, Table, Text } from "@mantine/core";
import { ProblemAlert, When } from "@sysmanage/plugin-kit";
import { useMutation } from "@tanstack/react-query";
import { api, type Checked, type Entry, useRead } from "../api";
import { t } from "../texts";

export function LedgerTab() {
  const page = useRead<{ items: Entry[] }>("/ledger?limit=100");
  const check = useMutation({ mutationFn: (file?: File | null) => verify(file) });
  return (
    <Stack>
      <Text size="sm">{t("ledger.hint")}</Text>
      <Group>
        <Button variant="default" loading={check.isPending} onClick={() => check.mutate(undefined)}>{t("ledger.check")}</Button>
        <FileButton onChange={(file) => file && check.mutate(file)} inputProps={{ "aria-label": t("ledger.file") }}>{(props) => <Button {...props} variant="default">{t("ledger.check.export")}</Button>}</FileButton>
        <Anchor href="/api/v1/engines/proplus_core/ledger/export" download size="sm">{t("ledger.export")}</Anchor>
      </Group>
      {check.data && <Alert color={check.data.whole ? "green" : "red"} variant="light" role="status" data-testid="ledger-checked">{check.data.sentence}</Alert>}
      <ProblemAlert error={check.error ?? page.error} />
      {page.data?.items.length === 0 && <Text size="sm" c="dimmed">{t("ledger.none")}</Text>}
      <Table.ScrollContainer minWidth={640} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing={4}>
          <Table.Thead><Table.Tr><Table.Th>{t("ledger.number")}</Table.Th><Table.Th>{t("when")}</Table.Th><Table.Th>{t("ledger.what")}</Table.Th><Table.Th>{t("ledger.facts")}</Table.Th><Table.Th>{t("ledger.hash")}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {page.data?.items.map((e) => (
              <Table.Tr key={e.seq}>
                <Table.Td>{e.seq}</Table.Td><Table.Td><When at={e.at} /></Table.Td><Table.Td><Text size="sm">{e.kind}</Text></Table.Td>
                <Table.Td><Text size="xs" style={{ overflowWrap: "anywhere" }}>{e.data}</Text></Table.Td><Table.Td><Code>{e.hash.slice(0, 10)}</Code></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

async function verify(file?: File | null): Promise<Checked> {
  if (!file) return api<Checked>("/ledger/verify");
  return api<Checked>("/ledger/verify", { method: "POST", body: await file.text(), headers: { "content-type": "application/x-ndjson" } });
}
