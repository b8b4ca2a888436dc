//! Firewalls against the kernel's own, in a network of the test's: it needs root, nftables and iptables.

use std::{io::Write, process::Command};

use serde_json::{Value, json};

/// Rules in a network without anything else, and what the agent then tells; `None` without the rights or the programs.
fn told_after(rules: &str) -> Option<Value> {
    let there = |program: &str| std::path::Path::new(program).exists();
    let allowed = Command::new("unshare").args(["-n", "true"]).status().is_ok_and(|status| status.success());
    if !allowed || !there("/usr/sbin/nft") || !there("/usr/sbin/iptables") {
        let _ = writeln!(std::io::stderr(), "skipped: needs root, nftables and iptables");
        return None;
    }
    let data = tempfile::tempdir().unwrap();
    let script = format!("set -e; {rules}\nexec \"$AGENT\" --data \"$DATA\" inventory firewall --json");
    let output = Command::new("unshare")
        .args(["-n", "sh", "-c", &script])
        .env("AGENT", env!("CARGO_BIN_EXE_sysmanage-agent"))
        .env("DATA", data.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(told[0]["data"].clone())
}

fn named<'a>(told: &'a Value, name: &str) -> &'a Value {
    told["firewalls"].as_array().unwrap().iter().find(|filter| filter["name"] == name).unwrap()
}

#[test]
fn a_network_without_rules_has_no_active_firewall() {
    let Some(told) = told_after(":") else { return };
    assert_eq!(told["active"], false, "{told}");
    assert_eq!(named(&told, "nftables")["rules"], 0);
}

#[test]
fn rules_and_policies_are_those_given_to_nft_and_iptables() {
    let rules = r#"
        nft add table inet t
        nft 'add chain inet t in { type filter hook input priority 0; policy drop; }'
        nft add rule inet t in tcp dport 22 accept
        iptables -P FORWARD DROP
        iptables -A INPUT -p tcp --dport 80 -j ACCEPT
        iptables -A INPUT -p tcp --dport 443 -j ACCEPT"#;
    let Some(told) = told_after(rules) else { return };
    assert_eq!(told["active"], true);
    let tables = named(&told, "iptables");
    let seen = json!([
        tables["enabled"],
        tables["incoming"],
        tables["forwarded"],
        tables["outgoing"],
        tables["rules"]
    ]);
    assert_eq!(seen, json!([true, "accept", "drop", "accept", 2]), "{told}");
    // nft lists what iptables made, too.
    let tables = named(&told, "nftables");
    let seen = json!([tables["enabled"], tables["incoming"], tables["forwarded"], tables["rules"]]);
    assert_eq!(seen, json!([true, "drop", "drop", 3]), "{told}");
}
