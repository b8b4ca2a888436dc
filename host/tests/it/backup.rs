//! Backup, restore and doctor. SQLite here; PostgreSQL goes through its own tools.

use std::io::{Read, Write};

use serde_json::json;
use sysmanage::{backup, doctor, serve::Host};

use crate::host::{TestHost, config};

#[tokio::test]
async fn a_backup_of_a_running_host_brings_everything_back() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let put = json!({"value": "kept secret"});
    host.call(reqwest::Method::PUT, "/api/v1/secrets/kept", &admin, put).await;
    let file = host.folder.path().join("all.tar.zst");
    let saved = backup::save(&host.host.app.config, None, &file).await.unwrap();
    assert!(saved.files.contains_key("data/instance.key"), "{:?}", saved.files);
    let refused = backup::save(&host.host.app.config, None, &file).await.unwrap_err().to_string();
    assert!(refused.contains("exists"), "{refused}");
    let running = backup::restore(&host.host.app.config, &file, true).await.unwrap_err().to_string();
    assert!(running.contains("already runs"), "{running}");

    let mut elsewhere = host.host.app.config.clone();
    elsewhere.data_dir = host.folder.path().join("elsewhere");
    let force = !elsewhere.database.url.is_empty();
    let TestHost { host: running, folder, .. } = host;
    let id = running.app.keys.instance.public_key();
    running.stop().await;
    let restored = backup::restore(&elsewhere, &file, force).await.unwrap();
    assert_eq!(restored, saved);
    let again = TestHost::over(folder, elsewhere).await;
    assert_eq!(again.host.app.keys.instance.public_key(), id);
    assert_eq!(again.get("/api/v1/me", &admin).await.status, 200);
    let ctx = sysmanage::ctx::Ctx::system("test");
    let secret = again.host.app.secrets.resolve(&ctx, "test", "kept").await.unwrap();
    assert_eq!(secret.as_str(), "kept secret");
    let Host { app, .. } = &again.host;
    let findings = doctor::examine(&app.config).await;
    assert!(findings.iter().all(|f| f.health != doctor::Health::Bad), "{findings:#?}");
}

#[tokio::test]
async fn a_restore_refuses_what_is_damaged_and_what_would_be_overwritten() {
    let host = TestHost::start().await;
    let file = host.folder.path().join("all.tar.zst");
    backup::save(&host.host.app.config, None, &file).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut target = config(&folder);
    target.database.url = host.host.app.config.database.url.clone();
    let whole = std::fs::read(&file).unwrap();
    let mut plain = Vec::new();
    zstd::Decoder::new(whole.as_slice()).unwrap().read_to_end(&mut plain).unwrap();
    let at = plain.windows(9).position(|w| w == b"data/inst").unwrap() + 512;
    plain[at] ^= 1;
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packed.write_all(&plain).unwrap();
    for (name, bytes) in [("changed", packed.finish().unwrap()), ("cut", whole[..whole.len() / 2].to_vec())] {
        let damaged = folder.path().join(name);
        std::fs::write(&damaged, bytes).unwrap();
        let error = backup::restore(&target, &damaged, true).await.unwrap_err().to_string();
        assert!(error.contains("not a whole backup"), "{name}: {error}");
        let left = std::fs::read_dir(&target.data_dir).unwrap().count();
        assert_eq!(left, 1, "only the lock is left after {name}");
    }
    std::fs::write(target.data_dir.join("precious"), b"x").unwrap();
    let error = backup::restore(&target, &file, false).await.unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");
    if target.database.url.is_empty() {
        backup::restore(&target, &file, true).await.unwrap();
        let names = std::fs::read_dir(&target.data_dir).unwrap().map(|e| e.unwrap().path());
        let aside = names.into_iter().find(|p| p.to_string_lossy().contains("replaced-")).unwrap();
        assert!(aside.join("precious").is_file());
    }
}
