//! Every manager but apt: what differs between them is words, so each is a row of words.

use std::collections::BTreeMap;

use agent_protocol::core_command::Manager;

use super::{Action, Exit, Failure, PackageManager, Plan, Request, Step, Unsupported, Upgrading, failure};

type Words = &'static [&'static str];

/// A manager as words. `None` is what it cannot do.
struct Table {
    manager: Manager,
    program: &'static str,
    /// Program that removes, where it is another.
    remover: Option<&'static str>,
    install: Words,
    remove: Words,
    /// In place of `remove`, configuration included.
    purge: Option<Words>,
    /// After `remove`, what came along too.
    autoremove: Option<Words>,
    upgrade_all: Words,
    upgrade_some: Words,
    upgrade_security: Option<Words>,
    refresh: Option<Words>,
    /// After the verb, for a dry run.
    dry_run: Option<Words>,
    /// Between options and names.
    names: Words,
    /// Whether it takes one name in a run only.
    one_at_a_time: bool,
    env: &'static [(&'static str, &'static str)],
    /// Exit codes besides 0 that are no failure; the last of a dry run.
    good: &'static [i32],
    dry_good: &'static [i32],
    patterns: &'static [failure::Pattern],
}

const PLAIN: Table = Table {
    manager: Manager::Dnf,
    program: "",
    remover: None,
    install: &[],
    remove: &[],
    purge: None,
    autoremove: None,
    upgrade_all: &[],
    upgrade_some: &[],
    upgrade_security: None,
    refresh: None,
    dry_run: None,
    names: &["--"],
    one_at_a_time: false,
    env: &[("LC_ALL", "C.UTF-8")],
    good: &[],
    dry_good: &[],
    patterns: &COMMON,
};

/// What most managers say.
const COMMON: [failure::Pattern; 12] = [
    ("Unable to find a match", "package_unknown", "A package is in no repository; check its name."),
    ("No match for argument", "package_unknown", "A package is in no repository; check its name."),
    ("target not found", "package_unknown", "A package is in no repository; check its name."),
    ("no such package", "package_unknown", "A package is in no repository; check its name."),
    ("No packages available to install matching", "package_unknown", "A package is in no repository."),
    ("not found", "package_unknown", "A package was not found; check its name."),
    ("unable to lock database", "locked", "Another package manager runs; try again."),
    ("Waiting for process with pid", "locked", "Another package manager runs; try again."),
    ("System management is locked", "locked", "Another package manager runs; try again."),
    ("No space left on device", "no_space", "There is no room left on the disk."),
    ("Could not resolve host", "network", "The name of a package source cannot be resolved."),
    ("Cannot download", "network", "A package source cannot be reached."),
];

