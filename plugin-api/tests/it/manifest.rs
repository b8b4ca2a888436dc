//! Manifests: what is read, what is refused, and that nothing else happens.

use plugin_api::Manifest;
use plugin_api::manifest::{MAX_MANIFEST_BYTES, ManifestError, Sha256Hex};
use proptest::prelude::*;

const GOOD: &str = r#"
id = "automation"
name = "Automation"
description = "Runs scripts on machines"
version = "1.2.3-beta.1"
built_at = "2026-01-02T03:04:05Z"
publisher = "SysManage"
tier = "enterprise"
api = "^0.1"
entitlement = "automation"
export_routes = ["/export"]
targets = ["x86_64-unknown-linux-gnu"]

[capabilities]
uses = ["sql", "events", "http", "files"]
views = ["v1_machines"]
subscribes = ["machine.*"]
origins = ["https://api.example.org"]
files_mib = 10

[[permissions]]
name = "automation:scripts:run"
description = "Run scripts"
roles = ["operator"]

[[settings]]
key = "keep_days"
description = "Days that output is kept"
kind = "integer"
default = 30

[[navigation]]
label = "Scripts"
path = "scripts"

[[commands]]
name = "run_script"
description = "Run a script"
timeout_s = 3600

[[depends_on]]
id = "secrets"
version = "^1"

[[files]]
path = "LICENSE"
size = 3
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"#;

#[test]
fn pages_are_named_by_files_below_ui() {
    let with = |ui: &str| {
        Manifest::parse(GOOD.replacen("[capabilities]", &format!("[ui]\n{ui}\n[capabilities]"), 1).as_bytes())
    };
    let ui = with("entry = \"index.js\"\nstyles = [\"index.css\"]").unwrap().ui.unwrap();
    assert_eq!((ui.entry.as_str(), ui.styles.len()), ("index.js", 1));
    assert_eq!(Manifest::parse(GOOD.as_bytes()).unwrap().ui, None);
    for bad in ["entry = \"../index.js\"", "entry = \"index.html\"", "entry = \"a.js\"\nstyles = [\"a.js\"]"]
    {
        assert!(matches!(with(bad).unwrap_err(), ManifestError::Invalid { .. }), "{bad}");
    }
}

fn refused(from: &str, to: &str) -> ManifestError {
    assert!(GOOD.contains(from), "{from}");
    Manifest::parse(GOOD.replacen(from, to, 1).as_bytes()).unwrap_err()
}

/// The key that is blamed.
fn blamed(from: &str, to: &str) -> &'static str {
    match refused(from, to) {
        ManifestError::Invalid { key, .. } => key,
        other => panic!("{other}"),
    }
}

#[test]
fn a_manifest_is_read_and_rendered_without_loss() {
    let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(
        manifest.library_path("x86_64-unknown-linux-gnu"),
        "lib/x86_64-unknown-linux-gnu/libautomation.so"
    );
    assert_eq!(manifest.library_path("x86_64-pc-windows-msvc"), "lib/x86_64-pc-windows-msvc/automation.dll");
    assert_eq!(manifest.library_path("aarch64-apple-darwin"), "lib/aarch64-apple-darwin/libautomation.dylib");
    assert_eq!(manifest.qualified_command("run_script"), "automation.run_script");
    let again = Manifest::parse(manifest.to_toml().unwrap().as_bytes()).unwrap();
    assert_eq!(again, manifest);
    let json = serde_json::to_vec(&manifest).unwrap();
    assert_eq!(serde_json::from_slice::<Manifest>(&json).unwrap(), manifest, "the form that engines receive");
}

