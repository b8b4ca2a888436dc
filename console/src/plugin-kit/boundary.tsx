// A panel of an engine that throws costs only itself.
import { Alert, Button, Code, Collapse, CopyButton, Group, Stack, Text, Title } from "@mantine/core";
import { Component, type ErrorInfo, type ReactNode, useState } from "react";
import { t } from "../i18n";

interface Props {
  engine: string;
  version: string;
  /** What is inside: a new value tries again, e.g. after an upgrade. */
  what: string;
  /** Whether it is the page itself. */
  page?: boolean;
  children: ReactNode;
}

interface State {
  error?: Error;
  stack?: string;
  what: string;
}

export class EngineBoundary extends Component<Props, State> {
  state: State = { what: this.props.what };

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.what === state.what ? null : { what: props.what, error: undefined, stack: undefined };
  }

  componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(`A page of ${this.props.engine} ${this.props.version} failed.`, error);
    this.setState({ stack: info.componentStack ?? undefined });
  }

  render() {
    const { error, stack } = this.state;
    if (!error) return this.props.children;
    const report = [`${this.props.engine} ${this.props.version}`, location.pathname, String(error.stack ?? error), stack ?? ""];
    return <Failed engine={this.props.engine} page={this.props.page ?? false} message={error.message} report={report.join("\n")} retry={() => this.setState({ error: undefined })} />;
  }
}

function Failed(props: { engine: string; page: boolean; message: string; report: string; retry: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Alert color="red" variant="light" title={<Title order={props.page ? 1 : 3} size="h5">{t("kit.failed", { name: props.engine })}</Title>} role="alert" data-testid="engine-failed">
      <Stack gap="sm">
        <Text size="sm">{props.message}</Text>
        <Text size="sm">{t("kit.failed.hint")}</Text>
        <Group gap="xs">
          <Button size="xs" color="red" onClick={props.retry}>{t("app.retry")}</Button>
          <Button size="xs" variant="default" onClick={() => setOpen(!open)} aria-expanded={open}>{t(open ? "kit.report.hide" : "kit.report.show")}</Button>
          <CopyButton value={props.report}>
            {({ copied, copy }) => <Button size="xs" variant="default" onClick={copy}>{t(copied ? "app.copied" : "kit.report.copy")}</Button>}
          </CopyButton>
        </Group>
        <Collapse expanded={open}>
          <Code block tabIndex={0} style={{ maxHeight: 240, overflow: "auto" }}>{props.report}</Code>
        </Collapse>
      </Stack>
    </Alert>
  );
}
