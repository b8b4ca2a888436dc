// Action for chosen machines: pick a script, then the run dialog with them.
import { Modal, NavLink, Stack, TextInput } from "@mantine/core";
import { ProblemAlert, query } from "@sysmanage/plugin-kit";
import { useState } from "react";
import { type Page, type Script, useRead } from "../api";
import { t } from "../texts";
import { RunDialog } from "./RunDialog";

export default function BulkRun({ selector, count, onClose }: { selector: string; count: number; onClose: () => void }) {
  const [text, setText] = useState("");
  const [script, setScript] = useState<Script>();
  const scripts = useRead<Page<Script>>(`/scripts${query({ q: text, limit: 20 })}`);
  if (script) return <RunDialog script={script} selector={selector} onClose={onClose} />;
  return (
    <Modal opened onClose={onClose} title={t("ask.bulk", { count })} closeButtonProps={{ "aria-label": t("close") }}>
      <Stack gap="xs">
        <TextInput label={t("script")} placeholder={t("scripts.find.hint")} value={text} onChange={(e) => setText(e.currentTarget.value)} data-autofocus />
        <ProblemAlert error={scripts.error} />
        {scripts.data?.items.map((s) => <NavLink component="button" key={s.id} label={s.name} description={s.description} onClick={() => setScript(s)} />)}
      </Stack>
    </Modal>
  );
}
