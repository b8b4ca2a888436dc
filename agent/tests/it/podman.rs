//! Containers as podman itself tells them, by its command and by its socket, in a storage of the test's: it needs root.

use std::{fs, io::Write, path::Path, process::Command};

use serde_json::{Value, json};

/// What `script` prints, with podman's storage and a socket's folder of the test's own.
fn run(folder: &Path, script: &str) -> String {
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &format!("set -e; {script}")])
        .env("CONTAINERS_STORAGE_CONF", folder.join("storage.conf"))
        .env("AGENT", env!("CARGO_BIN_EXE_sysmanage-agent"))
        .env("DATA", folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn guests(told: &str) -> Value {
    let told: Value = serde_json::from_str(told).unwrap();
    let told = &told[0]["data"];
    let platform = told["platforms"].as_array().unwrap().iter().find(|p| p["name"] == "podman").unwrap();
    assert_eq!(platform["running"], true, "{told}");
    let mut guests: Vec<Value> = told["guests"].as_array().unwrap().clone();
    guests.retain(|guest| guest["platform"] == "podman");
    guests.sort_by_key(|guest| guest["name"].to_string());
    guests.into()
}

#[test]
fn containers_are_those_that_podman_has() {
    let allowed = Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !allowed || !Path::new("/usr/bin/podman").exists() {
        let _ = writeln!(std::io::stderr(), "skipped: needs root and podman");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let storage =
        format!("[storage]\ndriver = \"vfs\"\ngraphroot = \"{path}/root\"\nrunroot = \"{path}/run\"\n");
    fs::write(folder.path().join("storage.conf"), storage).unwrap();
    fs::write(folder.path().join("greeting"), "hello").unwrap();
    let make = "tar -C \"$DATA\" -cf \"$DATA/image.tar\" greeting
        podman import --quiet \"$DATA/image.tar\" localhost/image:1 >&2
        for name in web db; do podman create --name $name --network none localhost/image:1 /greeting >&2; done
        podman ps --all --no-trunc --format '{{.ID}} {{.Names}}'";
    let listed = run(folder.path(), make);
    let mut expected: Vec<Value> = listed
        .lines()
        .map(|line| {
            let (id, name) = line.split_once(' ').unwrap();
            let id = &id[..12];
            json!({"key": format!("podman/{id}"), "platform": "podman", "kind": "container", "name": name,
                "id": id, "state": "created", "image": "localhost/image:1"})
        })
        .collect();
    expected.sort_by_key(|guest| guest["name"].to_string());
    assert_eq!(expected.len(), 2, "{listed}");

    let command = run(folder.path(), "exec \"$AGENT\" --data \"$DATA/agent\" inventory guests --json");
    assert_eq!(guests(&command), Value::from(expected.clone()));
    let by_socket = "mkdir -p /run/podman; mount -t tmpfs none /run/podman
        podman system service --time=20 unix:///run/podman/podman.sock >&2 & service=$!
        for turn in $(seq 100); do [ -S /run/podman/podman.sock ] && break; sleep 0.1; done
        \"$AGENT\" --data \"$DATA/agent\" inventory guests --json
        kill $service";
    assert_eq!(guests(&run(folder.path(), by_socket)), Value::from(expected));
}
