//! A Debian system in a folder: real apt and dpkg work on it, the machine's own packages stay as they are.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The name of the package that the source offers.
pub const PACKAGE: &str = "sysmanage-hello";

/// A root folder with a package source beside it.
pub struct Apt {
    /// The root folder.
    pub root: PathBuf,
    /// The source's folder.
    pub source: PathBuf,
    folder: PathBuf,
}

impl Apt {
    /// An empty system whose source offers nothing yet.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        let apt =
            Self { root: folder.join("root"), source: folder.join("source"), folder: folder.to_owned() };
        for dir in [
            "etc/apt/apt.conf.d",
            "etc/apt/sources.list.d",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/log/apt",
            "var/lib/dpkg/info",
            "var/lib/dpkg/updates",
            "var/lib/dpkg/triggers",
            "proc/sys/kernel/random",
            "tmp",
        ] {
            fs::create_dir_all(apt.root.join(dir))?;
        }
        fs::create_dir_all(&apt.source)?;
        fs::write(apt.root.join("var/lib/dpkg/status"), "")?;
        fs::write(apt.root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
        fs::write(apt.root.join("etc/group"), "root:x:0:\n")?;
        fs::write(apt.root.join("proc/sys/kernel/random/boot_id"), "first-boot\n")?;
        apt.offer_from(&format!("file:{}", apt.source.display()))?;
        fs::write(apt.config(), apt.configuration())?;
        apt.index()?;
        Ok(apt)
    }

    /// Take packages from another place.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn offer_from(&self, url: &str) -> Result<()> {
        let line = format!("deb [trusted=yes] {url} ./\n");
        Ok(fs::write(self.root.join("etc/apt/sources.list"), line)?)
    }

    fn config(&self) -> PathBuf {
        self.folder.join("apt.conf")
    }

    fn configuration(&self) -> String {
        let root = self.root.display();
        format!(
            r#"Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Bin::dpkg "/usr/bin/dpkg";
Dir::Bin::methods "/usr/lib/apt/methods";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
DPkg::Options {{ "--root={root}"; "--log={root}/var/log/dpkg.log"; "--force-script-chrootless"; }};
"#
        )
    }

    /// What the agent's environment must hold to work on this system.
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("APT_CONFIG".into(), text(&self.config())),
            ("SYSMANAGE_AGENT__ROOT".into(), format!("\"{}\"", text(&self.root))),
        ]
    }

    /// Build a version of [`PACKAGE`] and offer it. Its script adds a line to `runs`, then waits for `gate` to appear.
    ///
    /// # Errors
    /// When `dpkg-deb` refuses.
    pub fn offer(&self, version: &str, gate: Option<&Path>) -> Result<()> {
        let tree = self.folder.join(format!("build-{version}"));
        fs::create_dir_all(tree.join("DEBIAN"))?;
        fs::create_dir_all(tree.join("usr/share").join(PACKAGE))?;
        fs::write(tree.join("usr/share").join(PACKAGE).join("version"), version)?;
        let control = format!(
            "Package: {PACKAGE}\nVersion: {version}\nArchitecture: all\nMaintainer: Tests <tests@localhost>\n\
             Description: says hello\n"
        );
        fs::write(tree.join("DEBIAN/control"), control)?;
        let wait = gate.map_or(String::new(), |gate| {
            format!(
                "n=0; while [ ! -e '{0}' ] && [ $n -lt 1200 ]; do sleep 0.1; n=$((n+1)); done\n",
                gate.display()
            )
        });
        let script = format!(
            "#!/bin/sh\nset -e\necho {version} >> '{}'\n{wait}echo \"hello from {version}\"\n",
            self.runs().display()
        );
        let postinst = tree.join("DEBIAN/postinst");
        fs::write(&postinst, script)?;
        fs::set_permissions(&postinst, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let deb = self.source.join(format!("{PACKAGE}_{version}_all.deb"));
        run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&deb))?;
        self.index()
    }

    /// Install the offered version by hand, without apt and without the agent.
    ///
    /// # Errors
    /// When dpkg refuses.
    pub fn install_by_hand(&self, version: &str) -> Result<()> {
        let deb = self.source.join(format!("{PACKAGE}_{version}_all.deb"));
        run(self.dpkg().arg("--install").arg(deb)).map(drop)
    }

    /// Purge [`PACKAGE`] by hand.
    ///
    /// # Errors
    /// When dpkg refuses.
    pub fn purge_by_hand(&self) -> Result<()> {
        run(self.dpkg().args(["--purge", PACKAGE])).map(drop)
    }

    fn dpkg(&self) -> Command {
        let mut command = Command::new("dpkg");
        command.arg("--root").arg(&self.root).args(["--force-script-chrootless", "--log=/dev/null"]);
        command
    }

    /// Where each run of a package's script leaves a line.
    pub fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    fn index(&self) -> Result<()> {
        let mut index = String::new();
        for entry in fs::read_dir(&self.source)? {
            let path = entry?.path();
            if path.extension().is_none_or(|e| e != "deb") {
                continue;
            }
            let name = path.file_name().context("a name")?.to_string_lossy().into_owned();
            let sum = run(Command::new("sha256sum").arg(&path))?;
            let fields = run(Command::new("dpkg-deb").arg("-f").arg(&path))?;
            let digest = sum.split(' ').next().unwrap_or_default();
            let size = fs::metadata(&path)?.len();
            writeln!(index, "{}\nFilename: ./{name}\nSize: {size}\nSHA256: {digest}\n", fields.trim())?;
        }
        Ok(fs::write(self.source.join("Packages"), index)?)
    }

    /// The installed version of [`PACKAGE`], as dpkg itself says.
    ///
    /// # Errors
    /// When dpkg-query cannot be run.
    pub fn installed(&self) -> Result<Option<String>> {
        let mut query = Command::new("dpkg-query");
        let admin = self.root.join("var/lib/dpkg");
        query.arg("--admindir").arg(admin).args(["-W", "-f", "${db:Status-Status} ${Version}", PACKAGE]);
        let out = query.output()?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        Ok(text.strip_prefix("installed ").map(str::to_owned))
    }
}

fn run(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("{command:?}"))?;
    if !out.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
