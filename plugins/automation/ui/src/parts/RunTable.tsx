// A table of runs.
import { Table, Text } from "@mantine/core";
import { EngineLink, StateBadge, When } from "@sysmanage/plugin-kit";
import type { Run } from "../api";
import { t } from "../texts";

export function RunTable({ runs }: { runs: Run[] }) {
  if (runs.length === 0) return <Text c="dimmed" size="sm">{t("runs.none")}</Text>;
  return (
    <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      <Table verticalSpacing="xs" highlightOnHover>
        <Table.Thead>
          <Table.Tr><Table.Th>{t("script")}</Table.Th><Table.Th>{t("state")}</Table.Th><Table.Th>{t("machines")}</Table.Th><Table.Th>{t("run.by")}</Table.Th><Table.Th>{t("when")}</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((r) => (
            <Table.Tr key={r.id}>
              <Table.Td><EngineLink to={`runs/${r.id}`} size="sm">{`${r.script_name} v${r.version}`}</EngineLink>{r.check && <Text span size="xs" c="dimmed">{` ${t("run.check")}`}</Text>}</Table.Td>
              <Table.Td><StateBadge state={r.state} /></Table.Td>
              <Table.Td><Text size="sm">{t("run.done", { done: r.counts.succeeded ?? 0, all: r.targets })}</Text></Table.Td>
              <Table.Td><Text size="sm">{r.actor_name}</Text></Table.Td>
              <Table.Td><When at={r.created_at} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
