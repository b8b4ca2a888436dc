//! iptables and ip6tables, as their `-save` commands print the kernel's tables.

use super::Filter;
use crate::inventory::source::Root;

/// Both families, where the command is installed and the kernel has such tables: asking would otherwise make them.
pub fn collect(root: &Root) -> Vec<Filter> {
    [("iptables", "ip_tables_names"), ("ip6tables", "ip6_tables_names")]
        .into_iter()
        .filter_map(|(name, tables)| {
            let program = format!("usr/sbin/{name}-save");
            if !root.path(&program).exists() {
                return None;
            }
            let kept = root.line(&format!("proc/net/{tables}")).is_some();
            let over_nft = std::fs::canonicalize(root.path(&program))
                .is_ok_and(|path| path.to_string_lossy().contains("nft"));
            let asked = (kept || over_nft).then(|| root.run(&format!("{name}-save"), &[])).flatten();
            Some(Filter { name: name.into(), ..parse(&asked.unwrap_or_default()) })
        })
        .collect()
}

/// Parse `iptables-save`. It filters when a chain of the filter table does not accept, or there are rules in it.
pub fn parse(text: &str) -> Filter {
    let mut filter = Filter::default();
    let mut table = "";
    let mut rules = 0_u32;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name.trim();
        } else if let Some(chain) = line.strip_prefix(':').filter(|_| table == "filter") {
            let mut words = chain.split_whitespace();
            let (name, policy) = (words.next().unwrap_or(""), words.next().unwrap_or("-").to_lowercase());
            match name {
                "INPUT" => filter.incoming = Some(policy),
                "OUTPUT" => filter.outgoing = Some(policy),
                "FORWARD" => filter.forwarded = Some(policy),
                _ => {}
            }
        } else if line.starts_with("-A ") && table == "filter" {
            rules = rules.saturating_add(1);
        }
    }
    let strict = [&filter.incoming, &filter.outgoing, &filter.forwarded]
        .into_iter()
        .any(|policy| policy.as_deref().is_some_and(|policy| policy != "accept"));
    Filter { enabled: strict || rules > 0, rules: Some(rules), ..filter }
}
