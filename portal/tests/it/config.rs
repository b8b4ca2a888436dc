//! Configuration: what is refused, and why.

use portal::config::Config;

fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portal.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file)).map_err(|e| e.to_string())
}

#[test]
fn the_defaults_are_sound_and_survive_being_written_out() {
    let config = Config::load(None).unwrap();
    assert_eq!(load(&toml::to_string(&config).unwrap()), Ok(config));
}

#[test]
fn what_cannot_work_is_refused_by_its_key() {
    for (text, key) in [
        ("prot = 1", "prot"),
        ("[http]\nprot = 1", "prot"),
        ("[http]\naddress = \"0.0.0.0\"", "http.public_url"),
        ("[http]\npublic_url = \"http://portal.example.org\"", "http.public_url"),
        ("[database]\nurl = \"mysql://x\"", "database.url"),
        ("[payments.stripe]\nsecret_key_file = \"x\"", "webhook_secret_file"),
        ("[payments.stripe]\napi_url = \"http://stripe.example.org\"", "payments.stripe.api_url"),
        ("[licenses]\nkey_file = \"x\"", "licenses.certificate_file"),
        ("[auth]\npassword_min_length = 4", "auth.password_min_length"),
        ("[downloads]\nat_once = 0", "downloads.at_once"),
        ("log = \"a=b=c\"", "log"),
        (
            "[[catalogue.plans]]\nid = \"X\"\ntier = \"enterprise\"\ninterval = \"year\"\ncurrency = \"eur\"\nunit_amount = 1",
            "catalogue.plans",
        ),
        (
            "[[catalogue.plans]]\nid = \"x\"\ntier = \"free\"\ninterval = \"year\"\ncurrency = \"eur\"\nunit_amount = 1",
            "catalogue.plans",
        ),
        (
            "[[catalogue.plans]]\nid = \"x\"\ntier = \"enterprise\"\ninterval = \"year\"\ncurrency = \"EUR\"\nunit_amount = 1",
            "catalogue.plans",
        ),
        (
            "[[catalogue.plans]]\nid = \"x\"\ntier = \"enterprise\"\ninterval = \"year\"\ncurrency = \"eur\"\nunit_amount = 0",
            "catalogue.plans",
        ),
    ] {
        let refused = load(text).expect_err(text);
        assert!(refused.contains(key), "{text}: {refused}");
    }
}

#[test]
fn a_password_in_the_database_url_is_not_shown() {
    let config = load("[database]\nurl = \"postgres://user:hunter2@db/portal\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
