// Coverage: what the licence covers, what stops when it lapses, how much is used, renewal, and the ledger.
import { Alert, Card, Group, SimpleGrid, Stack, Tabs, Text } from "@mantine/core";
import { HrefLink, number, PageHeader, ProblemAlert, StateBadge, stateWord, When } from "@sysmanage/plugin-kit";
import { type LicenceView, type Overview, useRead } from "../api";
import { t } from "../texts";
import { LapseTab } from "./LapseTab";
import { LedgerTab } from "./LedgerTab";
import { MatrixTab } from "./MatrixTab";
import { RenewTab } from "./RenewTab";
import { UsageTab } from "./UsageTab";

export default function CoveragePage() {
  const overview = useRead<Overview>("/overview");
  return (
    <Stack gap="lg">
      <PageHeader title={t("title")} description={t("description")}>
        <HrefLink href="/license" size="sm">{t("install")}</HrefLink>
      </PageHeader>
      <ProblemAlert error={overview.error} retry={() => void overview.refetch()} />
      {overview.data && <Head overview={overview.data} />}
      <Tabs defaultValue="matrix" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="matrix">{t("tab.matrix")}</Tabs.Tab>
          <Tabs.Tab value="lapse">{t("tab.lapse")}</Tabs.Tab>
          <Tabs.Tab value="usage">{t("tab.usage")}</Tabs.Tab>
          <Tabs.Tab value="renew">{t("tab.renew")}</Tabs.Tab>
          <Tabs.Tab value="ledger">{t("tab.ledger")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="matrix" pt="md"><MatrixTab /></Tabs.Panel>
        <Tabs.Panel value="lapse" pt="md"><LapseTab /></Tabs.Panel>
        <Tabs.Panel value="usage" pt="md"><UsageTab /></Tabs.Panel>
        <Tabs.Panel value="renew" pt="md"><RenewTab /></Tabs.Panel>
        <Tabs.Panel value="ledger" pt="md"><LedgerTab /></Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

function left(l: LicenceView): string {
  if (l.days_left === null) return t("left.noend");
  if (l.days_left > 0) return t("left.days", { count: l.days_left });
  return t("left.ended", { count: -l.days_left });
}

function Head({ overview }: { overview: Overview }) {
  const next = overview.next_change;
  return (
    <Stack gap="sm">
      {overview.clock_set_back && <Alert color="red" title={t("clock.title")}>{t("clock")}</Alert>}
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {overview.licenses.map((l) => (
          <Card withBorder radius="md" p="md" key={l.id}>
            <Group justify="space-between"><Text fw={600}>{l.organisation}</Text><StateBadge state={l.standing} /></Group>
            <Text size="xl" fw={700}>{left(l)}</Text>
            <Text size="sm" c="dimmed">{t.rich("licence.ends", { at: <When at={l.expires_at} /> })}</Text>
          </Card>
        ))}
        <Card withBorder radius="md" p="md">
          <Text fw={600}>{t("machines")}</Text>
          <Text size="xl" fw={700}>{overview.machine_limit === null ? number(overview.machines) : t("of", { used: overview.machines, all: overview.machine_limit })}</Text>
          <Text size="sm" c="dimmed">{t("machines.limit")}</Text>
        </Card>
        <Card withBorder radius="md" p="md">
          <Text fw={600}>{t("engines")}</Text>
          <Text size="xl" fw={700}>{t("of", { used: overview.engines_granted, all: overview.engines })}</Text>
          <Text size="sm" c="dimmed">{next ? t.rich("change.next", { engine: next.name, state: stateWord(next.state), at: <When at={next.at} /> }) : t("change.none")}</Text>
        </Card>
      </SimpleGrid>
    </Stack>
  );
}
