//! Checks an exported ledger without any host: `verify_ledger FILE`.

use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let Some(path) = std::env::args_os().nth(1) else {
        let _ = writeln!(out, "verify_ledger FILE: checks an exported usage ledger");
        return ExitCode::FAILURE;
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) => {
            let _ = writeln!(out, "{}: {e}", path.to_string_lossy());
            return ExitCode::FAILURE;
        }
    };
    let found = proplus_core::check_export(&text);
    let _ = writeln!(out, "{}", found.sentence);
    if found.whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
