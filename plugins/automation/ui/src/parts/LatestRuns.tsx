// Card of the overview: the latest runs.
import { Stack } from "@mantine/core";
import { ProblemAlert } from "@sysmanage/plugin-kit";
import { type Page, type Run, RUN_TOPICS, useRead } from "../api";
import { RunTable } from "./RunTable";

export default function LatestRuns() {
  const runs = useRead<Page<Run>>("/runs?limit=5", RUN_TOPICS);
  return <Stack><ProblemAlert error={runs.error} />{runs.data && <RunTable runs={runs.data.items} />}</Stack>;
}
