//! Tells the crate which target triple it is built for.

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    let mut out = std::io::stdout();
    let _ =
        std::io::Write::write_all(&mut out, format!("cargo::rustc-env=PLUGIN_TARGET={target}\n").as_bytes());
    let _ = std::io::Write::write_all(&mut out, b"cargo::rerun-if-changed=build.rs\n");
}
