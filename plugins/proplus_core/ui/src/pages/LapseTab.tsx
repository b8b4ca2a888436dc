// What stops on a day if nothing is renewed.
import { Alert, Button, Card, Group, List, SimpleGrid, Stack, Text, TextInput, Timeline, Title } from "@mantine/core";
import { ProblemAlert, StateBadge, stateWord, When } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { type Lapse, useRead } from "../api";
import { t } from "../texts";

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

export function LapseTab() {
  const [day, setDay] = useState(() => inDays(400));
  const valid = /^\d{4}-\d{2}-\d{2}$/.test(day);
  const lapse = useRead<Lapse>(`/lapse?at=${valid ? day : inDays(400)}T00:00:00Z`);
  return (
    <Stack>
      <Group align="flex-end">
        <TextInput type="date" label={t("lapse.until")} value={day} onChange={(e) => setDay(e.currentTarget.value)} />
        {[30, 90, 400].map((n) => <Button key={n} variant="default" onClick={() => setDay(inDays(n))}>{t("lapse.in", { count: n })}</Button>)}
      </Group>
      <ProblemAlert error={lapse.error} />
      {lapse.data && <Shown lapse={lapse.data} />}
    </Stack>
  );
}

function Shown({ lapse }: { lapse: Lapse }) {
  return (
    <>
      <Alert color={lapse.engines.some((e) => e.stops.length > 0) ? "orange" : "green"} variant="light" role="status" data-testid="lapse-sentence">{lapse.sentence}</Alert>
      {lapse.timeline.length > 0 && (
        <Timeline bulletSize={14} lineWidth={2} active={lapse.timeline.length}>
          {lapse.timeline.map((s) => <Timeline.Item key={`${s.at}${s.engine}`} title={t("lapse.turns", { engine: s.name, state: stateWord(s.state) })}><When at={s.at} /></Timeline.Item>)}
        </Timeline>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        {lapse.engines.map((e) => (
          <Card withBorder radius="md" p="md" key={e.engine}>
            <Group justify="space-between"><Title order={2} size="h5">{e.name}</Title><StateBadge state={e.then} /></Group>
            <Text size="sm" mb="xs">{e.sentence}</Text>
            {e.stops.length > 0 && <><Text size="sm" fw={600}>{t("lapse.stops")}</Text><List size="sm">{e.stops.map((s) => <List.Item key={s}>{s}</List.Item>)}</List></>}
            <Text size="sm" fw={600} mt="xs">{t("lapse.goeson")}</Text>
            <List size="sm">{e.continues.map((s) => <List.Item key={s}>{s}</List.Item>)}</List>
          </Card>
        ))}
      </SimpleGrid>
    </>
  );
}
