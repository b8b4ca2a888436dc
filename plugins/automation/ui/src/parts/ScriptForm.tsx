// The editor of a version: text, interpreter, parameters.
import { ActionIcon, Button, Checkbox, Group, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { CodeEditor } from "@sysmanage/plugin-kit";
import { INTERPRETERS, type NewVersion, type Parameter } from "../api";
import { t } from "../texts";

export const EMPTY: NewVersion = { content: "#!/bin/bash\nset -eu\n\n", interpreter: "bash", parameters: [], privileged: false, timeout_s: 0, note: "" };

const TYPES = ["text", "integer", "boolean", "choice", "secret"] as const;

export function VersionForm({ value, onChange }: { value: NewVersion; onChange: (value: NewVersion) => void }) {
  const set = (change: Partial<NewVersion>) => onChange({ ...value, ...change });
  return (
    <Stack>
      <CodeEditor label={t("script")} value={value.content} onChange={(content) => set({ content })} language={value.interpreter} minHeight={260} />
      <Group grow align="flex-start">
        <Select label={t("script.interpreter")} data={INTERPRETERS} value={value.interpreter} onChange={(v) => set({ interpreter: v ?? "bash" })} allowDeselect={false} />
        <NumberInput label={t("script.limit")} description={t("script.limit.hint")} value={value.timeout_s} min={0} max={86400} allowDecimal={false} onChange={(v) => set({ timeout_s: Number(v) || 0 })} />
        <Checkbox mt={28} label={t("script.privileged")} checked={value.privileged} onChange={(e) => set({ privileged: e.currentTarget.checked })} />
      </Group>
      <Parameters parameters={value.parameters} onChange={(parameters) => set({ parameters })} />
      <TextInput label={t("script.note")} value={value.note} maxLength={200} onChange={(e) => set({ note: e.currentTarget.value })} />
    </Stack>
  );
}

function Parameters({ parameters, onChange }: { parameters: Parameter[]; onChange: (parameters: Parameter[]) => void }) {
  const put = (i: number, change: Partial<Parameter>) => onChange(parameters.map((p, at) => (at === i ? ({ ...p, ...change } as Parameter) : p)));
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" fw={500}>{t("parameters")}</Text>
        <Button size="xs" variant="default" onClick={() => onChange([...parameters, { name: `value_${parameters.length + 1}`, type: "text", required: false }])}>{t("parameter.add")}</Button>
      </Group>
      {parameters.length === 0 && <Text size="sm" c="dimmed">{t("parameters.none")}</Text>}
      {parameters.map((p, i) => (
        <Group key={i} wrap="nowrap" align="flex-end" gap="xs">
          <TextInput label={t("name")} value={p.name} onChange={(e) => put(i, { name: e.currentTarget.value })} flex={1} />
          <Select label={t("parameter.type")} data={TYPES.map((value) => ({ value, label: t(`type.${value}`) }))} value={p.type} w={150} allowDeselect={false} onChange={(v) => put(i, { type: (v ?? "text") as Parameter["type"], choices: v === "choice" ? (p.choices ?? t("parameter.choices.start").split(",")) : undefined })} />
          {p.type === "choice" && <TextInput label={t("parameter.choices")} value={(p.choices ?? []).join(",")} onChange={(e) => put(i, { choices: e.currentTarget.value.split(",").map((c) => c.trim()) })} flex={1} />}
          <TextInput label={t("description")} value={p.description ?? ""} onChange={(e) => put(i, { description: e.currentTarget.value })} flex={2} />
          <Checkbox label={t("parameter.required")} checked={p.required ?? false} mb={8} onChange={(e) => put(i, { required: e.currentTarget.checked })} />
          <ActionIcon variant="default" size="lg" aria-label={t("parameter.remove", { name: p.name })} onClick={() => onChange(parameters.filter((_, at) => at !== i))}>×</ActionIcon>
        </Group>
      ))}
    </Stack>
  );
}
