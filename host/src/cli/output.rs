//! Printing: tables for people, JSON for programs.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

/// How to print.
pub(crate) struct Output {
    /// JSON instead of tables.
    pub json: bool,
}

impl Output {
    /// JSON, whatever was asked for.
    pub fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(&serde_json::to_string_pretty(value)?)
    }

    /// One line.
    pub fn line(&self, text: &str) -> anyhow::Result<()> {
        Ok(writeln!(std::io::stdout(), "{text}")?)
    }

    /// Bytes as they are, at once.
    pub fn raw(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// What a change answered: a sentence for people, the answer for programs.
    pub fn done(&self, answer: &Value, sentence: &str) -> anyhow::Result<()> {
        if self.json { self.json(answer) } else { self.line(sentence) }
    }

    /// A list: `items` of a page or an array, by `columns`.
    pub fn table(&self, answer: &Value, columns: &[&str]) -> anyhow::Result<()> {
        if self.json {
            return self.json(answer);
        }
        let items = answer.get("items").unwrap_or(answer).as_array().cloned().unwrap_or_default();
        if items.is_empty() {
            return self.line("(none)");
        }
        let rows: Vec<Vec<String>> =
            items.iter().map(|i| columns.iter().map(|c| cell(i, c)).collect()).collect();
        let width =
            |i: usize| rows.iter().map(|r| r[i].chars().count()).chain([columns[i].len()]).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let render = |cells: Vec<String>| {
            let padded = cells.into_iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.line(&render(columns.iter().map(|c| c.replace('_', " ").to_uppercase()).collect()))?;
        rows.into_iter().try_for_each(|row| self.line(&render(row)))
    }

    /// One thing: its members, one a line.
    pub fn thing(&self, answer: &Value) -> anyhow::Result<()> {
        if self.json {
            return self.json(answer);
        }
        let members = answer.as_object().cloned().unwrap_or_default();
        let width = members.keys().map(String::len).max().unwrap_or(0);
        members.iter().try_for_each(|(name, value)| self.line(&format!("{name:<width$}  {}", text(value))))
    }
}

fn cell(item: &Value, column: &str) -> String {
    text(column.split('.').fold(item, |value, part| &value[part]))
}

/// Control characters would let a machine's name write over the terminal.
fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|i| !i.is_object()) => {
            items.iter().map(text).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
