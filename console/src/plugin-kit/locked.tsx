// What stands in the place of a page that cannot be shown, and above one that can only be read.
import { Alert, Button, Group, Paper, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import { day, type Key, t } from "../i18n";
import type { EngineUi } from "./types";

function Lock() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
      <rect x="5" y="11" width="14" height="10" rx="2" />
      <path d="M8 11V7a4 4 0 0 1 8 0v4" />
    </svg>
  );
}

/** States that have a title of their own. */
const TITLED = ["unlicensed", "disabled", "failed", "refused", "incompatible", "quarantined", "draining", "discovered"];

function title(ui: EngineUi, failure: string | undefined): string {
  const state = TITLED.includes(ui.state) ? ui.state : "other";
  return t(failure ? "kit.locked.pages" : (`kit.locked.${state}` as Key), { name: ui.name });
}

/** The reason, and what unlocks it: never a dead button. */
export function LockedPanel({ ui, failure }: { ui: EngineUi; failure?: string }) {
  const router = useRouter();
  const locked = ui.entitlement === "locked";
  return (
    <Paper withBorder p="xl" radius="md" maw={680} data-testid="engine-locked">
      <Group align="flex-start" wrap="nowrap" gap="lg">
        <ThemeIcon size={44} radius="md" variant="light" color={locked ? "yellow" : "gray"}><Lock /></ThemeIcon>
        <Stack gap="sm">
          <Title order={1} size="h3">{title(ui, failure)}</Title>
          <Text>{ui.description}</Text>
          <Text fw={500}>{failure ?? (locked ? ui.sentence : (ui.report ?? ui.reason ?? ui.remedy))}</Text>
          {locked && ui.unlocks && <Text>{ui.unlocks}</Text>}
          {!locked && !failure && ui.remedy !== "" && <Text c="dimmed">{ui.remedy}</Text>}
          {locked && <Text c="dimmed">{t("kit.locked.kept")}</Text>}
          <Group>
            {locked && <Button onClick={() => router.history.push("/license")}>{t("kit.locked.install")}</Button>}
            <Button variant="default" onClick={() => router.history.push("/engines")}>{t("kit.locked.engines")}</Button>
          </Group>
        </Stack>
      </Group>
    </Paper>
  );
}

/** Says that the licence is in grace, or only allows reading. Nothing otherwise. */
export function EntitlementBanner({ ui }: { ui: EngineUi }) {
  if (ui.entitlement === "grace") {
    return (
      <Alert color="yellow" title={t("kit.grace.title")} data-testid="engine-grace">
        {t("kit.grace", { day: day(ui.turns_at) })}
      </Alert>
    );
  }
  if (ui.entitlement === "read_only") {
    return (
      <Alert color="orange" title={t("kit.readonly.title")} data-testid="engine-read-only">
        {`${ui.sentence} ${t("kit.readonly")}`}
      </Alert>
    );
  }
  return null;
}
