//! nftables, as `nft` lists the kernel's rules.

use serde::{Deserialize, de::IgnoredAny};

use super::{Filter, at_boot};
use crate::inventory::source::Root;

#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    chain: Option<Chain>,
    rule: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Chain {
    #[serde(rename = "type")]
    kind: Option<String>,
    hook: Option<String>,
    policy: Option<String>,
}

/// nftables, where `nft` is installed.
pub fn collect(root: &Root) -> Option<Filter> {
    ["usr/sbin/nft", "sbin/nft", "usr/local/sbin/nft"].iter().find(|path| root.path(path).exists())?;
    let listed = root.run("nft", &["-j", "list", "ruleset"]);
    let filter = listed.and_then(|text| parse(&text)).unwrap_or_default();
    Some(Filter { name: "nftables".into(), at_boot: at_boot(root, "nftables.service"), ..filter })
}

/// Parse `nft -j list ruleset`. It filters when a chain at a hook drops, or there are rules at all.
pub fn parse(text: &str) -> Option<Filter> {
    let listing: Listing = serde_json::from_str(text).ok()?;
    let chains: Vec<&Chain> = listing
        .nftables
        .iter()
        .filter_map(|item| item.chain.as_ref())
        .filter(|chain| chain.kind.as_deref() == Some("filter"))
        .collect();
    // Of several chains at one hook the strictest decides.
    let policy = |hook: &str| {
        let mut policies =
            chains.iter().filter(|c| c.hook.as_deref() == Some(hook)).filter_map(|c| c.policy.clone());
        let first = policies.next()?;
        Some(policies.fold(first, |seen, next| if next == "drop" { next } else { seen }))
    };
    let rules = listing.nftables.iter().filter(|item| item.rule.is_some()).count();
    let drops = chains.iter().any(|chain| chain.policy.as_deref() == Some("drop"));
    Some(Filter {
        name: "nftables".into(),
        enabled: drops || rules > 0,
        incoming: policy("input"),
        outgoing: policy("output"),
        forwarded: policy("forward"),
        rules: u32::try_from(rules).ok(),
        ..Filter::default()
    })
}