#[test]
fn values_out_of_form_are_refused_by_name() {
    for id in ["a", "Automation", "core", "1a", "a-b", &"a".repeat(41), ""] {
        assert_eq!(blamed("id = \"automation\"", &format!("id = \"{id}\"")), "id");
    }
    assert_eq!(blamed("\"enterprise\"", "\"gold\""), "tier");
    assert_eq!(blamed("\"Automation\"", "\" \""), "name");
    assert_eq!(blamed("publisher = \"SysManage\"", "publisher = \"\""), "publisher");
    assert_eq!(blamed("entitlement = \"automation\"", "entitlement = \"*\""), "entitlement");
    assert_eq!(blamed("automation:scripts:run", "secrets:read"), "permissions.name");
    assert_eq!(blamed("[\"operator\"]", "[\"admin\"]"), "permissions.roles");
    assert_eq!(blamed("\"keep_days\"", "\"Keep days\""), "settings.key");
    assert_eq!(blamed("\"run_script\"", "\"run script\""), "commands.name");
    assert_eq!(blamed("timeout_s = 3600", "timeout_s = 0"), "commands.timeout_s");
    assert_eq!(blamed("timeout_s = 3600", "timeout_s = 86401"), "commands.timeout_s");
    assert_eq!(blamed("\"v1_machines\"", "\"machines\""), "capabilities.views");
    assert_eq!(blamed("\"https://api", "\"ftp://api"), "capabilities.origins");
    assert_eq!(blamed("[\"x86_64-unknown-linux-gnu\"]", "[]"), "targets");
    assert_eq!(blamed("x86_64-unknown", "../x86_64"), "targets");
}

#[test]
fn limits_need_their_capability() {
    for (left_out, key) in [
        ("\"sql\", ", "capabilities.views"),
        ("\"events\", ", "capabilities.subscribes"),
        ("\"http\", ", "capabilities.origins"),
        (", \"files\"", "capabilities.files_mib"),
    ] {
        assert_eq!(blamed(left_out, ""), key);
    }
}

#[test]
fn files_cannot_leave_the_package() {
    for path in
        ["../x", "/x", "a//b", "a/./b", "a/..", "plugin.toml", "plugin.sig", "a\\\\b", "c:x", "a\\u0000", ""]
    {
        assert_eq!(blamed("\"LICENSE\"", &format!("\"{path}\"")), "files.path", "{path}");
    }
    let twice = "[[files]]\npath = \"license\"\nsize = 1\nsha256 = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n[[files]]";
    assert_eq!(blamed("[[files]]", twice), "files.path");
}

#[test]
fn unknown_keys_and_odd_types_are_refused() {
    assert!(matches!(refused("tier =", "teir = \"x\"\ntier ="), ManifestError::Syntax(_)));
    assert!(matches!(refused("\"sql\"", "\"sqll\""), ManifestError::Syntax(_)));
    assert!(matches!(refused("1.2.3-beta.1", "1.2"), ManifestError::Syntax(_)));
    assert!(matches!(refused("2026-01-02T03:04:05Z", "yesterday"), ManifestError::Syntax(_)));
    assert!(matches!(refused("ba7816bf", "BA7816BF"), ManifestError::Syntax(_)));
    assert_eq!(Manifest::parse(b"\xff"), Err(ManifestError::NotUtf8));
    let large = vec![b'#'; MAX_MANIFEST_BYTES + 1];
    assert_eq!(Manifest::parse(&large), Err(ManifestError::TooLarge(large.len())));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = Manifest::parse(&bytes);
    }

    #[test]
    fn a_damaged_manifest_is_refused_or_still_safe(at in 0..GOOD.len(), with in "[ -~\\n]{0,6}") {
        let mut text = GOOD.to_owned();
        text.replace_range(at..=at, &with);
        if let Ok(manifest) = Manifest::parse(text.as_bytes()) {
            prop_assert!(manifest.files.iter().all(|f| !f.path.contains("..") && !f.path.starts_with('/')));
            let prefix = format!("{}:", manifest.id);
            prop_assert!(manifest.permissions.iter().all(|p| p.name.starts_with(&prefix)));
            let again = Manifest::parse(manifest.to_toml().unwrap().as_bytes()).unwrap();
            prop_assert_eq!(again, manifest);
        }
    }

    #[test]
    fn digests_read_what_they_write(bytes: [u8; 32]) {
        prop_assert_eq!(Sha256Hex(bytes).to_string().parse(), Ok(Sha256Hex(bytes)));
    }
}
