// Notes: list, add, tick off.
import { Card, Checkbox, Group, Stack, Text, TextInput } from "@mantine/core";
import { ChangeButton, PageHeader, ProblemAlert, useEngine, useEvents } from "@sysmanage/plugin-kit";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { t } from "../texts";

interface Note {
  id: string;
  title: string;
  body: string;
  done: boolean;
}

export default function NotesPage() {
  const { api, id, mayWrite } = useEngine();
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: [id, "notes"] });
  useEvents(["created", "updated", "deleted"].map((verb) => `example.note.${verb}`), () => void again());
  const notes = useQuery({ queryKey: [id, "notes"], queryFn: ({ signal }) => api<{ notes: Note[] }>("/notes", { signal }) });
  const [title, setTitle] = useState("");
  const add = useMutation({ mutationFn: () => api("/notes", { body: { title } }), onSuccess: () => { setTitle(""); void again(); } });
  const tick = useMutation({
    mutationFn: (n: Note) => api(`/notes/${n.id}`, { method: "PUT", body: { title: n.title, body: n.body, done: !n.done } }),
    onSuccess: again,
  });
  return (
    <Stack>
      <PageHeader title={t("title")} description={t("description")} />
      <Group align="flex-end">
        <TextInput label={t("new")} value={title} maxLength={200} onChange={(e) => setTitle(e.currentTarget.value)} flex={1} maw={420} />
        <ChangeButton disabled={title.trim() === ""} loading={add.isPending} onClick={() => add.mutate()}>{t("add")}</ChangeButton>
      </Group>
      <ProblemAlert error={notes.error ?? add.error ?? tick.error} />
      {notes.data?.notes.length === 0 && <Text c="dimmed">{t("none")}</Text>}
      {notes.data?.notes.map((n) => (
        <Card key={n.id} withBorder p="sm" radius="md">
          <Checkbox label={n.title} description={n.body} checked={n.done} disabled={!mayWrite} onChange={() => tick.mutate(n)} />
        </Card>
      ))}
    </Stack>
  );
}
