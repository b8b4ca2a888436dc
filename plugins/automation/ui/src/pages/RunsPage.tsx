// Every run the caller may see.
import { Select, Stack } from "@mantine/core";
import { PageHeader, ProblemAlert, query } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { type Page, type Run, RUN_TOPICS, useRead } from "../api";
import { RunTable } from "../parts/RunTable";

const STATES = ["awaiting_approval", "waiting", "queued", "running", "succeeded", "partly_failed", "failed", "cancelled", "rejected", "expired"];

export default function RunsPage() {
  const [state, setState] = useState<string | null>(null);
  const runs = useRead<Page<Run>>(`/runs${query({ state, limit: 100 })}`, RUN_TOPICS);
  return (
    <Stack>
      <PageHeader title="Runs" description="What ran, on which machines, and how it ended." />
      <Select aria-label="State" placeholder="Any state" data={STATES.map((s) => ({ value: s, label: s.replaceAll("_", " ") }))} value={state} onChange={setState} clearable w={220} clearButtonProps={{ "aria-label": "Any state" }} />
      <ProblemAlert error={runs.error} retry={() => void runs.refetch()} />
      {runs.data && <RunTable runs={runs.data.items} />}
    </Stack>
  );
}
