// Feature by tier: what is covered, what is missing, and why.
import { Stack, Table, Text } from "@mantine/core";
import { ProblemAlert, StateBadge } from "@sysmanage/plugin-kit";
import { type Row, useRead } from "../api";
import { t } from "../texts";

export function MatrixTab() {
  const matrix = useRead<{ items: Row[] }>("/matrix");
  return (
    <Stack>
      <ProblemAlert error={matrix.error} />
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing="xs" data-testid="matrix">
          <Table.Thead>
            <Table.Tr><Table.Th>{t("matrix.engine")}</Table.Th><Table.Th>{t("matrix.features")}</Table.Th><Table.Th>{t("tier.professional")}</Table.Th><Table.Th>{t("tier.enterprise")}</Table.Th><Table.Th>{t("matrix.here")}</Table.Th><Table.Th>{t("matrix.missing")}</Table.Th></Table.Tr>
          </Table.Thead>
          <Table.Tbody>{matrix.data?.items.map((row) => <MatrixRow key={row.engine} row={row} />)}</Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function Held({ held }: { held: boolean }) {
  return <Text size="sm" c={held ? undefined : "dimmed"}>{t(held ? "yes" : "no")}</Text>;
}

function MatrixRow({ row }: { row: Row }) {
  return (
    <Table.Tr>
      <Table.Td><Text size="sm" fw={600}>{row.name}</Text>{row.installed && <Text size="xs" c="dimmed">{row.installed}</Text>}</Table.Td>
      <Table.Td><Text size="sm">{row.features.join(", ")}</Text></Table.Td>
      <Table.Td><Held held={row.professional} /></Table.Td>
      <Table.Td><Held held={row.enterprise} /></Table.Td>
      <Table.Td><StateBadge state={row.state} label={row.state === "covered" ? t("matrix.covered") : undefined} /></Table.Td>
      <Table.Td><Text size="sm">{row.missing ?? ""}</Text></Table.Td>
    </Table.Tr>
  );
}
