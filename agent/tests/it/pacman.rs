//! Arch's database, written by pacman itself from a package that the test makes.

use std::{fs, io::Write, path::Path, process::Command};

use sysmanage_agent::inventory::{self, packages::Packages, source::Root};

const INFO: &str = "\
pkgname = hello
pkgbase = hello-base
pkgver = 1:1.0-2
pkgdesc = A friendly greeting
builddate = 1700000000
size = 2049
arch = any
";

fn run(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).current_dir(folder).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn packages_are_those_of_pacman() {
    if !Path::new("/usr/bin/pacman").exists() {
        let _ = writeln!(std::io::stderr(), "skipped: needs pacman");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir_all(at.join("package/usr/share/hello")).unwrap();
    fs::create_dir_all(at.join("root/var/lib/pacman")).unwrap();
    fs::write(at.join("package/usr/share/hello/text"), "hello\n").unwrap();
    fs::write(at.join("package/.PKGINFO"), INFO).unwrap();
    fs::write(at.join("pacman.conf"), "[options]\nSigLevel = Never\n").unwrap();
    run("tar", at, &["-C", "package", "-czf", "hello.pkg.tar.gz", ".PKGINFO", "usr"]);
    let there = ["--config", "pacman.conf", "--root", "root", "--dbpath", "root/var/lib/pacman"];
    let install = ["--noconfirm", "--noscriptlet", "-U", "hello.pkg.tar.gz"];
    run("pacman", at, &[&there[..], &install].concat());

    let told = run("pacman", at, &[&there[..], &["-Qi"]].concat());
    let field = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once(" : ").unwrap().1.to_owned()
    };
    let found: Packages = inventory::read(&Root::at(at.join("root")), "packages");
    let [package] = &found.packages[..] else { panic!("{found:?}") };
    assert_eq!(found.sources, ["pacman"]);
    assert_eq!((&package.name, &package.version), (&field("Name"), &field("Version")));
    assert_eq!(
        (&package.arch, package.title.as_ref()),
        (&field("Architecture"), Some(&field("Description")))
    );
    // It rounds to 2.00 KiB; a byte more takes another.
    assert_eq!((package.installed_kib, field("Installed Size").as_str()), (Some(3), "2.00 KiB"));
    assert_eq!(package.source.as_deref(), Some("hello-base"));
}
