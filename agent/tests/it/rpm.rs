//! The rpm database in all its forms, as rpm itself and Berkeley DB's own tool write them.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};

use sysmanage_agent::inventory::{self, packages::Packages, source::Root};

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A package with a description long enough that its header does not fit on one page.
fn spec(name: &str, epoch: &str) -> String {
    let story = "A sentence that fills the header of the package with text.\n".repeat(300);
    format!(
        "Name: {name}\nVersion: 1.2\nRelease: 3\nSummary: Says {name}\nLicense: MIT\nBuildArch: noarch\n{epoch}\n\\
         %description\n{story}\n%files\n"
    )
}

/// A machine whose database of the given backend has 40 packages.
fn machine(folder: &Path, backend: &str) -> Option<String> {
    let database = folder.join("var/lib/rpm");
    std::fs::create_dir_all(&database).unwrap();
    let place = format!("--dbpath={}", database.display());
    let backend = format!("_db_backend {backend}");
    output("rpm", &["--define", &backend, &place, "--initdb"])?;
    for at in 0..40 {
        let name = format!("says-{at}");
        let file = folder.join(format!("{name}.spec"));
        std::fs::write(&file, spec(&name, if at == 7 { "Epoch: 2" } else { "" })).unwrap();
        let top = format!("_topdir {}", folder.join("build").display());
        output("rpmbuild", &["--define", &top, "-bb", "--quiet", file.to_str()?])?;
    }
    let built = folder.join("build/RPMS/noarch");
    let files: Vec<String> =
        std::fs::read_dir(built).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    let mut arguments = vec!["--define", &backend, &place, "-i", "--justdb", "--nodeps", "--nosignature"];
    arguments.extend(files.iter().map(String::as_str));
    output("rpm", &arguments)?;
    let format = "%{NAME} %{ARCH} %{EPOCHNUM} %{VERSION}-%{RELEASE} %{SUMMARY}\n";
    output("rpm", &["--define", &backend, &place, "-qa", "--qf", format])
}

fn assert_same(folder: &Path, told: &str) {
    let found: Packages = inventory::read(&Root::at(folder), "packages");
    let lines: BTreeSet<String> = found
        .packages
        .iter()
        .map(|package| {
            let (epoch, version) = package.version.split_once(':').unwrap_or(("0", &package.version));
            let title = package.title.as_deref().unwrap();
            format!("{} {} {epoch} {version} {title}", package.name, package.arch)
        })
        .collect();
    assert_eq!(lines, told.lines().map(str::to_owned).collect());
    assert_eq!((found.packages.len(), found.sources), (40, vec!["rpm".to_owned()]));
    assert_eq!(found.packages[0].key, "rpm:says-0:noarch");
}

#[test]
fn packages_in_an_sqlite_database_are_those_of_rpm() {
    let folder = tempfile::tempdir().unwrap();
    let Some(told) = machine(folder.path(), "sqlite") else { return };
    assert_same(folder.path(), &told);
}

#[test]
fn packages_in_an_ndb_database_are_those_of_rpm() {
    let folder = tempfile::tempdir().unwrap();
    let Some(told) = machine(folder.path(), "ndb") else { return };
    assert_same(folder.path(), &told);
}

/// rpm no longer writes Berkeley DB: its own tool does, from the entries of an SQLite database.
#[test]
fn packages_in_a_berkeley_database_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let Some(told) = machine(folder.path(), "sqlite") else { return };
    let sqlite = folder.path().join("var/lib/rpm/rpmdb.sqlite");
    let query = "select hnum, hex(blob) from Packages";
    let Some(rows) = output("sqlite3", &[sqlite.to_str().unwrap(), query]) else { return };
    let mut dump = String::from("VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\nHEADER=END\n");
    dump.push_str(" 00000000\n 28000000\n");
    for row in rows.lines() {
        let (number, blob) = row.split_once('|').unwrap();
        let number: u32 = number.parse().unwrap();
        let key: String = number.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        dump.push_str(&format!(" {key}\n {}\n", blob.to_lowercase()));
    }
    dump.push_str("DATA=END\n");
    for file in std::fs::read_dir(folder.path().join("var/lib/rpm")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let text = folder.path().join("dump");
    std::fs::write(&text, dump).unwrap();
    let load = Command::new("db5.3_load")
        .arg(folder.path().join("var/lib/rpm/Packages"))
        .stdin(std::fs::File::open(&text).unwrap())
        .stderr(Stdio::inherit())
        .status();
    if !load.is_ok_and(|status| status.success()) {
        return;
    }
    assert_same(folder.path(), &told);
}

#[test]
fn a_row_that_is_only_in_the_write_ahead_log_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let Some(told) = machine(folder.path(), "sqlite") else { return };
    let database = folder.path().join("var/lib/rpm/rpmdb.sqlite");
    // An open reader keeps the log from being written back.
    let script = format!(
        "import sqlite3, shutil\np={:?}\nc=sqlite3.connect(p)\nc.execute('pragma journal_mode=wal')\n\\
         r=sqlite3.connect(p)\nr.execute('begin'); r.execute('select * from Packages limit 1').fetchall()\n\\
         c.execute('delete from Packages where hnum=1'); c.commit()\n\\
         shutil.copy(p, p+'.kept'); shutil.copy(p+'-wal', p+'.kept-wal')\n",
        database.to_str().unwrap()
    );
    if output("python3", &["-c", &script]).is_none() {
        return;
    }
    for suffix in ["", "-wal"] {
        let kept = format!("{}.kept{suffix}", database.display());
        std::fs::rename(kept, format!("{}{suffix}", database.display())).unwrap();
    }
    let found: Packages = inventory::read(&Root::at(folder.path()), "packages");
    assert_eq!(found.packages.len(), told.lines().count() - 1);
}
