//! A Debian package from a tree: `dpkg-deb` does it, the recipe in `dist/deb/<name>` says what it is.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::output;

/// Copy a file to its place.
pub(super) fn install(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("{} is missing", from.display()))?;
    place(to, &bytes, mode)
}

/// Write a text to its place.
pub(super) fn write(to: &Path, text: &str, mode: u32) -> Result<()> {
    place(to, text.as_bytes(), mode)
}

fn place(to: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    fs::create_dir_all(to.parent().context("a folder")?)?;
    fs::write(to, bytes)?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(mode))?)
}

/// Build the package of `tree`; the answer is its file.
pub(super) fn build(tree: &Path, recipe: &Path, name: &str, version: &str, out: &Path) -> Result<PathBuf> {
    let arch = output(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
    let control = fs::read_to_string(recipe.join("control")).context("dist/deb/<name>/control")?;
    let size = kibibytes(tree)?.to_string();
    // A pre-release comes before the release: 1.0.0-rc.1 becomes 1.0.0~rc.1.
    let version = version.replacen('-', "~", 1);
    let filled = [("@VERSION@", version.as_str()), ("@ARCH@", &arch), ("@SIZE@", &size)]
        .into_iter()
        .fold(control, |text, (mark, value)| text.replace(mark, value));
    write(&tree.join("DEBIAN/control"), &filled, 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        if recipe.join(script).exists() {
            install(&recipe.join(script), &tree.join("DEBIAN").join(script), 0o755)?;
        }
    }
    let file = out.join(format!("{name}_{version}_{arch}.deb"));
    output(Command::new("dpkg-deb").args(["--root-owner-group", "-Zxz", "--build"]).arg(tree).arg(&file))?;
    Ok(file)
}

fn kibibytes(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        size += match entry.file_type()?.is_dir() {
            true => kibibytes(&entry.path())?,
            false => entry.metadata()?.len().div_ceil(1024),
        };
    }
    Ok(size)
}
