// Run a script: which machines, frozen as listed; which values; and one sentence of what will happen.
import { Alert, Button, Checkbox, Group, Loader, Modal, NumberInput, ScrollArea, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ProblemAlert, useEngine } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type Run, type Script, useChange, useRead, useTargets, type Version } from "../api";
import { initialValues, missing, ParameterForm, type Values } from "./ParameterForm";

export function RunDialog(props: { script: Script; selector?: string; onClose: () => void }) {
  const version = useRead<Version>(`/scripts/${props.script.id}/versions/${props.script.latest_version}`);
  return (
    <Modal opened onClose={props.onClose} title={`Run ${props.script.name}`} size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      {version.data ? <Form {...props} version={version.data} /> : <ProblemAlert error={version.error} />}
      {version.isPending && <Loader aria-label="Loading" />}
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
      <TextInput label="Machines" description="A selector, e.g. os:debian tag:web" value={selector} onChange={(e) => setSelector(e.currentTarget.value)} data-autofocus required error={targets.error ? targets.error.message : undefined} />
      {asked !== "" && targets.data && <Frozen machines={machines} more={targets.data.more} />}
      <ParameterForm parameters={version.parameters} values={values} onChange={setValues} />
      <Group grow align="flex-start">
        <NumberInput label="At once" description="Machines that run it at the same time; 0 for all" value={concurrency} onChange={setConcurrency} min={0} max={10000} allowDecimal={false} />
        <Checkbox mt="xl" label="Only check its syntax" checked={check} onChange={(e) => setCheck(e.currentTarget.checked)} />
      </Group>
      {version.privileged && <Textarea label="Why" description="Shown to whoever approves the run" value={justification} onChange={(e) => setJustification(e.currentTarget.value)} />}
      <Alert color="blue" variant="light" role="status" data-testid="run-sentence">{sentence(script, version, machines.length, targets.data?.more ?? false, Number(concurrency), check, lacking)}</Alert>
      <ProblemAlert error={run.error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button disabled={!ready} loading={run.isPending} onClick={go}>{version.privileged && !check ? "Ask for approval" : `Run on ${count(machines.length, targets.data?.more ?? false)}`}</Button>
      </Group>
    </Stack>
  );
}

function count(n: number, more: boolean): string {
  if (more) return `more than ${n} machines`;
  return n === 1 ? "1 machine" : `${n} machines`;
}

function sentence(script: Script, version: Version, n: number, more: boolean, atOnce: number, check: boolean, lacking: string[]): string {
  if (n === 0) return "Choose machines first; those that match are listed here.";
  if (lacking.length > 0) return `Still needed: ${lacking.join(", ")}.`;
  const what = check ? "have its syntax checked, without running," : "run";
  const who = version.run_as ? ` as ${version.run_as}` : "";
  const pace = atOnce > 0 && atOnce < n ? `, ${atOnce} at a time` : "";
  const wait = version.privileged && !check ? " Nothing happens before another person approves exactly this." : "";
  return `Version ${version.number} of ${script.name} will ${what}${who} on ${count(n, more)}${pace}.${wait}`;
}

function Frozen({ machines, more }: { machines: { id: string; name: string }[]; more: boolean }) {
  if (machines.length === 0) return <Text size="sm" c="dimmed">No machine matches.</Text>;
  return (
    <ScrollArea.Autosize mah={120} viewportProps={{ tabIndex: 0, "aria-label": "Machines that match" }}>
      <Text size="sm" data-testid="frozen-targets">{machines.map((m) => m.name).join(", ")}{more ? " and more" : ""}</Text>
    </ScrollArea.Autosize>
  );
}
