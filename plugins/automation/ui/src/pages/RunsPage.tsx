// Every run the caller may see.
import { Select, Stack } from "@mantine/core";
import { PageHeader, ProblemAlert, query, stateWord } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { type Page, type Run, RUN_TOPICS, useRead } from "../api";
import { RunTable } from "../parts/RunTable";
import { t } from "../texts";

const STATES = ["awaiting_approval", "waiting", "queued", "running", "succeeded", "partly_failed", "failed", "cancelled", "rejected", "expired"];

export default function RunsPage() {
  const [state, setState] = useState<string | null>(null);
  const runs = useRead<Page<Run>>(`/runs${query({ state, limit: 100 })}`, RUN_TOPICS);
  return (
    <Stack>
      <PageHeader title={t("runs")} description={t("runs.description")} />
      <Select aria-label={t("state")} placeholder={t("runs.anystate")} data={STATES.map((s) => ({ value: s, label: stateWord(s) }))} value={state} onChange={setState} clearable w={220} clearButtonProps={{ "aria-label": t("runs.anystate") }} />
      <ProblemAlert error={runs.error} retry={() => void runs.refetch()} />
      {runs.data && <RunTable runs={runs.data.items} />}
    </Stack>
  );
}
