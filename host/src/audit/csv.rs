//! Comma-separated values (RFC 4180) that a spreadsheet shows and does not run.

use super::entity::Model;

/// The first line.
pub(super) const HEADER: &str = "at,outcome,actor,actor_name,action,entity_kind,entity_id,machine_id,client_ip,request_id,before,after\r\n";

/// An entry as a line.
pub(super) fn line(entry: &Model) -> String {
    let json =
        |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let cells = [
        entry.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        entry.outcome.clone(),
        entry.actor.clone(),
        entry.actor_name.clone(),
        entry.action.clone(),
        entry.entity_kind.clone(),
        entry.entity_id.clone(),
        entry.machine_id.map(|id| id.to_string()).unwrap_or_default(),
        entry.client_ip.clone().unwrap_or_default(),
        entry.request_id.clone(),
        json(&entry.before),
        json(&entry.after),
    ];
    cells.map(|cell| quoted(&cell)).join(",") + "\r\n"
}

/// A cell in quotes. One that a spreadsheet would take for a formula begins with an apostrophe, which makes it text.
fn quoted(cell: &str) -> String {
    let formula = cell
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_cell_is_a_formula_or_breaks_out_of_its_quotes() {
        for (cell, expected) in [
            ("plain", "\"plain\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("a\r\nb,c", "\"a\r\nb,c\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
