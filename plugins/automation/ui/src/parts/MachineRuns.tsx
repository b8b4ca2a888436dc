// Tab of a machine: the scripts that ran on it.
import { Stack } from "@mantine/core";
import { type MachineRef, ProblemAlert } from "@sysmanage/plugin-kit";
import { type Page, type Run, RUN_TOPICS, useRead } from "../api";
import { RunTable } from "./RunTable";

export default function MachineRuns({ machine }: { machine: MachineRef }) {
  const runs = useRead<Page<Run>>(`/runs?machine_id=${machine.id}&limit=50`, RUN_TOPICS);
  return <Stack><ProblemAlert error={runs.error} />{runs.data && <RunTable runs={runs.data.items} />}</Stack>;
}
