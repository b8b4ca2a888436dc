// A form from a script's typed parameters.
import { NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import type { Parameter } from "../api";
import { t } from "../texts";

export type Values = Record<string, unknown>;

/** What a parameter starts with. */
export function initialValues(parameters: Parameter[]): Values {
  return Object.fromEntries(parameters.filter((p) => p.default !== undefined && p.default !== null).map((p) => [p.name, p.default]));
}

/** Names of required parameters that are empty. */
export function missing(parameters: Parameter[], values: Values): string[] {
  return parameters.filter((p) => p.required && (values[p.name] === undefined || values[p.name] === "")).map((p) => p.name);
}

export function ParameterForm(props: { parameters: Parameter[]; values: Values; onChange: (values: Values) => void }) {
  const { parameters, values, onChange } = props;
  const set = (name: string, value: unknown) => {
    const next = { ...values };
    if (value === undefined || value === "") delete next[name];
    else next[name] = value;
    onChange(next);
  };
  if (parameters.length === 0) return <Text size="sm" c="dimmed">{t("parameters.notaken")}</Text>;
  return <Stack gap="sm">{parameters.map((p) => <Field key={p.name} parameter={p} value={values[p.name]} set={(v) => set(p.name, v)} />)}</Stack>;
}

function Field({ parameter: p, value, set }: { parameter: Parameter; value: unknown; set: (value: unknown) => void }) {
  const shared = { label: p.name, description: p.description || undefined, required: p.required ?? false };
  switch (p.type) {
    case "boolean":
      return <Switch label={p.name} description={p.description} checked={value === true} onChange={(e) => set(e.currentTarget.checked)} />;
    case "integer":
      return <NumberInput {...shared} value={typeof value === "number" ? value : ""} min={p.min} max={p.max} allowDecimal={false} onChange={(v) => set(typeof v === "number" ? v : undefined)} />;
    case "choice":
      return <Select {...shared} data={p.choices ?? []} value={typeof value === "string" ? value : null} onChange={(v) => set(v ?? undefined)} clearable={!p.required} />;
    case "secret":
      return <TextInput {...shared} description={[p.description, t("parameter.secret")].filter(Boolean).join(" ")} value={typeof value === "string" ? value : ""} onChange={(e) => set(e.currentTarget.value)} />;
    default:
      return <TextInput {...shared} value={typeof value === "string" ? value : ""} maxLength={p.max_length} onChange={(e) => set(e.currentTarget.value)} />;
  }
}
