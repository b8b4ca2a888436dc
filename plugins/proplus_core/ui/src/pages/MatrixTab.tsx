// Feature by tier: what is covered, what is missing, and why.
import { Stack, Table, Text } from "@mantine/core";
import { ProblemAlert, StateBadge } from "@sysmanage/plugin-kit";
import { type Row, useRead } from "../api";

export function MatrixTab() {
  const matrix = useRead<{ items: Row[] }>("/matrix");
  return (
    <Stack>
      <ProblemAlert error={matrix.error} />
      <Table.ScrollContainer minWidth={760} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing="xs" data-testid="matrix">
          <Table.Thead>
            <Table.Tr><Table.Th>Engine</Table.Th><Table.Th>What it brings</Table.Th><Table.Th>Professional</Table.Th><Table.Th>Enterprise</Table.Th><Table.Th>Here</Table.Th><Table.Th>What is missing</Table.Th></Table.Tr>
          </Table.Thead>
          <Table.Tbody>{matrix.data?.items.map((row) => <MatrixRow key={row.engine} row={row} />)}</Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function Held({ held }: { held: boolean }) {
  return <Text size="sm" c={held ? undefined : "dimmed"}>{held ? "yes" : "no"}</Text>;
}

function MatrixRow({ row }: { row: Row }) {
  return (
    <Table.Tr>
      <Table.Td><Text size="sm" fw={600}>{row.name}</Text>{row.installed && <Text size="xs" c="dimmed">{row.installed}</Text>}</Table.Td>
      <Table.Td><Text size="sm">{row.features.join(", ")}</Text></Table.Td>
      <Table.Td><Held held={row.professional} /></Table.Td>
      <Table.Td><Held held={row.enterprise} /></Table.Td>
      <Table.Td><StateBadge state={row.state} label={row.state === "covered" ? "covered, not installed" : undefined} /></Table.Td>
      <Table.Td><Text size="sm">{row.missing ?? ""}</Text></Table.Td>
    </Table.Tr>
  );
}
