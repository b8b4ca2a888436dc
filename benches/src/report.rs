//! The table, and its place in README.md.

use std::{fmt::Write as _, path::Path, time::Duration};

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    /// What is measured.
    pub figure: String,
    /// The side it is compared with.
    pub against: String,
    /// The measured side.
    pub measured: String,
    /// Measured to compared.
    pub ratio: String,
    /// What we want.
    pub goal: &'static str,
}

impl Row {
    /// A figure that could not be measured.
    pub fn unmeasured(figure: &str, why: &anyhow::Error) -> Self {
        let why = format!("{why:#}").replace(['\n', '|'], " ");
        let mut why: String = why.chars().take(300).collect();
        why.insert_str(0, "not measured: ");
        Self {
            figure: figure.to_lowercase(),
            against: String::new(),
            measured: why,
            ratio: String::new(),
            goal: "",
        }
    }
}

/// All lines.
#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Add a line.
    pub fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As markdown.
    pub fn markdown(&self) -> String {
        let mut text =
            String::from("| figure | against | measured | ratio | goal |\n|---|--:|--:|--:|--:|\n");
        for Row { figure, against, measured, ratio, goal } in &self.0 {
            let _ = writeln!(text, "| {figure} | {against} | {measured} | {ratio} | {goal} |");
        }
        text
    }
}

/// Put `text` between the two marks of a file.
pub fn write_between(file: &Path, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let marks = || format!("{} has no {BEGIN} and {END}", file.display());
    let (before, rest) = old.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    std::fs::write(file, format!("{before}{BEGIN}\n{text}{END}{after}"))?;
    Ok(())
}

/// A time with a unit that fits.
pub fn time(duration: Duration) -> String {
    let ns = duration.as_nanos() as f64;
    match ns {
        n if n < 10_000.0 => format!("{n:.0} ns"),
        n if n < 10_000_000.0 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}

/// Bytes with a unit that fits.
pub fn size(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e6 => format!("{:.1} KB", b / 1e3),
        b => format!("{:.1} MB", b / 1e6),
    }
}

/// A ratio, e.g. `1.27 x`.
pub fn times(measured: f64, against: f64) -> String {
    format!("{:.2} x", measured / against)
}
