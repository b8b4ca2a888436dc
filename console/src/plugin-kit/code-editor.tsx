// A text area for code: monospaced, with line numbers, indents kept. Light on purpose: nothing to download.
import { Box, Input } from "@mantine/core";
import { type KeyboardEvent, useId, useRef } from "react";
import type { CodeEditorProps } from "./parts";

const LINE = 20;
const FONT = { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 13, lineHeight: `${LINE}px`, padding: 8 } as const;

/** The indent of the line that the cursor is on goes to the next. */
function keepIndent(e: KeyboardEvent<HTMLTextAreaElement>, put: (value: string) => void): void {
  if (e.key !== "Enter" || e.nativeEvent.isComposing) return;
  const area = e.currentTarget;
  const before = area.value.slice(0, area.selectionStart);
  const indent = /[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))?.[0] ?? "";
  if (indent === "") return;
  e.preventDefault();
  area.setRangeText(`\n${indent}`, area.selectionStart, area.selectionEnd, "end");
  put(area.value);
}

export default function CodeArea({ label, value, onChange, minHeight = 220 }: CodeEditorProps) {
  const id = useId();
  const numbers = useRef<HTMLDivElement>(null);
  const lines = value.split("\n").length;
  return (
    <Input.Wrapper label={label} id={id}>
      <Box dir="ltr" style={{ display: "flex", border: "1px solid var(--mantine-color-default-border)", borderRadius: "var(--mantine-radius-sm)", overflow: "hidden" }}>
        <Box
          ref={numbers} aria-hidden="true" c="dimmed" bg="var(--mantine-color-default-hover)"
          style={{ ...FONT, textAlign: "right", userSelect: "none", overflow: "hidden", minWidth: 40, height: height(lines, minHeight), whiteSpace: "pre" }}
        >
          {Array.from({ length: lines }, (_, i) => i + 1).join("\n")}
        </Box>
        <textarea
          id={id} value={value} readOnly={onChange === undefined} spellCheck={false} autoCapitalize="off" autoCorrect="off" wrap="off"
          onChange={(e) => onChange?.(e.currentTarget.value)} onKeyDown={(e) => onChange && keepIndent(e, onChange)}
          onScroll={(e) => { if (numbers.current) numbers.current.scrollTop = e.currentTarget.scrollTop; }}
          style={{ ...FONT, flex: 1, height: height(lines, minHeight), border: "none", resize: "none", background: "transparent", color: "var(--mantine-color-text)" }}
        />
      </Box>
    </Input.Wrapper>
  );
}

/** As high as the text, within bounds. */
function height(lines: number, least: number): number {
  return Math.min(520, Math.max(least, (lines + 1) * LINE + 16));
}
