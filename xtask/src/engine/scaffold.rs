//! `engine new <id>`: a new engine with the tree every engine has, made from the example.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::project::{Project, run_command};

/// What concerns the example alone: file, its text, what a copy has instead. The renaming comes after.
const ONLY_EXAMPLE: &[(&str, &str, &str)] = &[
    ("src/lib.rs", "mod bench;\n", ""),
    ("src/engine.rs", "{agent, bench, entities,", "{agent, entities,"),
    ("src/engine.rs", ".merge(bench::router())", ""),
    (
        "src/permissions.rs",
        "/// Call the routes that exist to be measured.\npub const BENCH: &str = \"example:bench:run\";\n",
        "",
    ),
    (
        "plugin.toml",
        "[[permissions]]\nname = \"example:bench:run\"\ndescription = \"Call the routes that exist to be measured\"\n\n",
        "",
    ),
    (
        "plugin.toml",
        "notes, greets machines, and shows how an engine is written.",
        "notes and greets machines.",
    ),
    ("tests/it/routes.rs", "mod bench;\n", ""),
    (
        "src/lib.rs",
        "notes, a greeting on machines, and routes to measure",
        "notes and a greeting on machines",
    ),
    (
        "Cargo.toml",
        "The smallest whole SysManage engine: notes, a greeting on machines, routes to measure",
        "The example engine",
    ),
    ("README.md", "The smallest whole engine, and what `cargo xtask engine new` copies. It keeps", "Keeps"),
    (
        "README.md",
        "`src/bench.rs` holds routes that exist to be measured (`/ping`, `/echo`, `/bench/...`); a copy has none.\n\n",
        "",
    ),
];

/// Copy `plugins/example` to `plugins/<id>`, renamed, and add it to the workspace and its lock file.
pub fn run(project: &Project, id: &str) -> Result<()> {
    check_id(id)?;
    let target = project.root.join("plugins").join(id);
    ensure!(!target.exists(), "{} is there already", target.display());
    for (file, text) in copies(project, id)? {
        let path = target.join(&file);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, text)?;
    }
    add_member(&project.root.join("plugins/Cargo.toml"), id)?;
    // The other names change the order of imports and the length of lines; builds insist on the lock file.
    run_command(&mut project.engine_cargo(["fmt", "-p", id]))?;
    run_command(&mut project.engine_cargo(["update", "--workspace", "--offline", "--quiet"]))?;
    println!("plugins/{id} is ready: build it with `cargo xtask engine pack {id}`");
    Ok(())
}

fn check_id(id: &str) -> Result<()> {
    let word = id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    ensure!(
        word && (2..=40).contains(&id.len()) && id != "core",
        "`{id}`: 2 to 40 of a-z, 0-9, _ that begin with a letter"
    );
    Ok(())
}

/// The files of a new engine: what git knows of the example, without what is there to be measured.
fn copies(project: &Project, id: &str) -> Result<Vec<(String, String)>> {
    let example = project.root.join("plugins/example");
    let out = Command::new("git").args(["ls-files"]).current_dir(&example).output()?;
    let mut copies = Vec::new();
    for file in String::from_utf8(out.stdout)?.lines() {
        if file.contains("snapshots/") || file.ends_with("bench.rs") {
            continue;
        }
        let mut text = fs::read_to_string(example.join(file)).with_context(|| file.to_owned())?;
        for (_, old, new) in ONLY_EXAMPLE.iter().filter(|(of, ..)| *of == file) {
            ensure!(
                text.contains(old),
                "plugins/example/{file} no longer holds `{old}`: correct ONLY_EXAMPLE"
            );
            text = text.replacen(old, new, 1);
        }
        copies.push((file.to_owned(), rename(&text, id)));
    }
    Ok(copies)
}

fn rename(text: &str, id: &str) -> String {
    let camel: String = id.split('_').map(capital).collect();
    text.replace("example", id).replace("Example", &camel)
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

fn add_member(manifest: &Path, id: &str) -> Result<()> {
    let text = fs::read_to_string(manifest)?;
    let with = text.replacen("\"example\",", &format!("\"example\", \"{id}\","), 1);
    ensure!(with != text, "plugins/Cargo.toml: add \"{id}\" to `members` by hand");
    fs::write(manifest, with).context("plugins/Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_carried_over_in_each_form() {
        assert_eq!(
            rename("struct Example; // example:notes:read", "disk_care"),
            "struct DiskCare; // disk_care:notes:read"
        );
    }

    #[test]
    fn a_copy_has_no_trace_of_the_example_and_its_measuring() {
        let project = Project::find().expect("the project is there");
        for (file, text) in copies(&project, "disk_care").expect("the example can be copied") {
            let text = text.to_lowercase();
            assert!(!text.contains("example") && !text.contains("bench"), "{file}");
        }
    }

    #[test]
    fn an_id_that_no_table_could_bear_is_refused() {
        for id in ["", "a", "9lives", "Upper", "with-dash", "core"] {
            assert!(check_id(id).is_err(), "{id}");
        }
        assert!(check_id("disk_care").is_ok());
    }
}
