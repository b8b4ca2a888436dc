// Card of the overview: how long the licence lasts, how much of it is used.
import { Progress, Stack, Text } from "@mantine/core";
import { EngineLink, ProblemAlert, StateBadge, stateWord } from "@sysmanage/plugin-kit";
import { type LicenceView, type Overview, useRead } from "../api";
import { t } from "../texts";

/** Its state, and for how long. */
function standing({ standing, days_left }: LicenceView): string {
  const state = stateWord(standing);
  return days_left === null ? state : t("card.left", { state, count: days_left });
}

export default function LicenceCard() {
  const overview = useRead<Overview>("/overview");
  if (!overview.data) return <ProblemAlert error={overview.error} />;
  const { licenses, machines, machine_limit } = overview.data;
  const first = licenses[0];
  return (
    <Stack gap="xs">
      {first ? <StateBadge state={first.standing} label={standing(first)} /> : <Text size="sm">{t("card.none")}</Text>}
      <Text size="sm">{machine_limit === null ? t("card.machines", { count: machines }) : t("card.machines.of", { used: machines, count: machine_limit })}</Text>
      {machine_limit !== null && <Progress value={Math.min(100, (100 * machines) / machine_limit)} aria-label={t("card.used")} />}
      <EngineLink to="licence" size="sm">{t("card.more")}</EngineLink>
    </Stack>
  );
}