static TABLES: [Table; 12] = [
    Table {
        manager: Manager::Dnf,
        program: "dnf",
        install: &["-y", "install"],
        remove: &["-y", "remove", "--setopt=clean_requirements_on_remove=False"],
        autoremove: Some(&["--setopt=clean_requirements_on_remove=True"]),
        upgrade_all: &["-y", "upgrade"],
        upgrade_some: &["-y", "upgrade"],
        upgrade_security: Some(&["-y", "upgrade", "--security"]),
        refresh: Some(&["-y", "makecache", "--refresh"]),
        dry_run: Some(&["--assumeno"]),
        dry_good: &[1],
        ..PLAIN
    },
    Table {
        manager: Manager::Zypper,
        program: "zypper",
        install: &["--non-interactive", "install"],
        remove: &["--non-interactive", "remove"],
        autoremove: Some(&["--clean-deps"]),
        upgrade_all: &["--non-interactive", "update"],
        upgrade_some: &["--non-interactive", "update"],
        upgrade_security: Some(&["--non-interactive", "patch", "--category", "security"]),
        refresh: Some(&["--non-interactive", "refresh"]),
        dry_run: Some(&["--dry-run"]),
        // 100 to 103 tell of updates, of a restart that is needed, of zypper's own update.
        good: &[100, 101, 102, 103],
        ..PLAIN
    },
    Table {
        manager: Manager::Pacman,
        program: "pacman",
        install: &["--noconfirm", "--noprogressbar", "-S", "--needed"],
        remove: &["--noconfirm", "--noprogressbar", "-R"],
        purge: Some(&["--noconfirm", "--noprogressbar", "-R", "--nosave"]),
        autoremove: Some(&["--recursive"]),
        upgrade_all: &["--noconfirm", "--noprogressbar", "-Su"],
        upgrade_some: &["--noconfirm", "--noprogressbar", "-S", "--needed"],
        refresh: Some(&["--noconfirm", "--noprogressbar", "-Sy"]),
        dry_run: Some(&["--print"]),
        ..PLAIN
    },
    Table {
        manager: Manager::Apk,
        program: "apk",
        install: &["--no-progress", "--wait", "120", "add"],
        remove: &["--no-progress", "--wait", "120", "del"],
        purge: Some(&["--no-progress", "--wait", "120", "--purge", "del"]),
        upgrade_all: &["--no-progress", "--wait", "120", "upgrade"],
        upgrade_some: &["--no-progress", "--wait", "120", "add", "--upgrade"],
        refresh: Some(&["--no-progress", "--wait", "120", "update"]),
        dry_run: Some(&["--simulate"]),
        ..PLAIN
    },
    Table {
        manager: Manager::Pkg,
        program: "pkg",
        install: &["install", "-y"],
        remove: &["delete", "-y"],
        upgrade_all: &["upgrade", "-y"],
        upgrade_some: &["upgrade", "-y"],
        upgrade_security: Some(&["upgrade", "-y", "--vulnerable"]),
        refresh: Some(&["update"]),
        dry_run: Some(&["-n"]),
        env: &[("LC_ALL", "C.UTF-8"), ("ASSUME_ALWAYS_YES", "yes")],
        dry_good: &[1],
        ..PLAIN
    },
    Table {
        manager: Manager::PkgAdd,
        program: "pkg_add",
        remover: Some("pkg_delete"),
        install: &["-I"],
        remove: &["-I"],
        purge: Some(&["-I", "-c"]),
        upgrade_all: &["-I", "-u"],
        upgrade_some: &["-I", "-u"],
        dry_run: Some(&["-n"]),
        ..PLAIN
    },
    Table {
        manager: Manager::Pkgin,
        program: "pkgin",
        install: &["-y", "install"],
        remove: &["-y", "remove"],
        upgrade_all: &["-y", "upgrade"],
        upgrade_some: &["-y", "install"],
        refresh: Some(&["-y", "update"]),
        ..PLAIN
    },
    Table {
        manager: Manager::Brew,
        program: "brew",
        install: &["install"],
        remove: &["uninstall"],
        purge: Some(&["uninstall", "--zap"]),
        upgrade_all: &["upgrade"],
        upgrade_some: &["upgrade"],
        refresh: Some(&["update"]),
        dry_run: None,
        env: &[
            ("LC_ALL", "C.UTF-8"),
            ("NONINTERACTIVE", "1"),
            ("HOMEBREW_NO_AUTO_UPDATE", "1"),
            ("HOMEBREW_NO_COLOR", "1"),
        ],
        ..PLAIN
    },
    Table {
        manager: Manager::Winget,
        program: "winget",
        install: &[
            "install",
            "--exact",
            "--silent",
            "--disable-interactivity",
            "--accept-package-agreements",
            "--accept-source-agreements",
        ],
        remove: &[
            "uninstall",
            "--exact",
            "--silent",
            "--disable-interactivity",
            "--accept-source-agreements",
        ],
        upgrade_all: &[
            "upgrade",
            "--all",
            "--silent",
            "--disable-interactivity",
            "--accept-package-agreements",
            "--accept-source-agreements",
        ],
        upgrade_some: &[
            "upgrade",
            "--exact",
            "--silent",
            "--disable-interactivity",
            "--accept-package-agreements",
            "--accept-source-agreements",
        ],
        refresh: Some(&["source", "update", "--disable-interactivity"]),
        names: &["--id"],
        one_at_a_time: true,
        env: &[],
        ..PLAIN
    },
    Table {
        manager: Manager::Choco,
        program: "choco",
        install: &["install", "--yes", "--no-progress", "--no-color"],
        remove: &["uninstall", "--yes", "--no-progress", "--no-color"],
        autoremove: Some(&["--remove-dependencies"]),
        upgrade_all: &["upgrade", "all", "--yes", "--no-progress", "--no-color"],
        upgrade_some: &["upgrade", "--yes", "--no-progress", "--no-color", "--fail-on-not-installed"],
        dry_run: Some(&["--noop"]),
        names: &[],
        env: &[],
        // A restart is pending or was begun.
        good: &[1641, 3010],
        ..PLAIN
    },
    Table {
        manager: Manager::Snap,
        program: "snap",
        install: &["install"],
        remove: &["remove"],
        purge: Some(&["remove", "--purge"]),
        upgrade_all: &["refresh"],
        upgrade_some: &["refresh"],
        ..PLAIN
    },
    Table {
        manager: Manager::Flatpak,
        program: "flatpak",
        install: &["install", "--assumeyes", "--noninteractive", "--system"],
        remove: &["uninstall", "--assumeyes", "--noninteractive", "--system"],
        purge: Some(&["uninstall", "--assumeyes", "--noninteractive", "--system", "--delete-data"]),
        upgrade_all: &["update", "--assumeyes", "--noninteractive", "--system"],
        upgrade_some: &["update", "--assumeyes", "--noninteractive", "--system"],
        refresh: Some(&["update", "--appstream", "--assumeyes", "--noninteractive", "--system"]),
        ..PLAIN
    },
];

