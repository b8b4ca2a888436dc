// Coverage: what the licence covers, what stops when it lapses, how much is used, renewal, and the ledger.
import { Alert, Card, Group, SimpleGrid, Stack, Tabs, Text } from "@mantine/core";
import { HrefLink, PageHeader, ProblemAlert, StateBadge, When } from "@sysmanage/plugin-kit";
import { type LicenceView, type Overview, useRead } from "../api";
import { LapseTab } from "./LapseTab";
import { LedgerTab } from "./LedgerTab";
import { MatrixTab } from "./MatrixTab";
import { RenewTab } from "./RenewTab";
import { UsageTab } from "./UsageTab";

export default function CoveragePage() {
  const overview = useRead<Overview>("/overview");
  return (
    <Stack gap="lg">
      <PageHeader title="Licence coverage" description="What is covered, for how long, and what would stop.">
        <HrefLink href="/license" size="sm">Install a licence</HrefLink>
      </PageHeader>
      <ProblemAlert error={overview.error} retry={() => void overview.refetch()} />
      {overview.data && <Head overview={overview.data} />}
      <Tabs defaultValue="matrix" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="matrix">Coverage</Tabs.Tab>
          <Tabs.Tab value="lapse">What stops</Tabs.Tab>
          <Tabs.Tab value="usage">Machines</Tabs.Tab>
          <Tabs.Tab value="renew">Renewal</Tabs.Tab>
          <Tabs.Tab value="ledger">Ledger</Tabs.Tab>
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
  if (l.days_left === null) return "without end";
  if (l.days_left > 0) return `${l.days_left} days left`;
  return `ended ${-l.days_left} days ago`;
}

function Head({ overview }: { overview: Overview }) {
  const next = overview.next_change;
  return (
    <Stack gap="sm">
      {overview.clock_set_back && <Alert color="red" title="The clock of this host was set back">Licences count by the latest time ever seen. Correct the clock.</Alert>}
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {overview.licenses.map((l) => (
          <Card withBorder radius="md" p="md" key={l.id}>
            <Group justify="space-between"><Text fw={600}>{l.organisation}</Text><StateBadge state={l.standing} label={l.standing.replaceAll("_", " ")} /></Group>
            <Text size="xl" fw={700}>{left(l)}</Text>
            <Text size="sm" c="dimmed">{"Ends: "}<When at={l.expires_at} /></Text>
          </Card>
        ))}
        <Card withBorder radius="md" p="md">
          <Text fw={600}>Machines</Text>
          <Text size="xl" fw={700}>{overview.machine_limit === null ? overview.machines : `${overview.machines} of ${overview.machine_limit}`}</Text>
          <Text size="sm" c="dimmed">approved, against the limit</Text>
        </Card>
        <Card withBorder radius="md" p="md">
          <Text fw={600}>Engines</Text>
          <Text size="xl" fw={700}>{`${overview.engines_granted} of ${overview.engines}`}</Text>
          <Text size="sm" c="dimmed">{next ? <>{`${next.name} turns ${next.state.replaceAll("_", " ")} `}<When at={next.at} /></> : "nothing changes by time"}</Text>
        </Card>
      </SimpleGrid>
    </Stack>
  );
}
