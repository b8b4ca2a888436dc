//! Configuration: file, environment, refusals.

use std::collections::BTreeMap;

use sysmanage::config::Config;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sysmanage.toml");
    std::fs::write(&file, text).unwrap();
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::load(Some(&file), &environment).map_err(|e| e.to_string())
}

#[test]
fn the_environment_overrides_the_file() {
    let file = "[http]\nport = 1000\naddress = \"127.0.0.1\"\n[engines.modes]\na_engine = \"isolated\"\n";
    let environment = [
        ("SYSMANAGE__HTTP__PORT", "2000"),
        ("SYSMANAGE__METRICS__PUBLIC", "true"),
        ("SYSMANAGE__HTTP__CERTIFICATE_NAMES", "a.example, b.example"),
        ("SYSMANAGE__ENGINES__MODES__B_ENGINE", "in-process"),
        ("HOME", "/"),
    ];
    let config = load(file, &environment).unwrap();
    assert_eq!(config.http.port, 2000);
    assert!(config.metrics.public);
    assert_eq!(config.http.certificate_names, ["a.example", "b.example"]);
    assert_eq!(config.engines.modes.len(), 2);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    let error = load("[http]\nprot = 1\n", &[]).unwrap_err();
    assert!(error.contains("no key `http.prot`; did you mean `http.port`?"), "{error}");
    let error = load("", &[("SYSMANAGE__HTTP__PROT", "1")]).unwrap_err();
    assert!(error.contains("did you mean `http.port`?"), "{error}");
    assert!(load("[nothing]\nx = 1\n", &[]).unwrap_err().contains("no key `nothing`"));
}

#[test]
fn a_value_that_cannot_be_is_refused_with_its_key() {
    for (text, part) in [
        ("[http]\nplain = true\n", "http.plain"),
        ("[http]\nkey_file = \"k\"\n", "http.key_file"),
        ("[auth]\npassword_min_length = 4\n", "auth.password_min_length"),
        ("[log]\nfilter = \"a=b=c\"\n", "log.filter"),
        ("[http]\nport = 70000\n", "u16"),
        ("[http\n", "expected"),
    ] {
        let error = load(text, &[]).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
    let error = load("", &[("SYSMANAGE__HTTP__PORT", "many")]).unwrap_err();
    assert!(error.contains("SYSMANAGE__HTTP__PORT") && error.contains("whole number"), "{error}");
}
