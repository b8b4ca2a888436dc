//! Takes the built console into the program. Without one the program builds all the same, and says so in a browser.

use std::{
    env, fmt, fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Where `npm run build` in `console/` writes; the folder above it is always there, so that cargo can watch it.
const BUILT: &str = "../console/embed/dist";
const WATCHED: &str = "../console/embed";

fn main() -> io::Result<()> {
    writeln!(io::stdout(), "cargo::rerun-if-changed={WATCHED}\ncargo::rerun-if-changed=build.rs")?;
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join(BUILT);
    let mut found = Vec::new();
    if root.is_dir() {
        list(&root, &mut found)?;
    }
    found.sort();
    let files: Vec<Entry> = found.iter().filter_map(|path| Entry::of(&root, path)).collect();
    let text = files.iter().map(|e| format!("    {e},\n")).collect::<String>();
    let out = PathBuf::from(variable("OUT_DIR")?).join("console.rs");
    fs::write(out, format!("/// Every file of the console.\npub static FILES: &[File] = &[\n{text}];\n"))
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// One file as Rust source.
struct Entry {
    url: String,
    plain: PathBuf,
    brotli: Option<PathBuf>,
}

impl Entry {
    /// None for compressed forms, which go with their plain file.
    fn of(root: &Path, path: &Path) -> Option<Self> {
        if path.extension().is_some_and(|e| e == "br") {
            return None;
        }
        let relative = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
        let mut compressed = path.as_os_str().to_owned();
        compressed.push(".br");
        let brotli = Some(PathBuf::from(compressed)).filter(|p| p.is_file());
        Some(Self { url: format!("/{relative}"), plain: path.to_owned(), brotli })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, plain) = (&self.url, &self.plain);
        write!(f, "File {{ url: {url:?}, plain: include_bytes!({plain:?}), brotli: ")?;
        match &self.brotli {
            Some(path) => write!(f, "Some(include_bytes!({path:?})) }}"),
            None => write!(f, "None }}"),
        }
    }
}