/// The row of a manager other than apt.
pub(super) fn of(manager: Manager) -> &'static dyn PackageManager {
    TABLES.iter().find(|table| table.manager == manager).unwrap_or(&TABLES[0])
}

impl Table {
    fn cannot<T>(&self, what: &'static str) -> Result<T, Unsupported> {
        Err(Unsupported { manager: self.manager, what })
    }

    /// Verb with options, names, and whether the remover does it.
    fn words<'a>(&self, action: &'a Action) -> Result<(Vec<&'static str>, &'a [String], bool), Unsupported> {
        Ok(match action {
            Action::Install(packages) => (self.install.to_vec(), packages.as_slice(), false),
            Action::Remove { packages, purge, autoremove } => {
                let mut words = match (purge, self.purge) {
                    (false, _) => self.remove.to_vec(),
                    (true, Some(words)) => words.to_vec(),
                    // What has no configuration of its own is purged by removing it.
                    (true, None) => self.remove.to_vec(),
                };
                match (autoremove, self.autoremove) {
                    (true, Some(more)) => words.extend_from_slice(more),
                    (true, None) => return self.cannot("remove what came along with a package"),
                    (false, _) => {}
                }
                (words, packages.as_slice(), true)
            }
            Action::Upgrade(Upgrading::All) => (self.upgrade_all.to_vec(), &[], false),
            Action::Upgrade(Upgrading::Some(packages)) => {
                (self.upgrade_some.to_vec(), packages.as_slice(), false)
            }
            Action::Upgrade(Upgrading::Security) => match self.upgrade_security {
                Some(words) => (words.to_vec(), &[], false),
                None => return self.cannot("tell security updates from others"),
            },
            Action::Refresh => match self.refresh {
                Some(words) => (words.to_vec(), &[], false),
                None => return self.cannot("refresh lists: it asks its source each time"),
            },
        })
    }
}

impl PackageManager for Table {
    fn manager(&self) -> Manager {
        self.manager
    }

    fn program(&self) -> &str {
        self.program
    }

    fn plan(&self, request: &Request) -> Result<Plan, Unsupported> {
        let (mut words, names, removes) = self.words(&request.action)?;
        if request.dry_run {
            let Some(more) = self.dry_run else { return self.cannot("say beforehand what it would do") };
            words.extend_from_slice(more);
        }
        let program = self.remover.filter(|_| removes).unwrap_or(self.program);
        let step = |names: &[String]| {
            let mut args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            if !names.is_empty() {
                args.extend(self.names.iter().map(|word| (*word).to_owned()));
            }
            args.extend_from_slice(names);
            Step { program: program.into(), args }
        };
        let steps = match names {
            many @ [_, ..] if self.one_at_a_time => many.chunks(1).map(step).collect(),
            all => vec![step(all)],
        };
        let env: BTreeMap<String, String> =
            self.env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Ok(Plan { steps, env })
    }

    fn failure(&self, exit: &Exit, output: &str, dry: bool) -> Option<Failure> {
        let good = |code: i32| self.good.contains(&code) || (dry && self.dry_good.contains(&code));
        if exit.code.is_some_and(good) {
            return None;
        }
        failure::of(self.program, exit, output, self.patterns)
    }
}
