// Card of the overview: how long the licence lasts, how much of it is used.
import { Progress, Stack, Text } from "@mantine/core";
import { EngineLink, ProblemAlert, StateBadge } from "@sysmanage/plugin-kit";
import { type Overview, useRead } from "../api";

export default function LicenceCard() {
  const overview = useRead<Overview>("/overview");
  if (!overview.data) return <ProblemAlert error={overview.error} />;
  const { licenses, machines, machine_limit } = overview.data;
  const first = licenses[0];
  return (
    <Stack gap="xs">
      {first ? <StateBadge state={first.standing} label={first.days_left === null ? first.standing : `${first.standing}, ${first.days_left} days left`} /> : <Text size="sm">No licence</Text>}
      <Text size="sm">{machine_limit === null ? `${machines} machines` : `${machines} of ${machine_limit} machines`}</Text>
      {machine_limit !== null && <Progress value={Math.min(100, (100 * machines) / machine_limit)} aria-label="Machines used of the limit" />}
      <EngineLink to="licence" size="sm">Coverage and forecast</EngineLink>
    </Stack>
  );
}
