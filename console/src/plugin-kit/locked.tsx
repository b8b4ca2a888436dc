// What stands in the place of a page that cannot be shown, and above one that can only be read.
import { Alert, Button, Group, Paper, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { useRouter } from "@tanstack/react-router";
import type { EngineUi } from "./types";

function Lock() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
      <rect x="5" y="11" width="14" height="10" rx="2" />
      <path d="M8 11V7a4 4 0 0 1 8 0v4" />
    </svg>
  );
}

const TITLES: Record<string, string> = {
  unlicensed: "is locked",
  disabled: "is switched off",
  failed: "did not start",
  refused: "was refused",
  incompatible: "needs another engine",
  quarantined: "crashed too often",
  draining: "is stopping",
  discovered: "is starting",
};

/** The reason, and what unlocks it: never a dead button. */
export function LockedPanel({ ui, failure }: { ui: EngineUi; failure?: string }) {
  const router = useRouter();
  const locked = ui.entitlement === "locked";
  const title = failure ? "has pages that could not be loaded" : (TITLES[ui.state] ?? "cannot be shown");
  return (
    <Paper withBorder p="xl" radius="md" maw={680} data-testid="engine-locked">
      <Group align="flex-start" wrap="nowrap" gap="lg">
        <ThemeIcon size={44} radius="md" variant="light" color={locked ? "yellow" : "gray"}><Lock /></ThemeIcon>
        <Stack gap="sm">
          <Title order={1} size="h3">{`${ui.name} ${title}`}</Title>
          <Text>{ui.description}</Text>
          <Text fw={500}>{failure ?? (locked ? ui.sentence : (ui.report ?? ui.reason ?? ui.remedy))}</Text>
          {locked && ui.unlocks && <Text>{ui.unlocks}</Text>}
          {!locked && !failure && ui.remedy !== "" && <Text c="dimmed">{ui.remedy}</Text>}
          {locked && <Text c="dimmed">Its data is kept and comes back with the licence.</Text>}
          <Group>
            {locked && <Button onClick={() => router.history.push("/license")}>Install a licence</Button>}
            <Button variant="default" onClick={() => router.history.push("/engines")}>Open engines</Button>
          </Group>
        </Stack>
      </Group>
    </Paper>
  );
}

function day(text: string | null): string {
  return text ? new Date(text).toLocaleDateString() : "";
}

/** Says that the licence is in grace, or only allows reading. Nothing otherwise. */
export function EntitlementBanner({ ui }: { ui: EngineUi }) {
  if (ui.entitlement === "grace") {
    return (
      <Alert color="yellow" title="The licence has ended" data-testid="engine-grace">
        {`Everything works until ${day(ui.turns_at)}; then only reading and export. Renew it on the licence page.`}
      </Alert>
    );
  }
  if (ui.entitlement === "read_only") {
    return (
      <Alert color="orange" title="Read only" data-testid="engine-read-only">
        {`${ui.sentence} Reading and export work, and nothing is lost. Renew the licence to make changes again.`}
      </Alert>
    );
  }
  return null;
}
