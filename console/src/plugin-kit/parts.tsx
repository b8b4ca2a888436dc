// Small parts that engines' pages share, so that they look like the console.
import { Alert, Anchor, Badge, Button, Group, Stack, Text, Title, Tooltip } from "@mantine/core";
import type { ComponentProps, MouseEvent, ReactNode } from "react";
import { useRouter } from "@tanstack/react-router";
import { date, t, word } from "../i18n";
import { ApiProblem } from "./api";
import CodeArea from "./code-editor";
import { useEngine } from "./engine-context";

/** Title of a page with its actions. */
export function PageHeader({ title, description, children }: { title: string; description?: ReactNode; children?: ReactNode }) {
  return (
    <Group justify="space-between" align="flex-start" wrap="wrap" gap="sm">
      <Stack gap={2}>
        <Title order={1} size="h2">{title}</Title>
        {description && <Text c="dimmed" size="sm" component="div">{description}</Text>}
      </Stack>
      {children && <Group gap="xs">{children}</Group>}
    </Group>
  );
}

/** A link to one of the engine's pages. */
export function EngineLink({ to, children, ...rest }: { to: string; children: ReactNode } & Omit<ComponentProps<typeof Anchor<"a">>, "href">) {
  const engine = useEngine();
  return <HrefLink href={engine.href(to)} {...rest}>{children}</HrefLink>;
}

/** A link inside the console that does not load the page anew. */
export function HrefLink({ href, children, ...rest }: { href: string; children: ReactNode } & Omit<ComponentProps<typeof Anchor<"a">>, "href">) {
  const router = useRouter();
  const click = (e: MouseEvent<HTMLAnchorElement>) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    router.history.push(href);
  };
  return <Anchor href={href} onClick={click} {...rest}>{children}</Anchor>;
}

/** A button for a change: off with the reason while the licence only allows reading. */
export function ChangeButton({ children, ...rest }: ComponentProps<typeof Button<"button">>) {
  const { mayWrite } = useEngine();
  if (mayWrite) return <Button {...rest}>{children}</Button>;
  return (
    <Tooltip label={t("kit.readonly.button")}>
      <Button {...rest} data-disabled aria-disabled onClick={(e) => e.preventDefault()}>{children}</Button>
    </Tooltip>
  );
}

/** What went wrong, in the host's own words, and how to go on. */
export function ProblemAlert({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null;
  const message = error instanceof Error ? error.message : String(error);
  const request = error instanceof ApiProblem ? error.problem.request_id : undefined;
  return (
    <Alert color="red" variant="light" role="alert" title={t("app.failed")}>
      <Text size="sm">{message}</Text>
      {typeof request === "string" && <Text size="xs" c="dimmed">{t("kit.request", { id: request })}</Text>}
      {retry && <Button size="xs" mt="xs" variant="default" onClick={retry}>{t("app.retry")}</Button>}
    </Alert>
  );
}

const COLORS: Record<string, string> = {
  active: "green", succeeded: "green", granted: "green", approved: "green", enabled: "green", covered: "blue", trial: "blue",
  running: "blue", dispatched: "blue", queued: "gray", discovered: "gray", disabled: "gray", draining: "gray", cancelled: "gray",
  pending: "yellow", waiting_approval: "yellow", grace: "yellow", ending: "yellow", unlicensed: "yellow", locked: "yellow", no_answer: "orange",
  read_only: "orange", never_dispatched: "orange", timed_out: "orange", partly_succeeded: "orange", incompatible: "orange",
  failed: "red", refused: "red", quarantined: "red", rejected: "red", lapsed: "red", revoked: "red", expired: "red",
};

/** The word for a state in the reader's language; its name where there is none. */
export function stateWord(state: string): string {
  return word("state", state);
}

/** A state as a badge: colour and word, never colour alone. */
export function StateBadge({ state, label }: { state: string; label?: string }) {
  return <Badge color={COLORS[state] ?? "gray"} variant="filled" autoContrast tt="none">{label ?? stateWord(state)}</Badge>;
}

/** A moment for people; the exact one as its title. */
export function When({ at, fallback = t("app.never") }: { at: string | null | undefined; fallback?: string }) {
  if (!at) return <Text span c="dimmed" size="sm">{fallback}</Text>;
  return <Text span size="sm" title={new Date(at).toISOString()}>{date(at)}</Text>;
}

export interface CodeEditorProps {
  label: string;
  value: string;
  onChange?: (value: string) => void;
  /** `bash`, `zsh`, `ksh`, `powershell`, `cmd`; plain text otherwise. */
  language?: string;
  minHeight?: number;
}

/** An editor for scripts and configuration. Without `onChange` it only shows. */
export function CodeEditor(props: CodeEditorProps) {
  return <CodeArea {...props} />;
}
