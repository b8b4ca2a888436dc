//! python-tuf, in the environment that `cargo xtask setup` makes.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project")
}

fn run(script: &str, arguments: &[&str]) -> Result<String, String> {
    let python = project().join("target/tuf-python/bin/python");
    assert!(python.exists(), "run `cargo xtask setup` first: python-tuf is missing");
    let script = project().join("distribution/tests/python").join(script);
    let output = Command::new(python).arg(script).args(arguments).output().expect("python starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// The folder of scenarios, made once.
pub fn scenarios() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let made = run("generate.py", &[folder.path().to_str().expect("text")]);
        made.unwrap_or_else(|why| panic!("{why}"));
        folder
    });
    folder.path()
}

/// What python-tuf's client finds: the digest of each path, `null` where it finds nothing; or its error.
pub fn look(root: &Path, folder: &Path, cache: &Path, paths: &[&str]) -> Result<serde_json::Value, String> {
    let text = |path: &Path| PathBuf::from(path).to_str().expect("text").to_owned();
    let (root, folder, cache) = (text(root), text(folder), text(cache));
    let arguments: Vec<&str> = [&*root, &*folder, &*cache].into_iter().chain(paths.iter().copied()).collect();
    run("look.py", &arguments).map(|out| serde_json::from_str(&out).expect("JSON"))
}
