//! ufw, from its own files.

use super::Filter;
use crate::inventory::source::Root;

/// ufw, where it is installed.
pub fn collect(root: &Root) -> Option<Filter> {
    let main = root.text("etc/ufw/ufw.conf").ok()?;
    let defaults = root.text("etc/default/ufw").unwrap_or_default();
    let rules = ["etc/ufw/user.rules", "etc/ufw/user6.rules", "lib/ufw/user.rules", "lib/ufw/user6.rules"]
        .iter()
        .filter_map(|path| root.text(path).ok())
        .map(|text| count_rules(&text))
        .sum();
    let enabled = setting(&main, "ENABLED").as_deref() == Some("yes");
    Some(Filter {
        name: "ufw".into(),
        enabled,
        at_boot: Some(enabled),
        incoming: setting(&defaults, "DEFAULT_INPUT_POLICY"),
        outgoing: setting(&defaults, "DEFAULT_OUTPUT_POLICY"),
        forwarded: setting(&defaults, "DEFAULT_FORWARD_POLICY"),
        rules: Some(rules),
        profile: String::new(),
    })
}

/// A shell assignment's value, lower-case.
pub fn setting(text: &str, name: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim().trim_matches('"').to_lowercase())
}

/// ufw writes each rule it was given behind such a mark.
pub fn count_rules(text: &str) -> u32 {
    u32::try_from(text.lines().filter(|line| line.starts_with("### tuple ###")).count()).unwrap_or(u32::MAX)
}
