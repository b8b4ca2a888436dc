//! What a run changed: the package database before and after, or what a dry run says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Changes listed in a result; the rest is counted.
const MOST: usize = 500;

/// Version by package and architecture.
pub(in crate::tasks) type Installed = BTreeMap<String, String>;

/// One package that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    /// Name.
    pub name: String,
    /// `installed`, `upgraded`, `downgraded` is told as `upgraded`, `removed`.
    pub change: &'static str,
    /// Version before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Version after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The packages of an inventory section's body.
pub(in crate::tasks) fn installed(body: &[u8]) -> Installed {
    let section: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |package: &Value, key: &str| package[key].as_str().map(str::to_owned);
    section["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|package| {
            let name = text(package, "name")?;
            let name = match text(package, "arch") {
                Some(arch) if !arch.is_empty() && arch != "all" => format!("{name}:{arch}"),
                _ => name,
            };
            Some((name, text(package, "version")?))
        })
        .collect()
}

/// What is different, at most [`MOST`] of it.
pub(super) fn between(before: &Installed, after: &Installed) -> Vec<Change> {
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name)).map(|(name, version)| Change {
        name: name.clone(),
        change: "removed",
        from: Some(version.clone()),
        to: None,
    });
    let new = after.iter().filter_map(|(name, version)| match before.get(name) {
        Some(old) if old == version => None,
        old => Some(Change {
            name: name.clone(),
            change: if old.is_some() { "upgraded" } else { "installed" },
            from: old.cloned(),
            to: Some(version.clone()),
        }),
    });
    gone.chain(new).take(MOST).collect()
}

/// What `apt-get -s` says it would do: `Inst a [1] (2 repo [all])`, `Remv b [1]`, `Purg c [1]`.
pub(super) fn simulated(output: &str) -> Vec<Change> {
    let change = |line: &str| {
        let (kind, rest) = line.split_once(' ')?;
        let name = rest.split(' ').next()?.to_owned();
        let from = rest.split_once(" [").and_then(|(before, r)| (!before.contains('(')).then_some(r));
        let from = from.and_then(|r| r.split(']').next()).map(str::to_owned);
        let to = rest.split_once('(').and_then(|(_, r)| r.split(' ').next()).map(str::to_owned);
        match kind {
            "Inst" => {
                Some(Change { name, change: if from.is_some() { "upgraded" } else { "installed" }, from, to })
            }
            "Remv" | "Purg" => Some(Change { name, change: "removed", from, to: None }),
            _ => None,
        }
    };
    output.lines().filter_map(change).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_read_as_changes() {
        let output = "NOTE: This is only a simulation!\nInst a [1.0] (2.0 local [all])\nInst b (3 x [amd64])\n\
            Conf a (2.0 local [all])\nRemv c [1]\n";
        let told: Vec<_> = simulated(output).into_iter().map(|c| (c.name, c.change, c.from, c.to)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("a".into(), "upgraded", some("1.0"), some("2.0")),
                ("b".into(), "installed", None, some("3")),
                ("c".into(), "removed", some("1"), None),
            ]
        );
    }

    #[test]
    fn only_what_differs_is_a_change() {
        let before =
            Installed::from([("a".into(), "1".into()), ("b".into(), "1".into()), ("c".into(), "1".into())]);
        let after =
            Installed::from([("a".into(), "1".into()), ("b".into(), "2".into()), ("d".into(), "1".into())]);
        let told: Vec<_> = between(&before, &after).into_iter().map(|c| (c.name, c.change)).collect();
        assert_eq!(told, [("c".into(), "removed"), ("b".into(), "upgraded"), ("d".into(), "installed")]);
    }
}
