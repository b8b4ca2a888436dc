//! `engine new <id>`: a new engine with the tree every engine has, made from the example.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::project::Project;

/// Copy `plugins/example` to `plugins/<id>`, renamed, and add it to the workspace.
pub fn run(project: &Project, id: &str) -> Result<()> {
    check_id(id)?;
    let target = project.root.join("plugins").join(id);
    ensure!(!target.exists(), "{} is there already", target.display());
    for file in example_files(project)? {
        let text = fs::read_to_string(project.root.join("plugins/example").join(&file))?;
        let path = target.join(&file);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, rename(&text, id))?;
    }
    add_member(&project.root.join("plugins/Cargo.toml"), id)?;
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

fn example_files(project: &Project) -> Result<Vec<String>> {
    let out =
        Command::new("git").args(["ls-files"]).current_dir(project.root.join("plugins/example")).output()?;
    Ok(String::from_utf8(out.stdout)?
        .lines()
        .filter(|f| !f.contains("snapshots/"))
        .map(str::to_owned)
        .collect())
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
    fn an_id_that_no_table_could_bear_is_refused() {
        for id in ["", "a", "9lives", "Upper", "with-dash", "core"] {
            assert!(check_id(id).is_err(), "{id}");
        }
        assert!(check_id("disk_care").is_ok());
    }
}
