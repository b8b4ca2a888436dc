// Machines a day against the limit, as a small chart and a table for who cannot see it.
import { Stack, Table, Text } from "@mantine/core";
import { number, ProblemAlert, When } from "@sysmanage/plugin-kit";
import { type Day, type Notice, useRead } from "../api";
import { t } from "../texts";

const [W, H] = [720, 160];

export function UsageTab() {
  const usage = useRead<{ items: Day[] }>("/usage?days=365");
  const notices = useRead<{ items: Notice[] }>("/notices");
  const days = usage.data?.items ?? [];
  return (
    <Stack>
      <ProblemAlert error={usage.error} />
      {days.length > 1 && <Chart days={days} />}
      <Table maw={480} verticalSpacing={4}>
        <Table.Thead><Table.Tr><Table.Th>{t("usage.day")}</Table.Th><Table.Th>{t("usage.peak")}</Table.Th><Table.Th>{t("usage.limit")}</Table.Th></Table.Tr></Table.Thead>
        <Table.Tbody>
          {days.slice(-14).reverse().map((d) => <Table.Tr key={d.day}><Table.Td>{d.day}</Table.Td><Table.Td>{number(d.peak)}</Table.Td><Table.Td>{d.limit === null ? t("usage.nolimit") : number(d.limit)}</Table.Td></Table.Tr>)}
        </Table.Tbody>
      </Table>
      <Text fw={600}>{t("notices")}</Text>
      {notices.data?.items.length === 0 && <Text size="sm" c="dimmed">{t("notices.none")}</Text>}
      {notices.data?.items.map((n) => <Text size="sm" key={`${n.license}${n.days}${n.expires_at}`}>{t.rich("notice", { license: n.license, count: n.days, at: <When at={n.sent_at} fallback={t("notice.notyet")} /> })}</Text>)}
    </Stack>
  );
}

function Chart({ days }: { days: Day[] }) {
  const top = Math.max(1, ...days.map((d) => Math.max(d.peak, d.limit ?? 0))) * 1.1;
  const x = (i: number) => (W * i) / (days.length - 1);
  const y = (n: number) => H - (H * n) / top;
  const line = (of: (d: Day) => number | null) =>
    days.flatMap((d, i) => { const n = of(d); return n === null ? [] : [`${x(i).toFixed(1)},${y(n).toFixed(1)}`]; }).join(" ");
  return (
    <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={t("usage.chart")} style={{ width: "100%", maxWidth: W, height: "auto" }}>
      <polyline points={line((d) => d.limit)} fill="none" stroke="var(--mantine-color-red-6)" strokeDasharray="6 4" strokeWidth="2" />
      <polyline points={line((d) => d.peak)} fill="none" stroke="var(--mantine-primary-color-filled)" strokeWidth="2" />
    </svg>
  );
}
