// The library.
import { Badge, Button, Card, Group, Modal, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ChangeButton, EngineLink, PageHeader, ProblemAlert, query, useEngine } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { api, type NewVersion, type Page, type Script, useChange, useRead } from "../api";
import { RunDialog } from "../parts/RunDialog";
import { EMPTY, VersionForm } from "../parts/ScriptForm";
import { t } from "../texts";

export default function ScriptsPage() {
  const [text, setText] = useState("");
  const [q] = useDebouncedValue(text, 200);
  const [making, setMaking] = useState(false);
  const [running, setRunning] = useState<Script>();
  const scripts = useRead<Page<Script>>(`/scripts${query({ q, limit: 100 })}`, ["automation.script.changed"]);
  return (
    <Stack>
      <PageHeader title={t("scripts")} description={t("scripts.description")}>
        <ChangeButton onClick={() => setMaking(true)}>{t("script.new")}</ChangeButton>
      </PageHeader>
      <TextInput aria-label={t("scripts.find")} placeholder={t("scripts.find.hint")} value={text} onChange={(e) => setText(e.currentTarget.value)} maw={360} />
      <ProblemAlert error={scripts.error} retry={() => void scripts.refetch()} />
      {scripts.data?.items.length === 0 && <Text c="dimmed">{t(q ? "scripts.nomatch" : "scripts.none")}</Text>}
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
        {scripts.data?.items.map((s) => <ScriptCard key={s.id} script={s} run={() => setRunning(s)} />)}
      </SimpleGrid>
      {making && <NewScript onClose={() => setMaking(false)} />}
      {running && <RunDialog script={running} onClose={() => setRunning(undefined)} />}
    </Stack>
  );
}

function ScriptCard({ script, run }: { script: Script; run: () => void }) {
  return (
    <Card withBorder radius="md" p="md">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <EngineLink to={`scripts/${script.id}`} fw={600} style={{ overflowWrap: "anywhere" }}>{script.name}</EngineLink>
        <ChangeButton size="xs" variant="light" flex="none" onClick={run} aria-label={t("script.run.one", { name: script.name })}>{t("script.run")}</ChangeButton>
      </Group>
      <Text size="sm" lineClamp={2} mih={20}>{script.description}</Text>
      <Group gap={6} mt="xs">
        <Badge variant="light" tt="none">{script.interpreter}</Badge>
        <Badge variant="outline" color="gray" tt="none">{`v${script.latest_version}`}</Badge>
        {script.privileged && <Badge color="yellow" variant="light" autoContrast tt="none">{t("script.approval")}</Badge>}
        {script.tags.map((tag) => <Badge key={tag} variant="outline" tt="none">{tag}</Badge>)}
      </Group>
      <Text size="xs" c="dimmed" mt="xs">{t("script.owner", { name: script.owner_name })}</Text>
    </Card>
  );
}

function NewScript({ onClose }: { onClose: () => void }) {
  const engine = useEngine();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [version, setVersion] = useState<NewVersion>(EMPTY);
  const make = useChange((body: object) => api<Script>("/scripts", { body }));
  const save = () => make.mutate({ name, description, version }, { onSuccess: (s) => { onClose(); engine.go(`scripts/${s.id}`); } });
  return (
    <Modal opened onClose={onClose} title={t("script.new")} size="xl" closeButtonProps={{ "aria-label": t("close") }}>
      <Stack>
        <TextInput label={t("name")} required value={name} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <TextInput label={t("description")} value={description} onChange={(e) => setDescription(e.currentTarget.value)} />
        <VersionForm value={version} onChange={setVersion} />
        <ProblemAlert error={make.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{t("cancel")}</Button>
          <Button disabled={name.trim() === ""} loading={make.isPending} onClick={save}>{t("script.save")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
