// Run a script: which machines, frozen as listed; which values; and one sentence of what will happen.
import { Alert, Button, Checkbox, Group, Loader, Modal, NumberInput, ScrollArea, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ProblemAlert, useEngine } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type Run, type Script, useChange, useRead, useTargets, type Version } from "../api";
import { t } from "../texts";
import { initialValues, missing, ParameterForm, type Values } from "./ParameterForm";

export function RunDialog(props: { script: Script; selector?: string; onClose: () => void }) {
  const version = useRead<Version>(`/scripts/${props.script.id}/versions/${props.script.latest_version}`);
  return (
    <Modal opened onClose={props.onClose} title={t("ask.title", { name: props.script.name })} size="lg" closeButtonProps={{ "aria-label": t("close") }}>
      {version.data ? <Form {...props} version={version.data} /> : <ProblemAlert error={version.error} />}
      {version.isPending && <Loader aria-label={t("loading")} />}
    </Modal>
  );
}

function Form({ script, version, selector: given, onClose }: { script: Script; version: Version; selector?: string; onClose: () => void }) {
  const engine = useEngine();
  const [selector, setSelector] = useState(given ?? "");
  const [asked] = useDebouncedValue(selector.trim(), 300);
  const [values, setValues] = useState<Values>(() => initialValues(version.parameters));
  const [concurrency, setConcurrency] = useState<number | string>(10);
  const [check, setCheck] = useState(false);
  const [justification, setJustification] = useState("");
  const targets = useTargets(asked, asked !== "");
  const run = useChange((body: object) => api<Run>(`/scripts/${script.id}/runs`, { body }));
  const machines = targets.data?.machines ?? [];
  const lacking = missing(version.parameters, values);
  const frozen = targets.data?.more ? { selector: asked } : { machine_ids: machines.map((m) => m.id) };
  const go = () =>
    run.mutate(
      { ...frozen, version: version.number, parameters: values, concurrency: Number(concurrency) || 0, check, justification },
      { onSuccess: (made) => { onClose(); engine.go(`runs/${made.id}`); } },
    );
  const ready = machines.length > 0 && lacking.length === 0 && asked === selector.trim();
  return (
    <Stack>
      <TextInput label={t("machines")} description={t("ask.machines")} value={selector} onChange={(e) => setSelector(e.currentTarget.value)} data-autofocus required error={targets.error ? targets.error.message : undefined} />
      {asked !== "" && targets.data && <Frozen machines={machines} more={targets.data.more} />}
      <ParameterForm parameters={version.parameters} values={values} onChange={setValues} />
      <Group grow align="flex-start">
        <NumberInput label={t("ask.atonce")} description={t("ask.atonce.hint")} value={concurrency} onChange={setConcurrency} min={0} max={10000} allowDecimal={false} />
        <Checkbox mt="xl" label={t("ask.check")} checked={check} onChange={(e) => setCheck(e.currentTarget.checked)} />
      </Group>
      {version.privileged && <Textarea label={t("ask.why")} description={t("ask.why.hint")} value={justification} onChange={(e) => setJustification(e.currentTarget.value)} />}
      <Alert color="blue" variant="light" role="status" data-testid="run-sentence">{sentence(script, version, machines.length, targets.data?.more ?? false, Number(concurrency), check, lacking)}</Alert>
      <ProblemAlert error={run.error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>{t("cancel")}</Button>
        <Button disabled={!ready} loading={run.isPending} onClick={go}>{version.privileged && !check ? t("ask.approval") : t("ask.run", { machines: counted(machines.length, targets.data?.more ?? false) })}</Button>
      </Group>
    </Stack>
  );
}

function counted(count: number, more: boolean): string {
  return t(more ? "machines.more" : "machines.count", { count });
}

function sentence(script: Script, version: Version, n: number, more: boolean, atOnce: number, check: boolean, lacking: string[]): string {
  if (n === 0) return t("ask.choose");
  if (lacking.length > 0) return t("ask.lacking", { names: lacking.join(", ") });
  const paced = atOnce > 0 && atOnce < n;
  const key = `will.${check ? "check" : "run"}${version.run_as ? ".as" : ""}${paced ? ".paced" : ""}` as const;
  const will = t(key, { version: String(version.number), script: script.name, user: version.run_as ?? "", machines: counted(n, more), pace: atOnce });
  return version.privileged && !check ? `${will} ${t("ask.waits")}` : will;
}

function Frozen({ machines, more }: { machines: { id: string; name: string }[]; more: boolean }) {
  const names = machines.map((m) => m.name).join(", ");
  if (machines.length === 0) return <Text size="sm" c="dimmed">{t("ask.nomatch")}</Text>;
  return (
    <ScrollArea.Autosize mah={120} viewportProps={{ tabIndex: 0, "aria-label": t("ask.match") }}>
      <Text size="sm" data-testid="frozen-targets">{more ? t("ask.more", { names }) : names}</Text>
    </ScrollArea.Autosize>
  );
}
