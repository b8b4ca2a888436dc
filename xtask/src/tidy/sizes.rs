//! Files stay below 800 lines and functions below 100, unless `xtask/sizes.toml` gives a reason.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use syn::{spanned::Spanned, visit::Visit};

use super::{Finding, files::Source};
use crate::project::Project;

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 100;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    /// Path or `path::function` -> reason.
    #[serde(default)]
    allow: BTreeMap<String, String>,
}

/// Check sizes of hand-written Rust.
pub fn check(project: &Project, sources: &[Source]) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(project.root.join("xtask/sizes.toml")).context("xtask/sizes.toml")?;
    let exceptions: Exceptions = toml::from_str(&text)?;
    let mut findings = Vec::new();
    for source in sources.iter().filter(|s| s.is_rust()) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES && !exceptions.allow.contains_key(&source.path) {
            findings.push(Finding::new(
                &source.path,
                format!("{lines} lines; look for the seam (limit {FILE_LINES})"),
            ));
        }
        let mut visitor = Functions { long: Vec::new() };
        match syn::parse_file(&source.text) {
            Ok(file) => visitor.visit_file(&file),
            Err(e) => findings.push(Finding::new(&source.path, format!("does not parse: {e}"))),
        }
        for (name, lines) in visitor.long {
            let place = format!("{}::{name}", source.path);
            if !exceptions.allow.contains_key(&place) {
                findings
                    .push(Finding::new(place, format!("{lines} lines; split it (limit {FUNCTION_LINES})")));
            }
        }
    }
    Ok(findings)
}

struct Functions {
    long: Vec<(String, usize)>,
}

impl Functions {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let span = block.span();
        let lines = span.end().line - span.start().line + 1;
        if lines > FUNCTION_LINES {
            self.long.push((name.to_string(), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, f: &'ast syn::ItemFn) {
        self.measure(&f.sig.ident, &f.block);
        syn::visit::visit_item_fn(self, f);
    }
    fn visit_impl_item_fn(&mut self, f: &'ast syn::ImplItemFn) {
        self.measure(&f.sig.ident, &f.block);
        syn::visit::visit_impl_item_fn(self, f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_past_the_limit_is_found() {
        let body = "let _ = 1;\n".repeat(FUNCTION_LINES);
        let file = syn::parse_file(&format!("fn long() {{\n{body}}}\nfn short() {{}}")).expect("valid Rust");
        let mut visitor = Functions { long: Vec::new() };
        visitor.visit_file(&file);
        assert_eq!(visitor.long.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["long"]);
    }
}
