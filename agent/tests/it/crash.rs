//! kill -9 at random points: no command runs twice, no accepted command is lost.
//!
//! The child is this test program itself, told by an environment variable to work on a spool.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use agent_protocol::task::{Outcome, Stream};
use sysmanage_agent::spool::{Accepted, Chunk, Limits, Spool};
use uuid::Uuid;

use crate::spool::{command, succeeded};

const FOLDER: &str = "SYSMANAGE_AGENT_CRASH_TEST_FOLDER";
const TASKS: u128 = 200;

fn note(folder: &Path, line: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(folder.join("notes")).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn execute(folder: &Path, spool: &Spool, task: Uuid) {
    if spool.start(task, 1).unwrap() {
        // The effect on the machine: it must never be seen twice.
        note(folder, &format!("ran {task}"));
        let data = vec![b'x'; 500];
        spool.append_output(task, &[Chunk { stream: Stream::Stdout, data }]).unwrap();
        spool.finish(succeeded(task)).unwrap();
    }
}

#[test]
fn a_child_works_on_its_spool() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let spool = Spool::open(&folder.join("spool.redb"), Limits::default()).unwrap();
    for waiting in spool.recover(1).unwrap().waiting {
        execute(folder, &spool, waiting.task_id);
    }
    note(folder, "ready");
    for number in 1..=TASKS {
        let task = Uuid::from_u128(number);
        if spool.accept(&command(task), i64::MAX, 1).unwrap() == Accepted::New {
            note(folder, &format!("accepted {task}"));
            execute(folder, &spool, task);
        }
    }
    note(folder, "done");
}

fn ready(folder: &Path) -> usize {
    let notes = std::fs::read_to_string(folder.join("notes")).unwrap_or_default();
    notes.lines().filter(|line| *line == "ready").count()
}

/// Until the child has recovered its spool once more than at the call, or has ended.
fn wait_until_ready(folder: &Path, child: &mut std::process::Child) {
    let (before, deadline) = (ready(folder), Instant::now() + Duration::from_secs(30));
    while ready(folder) == before && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the child does not get ready");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn kill_9_neither_loses_nor_repeats_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut kills = 0;
    for round in 0_u64.. {
        assert!(round < 500, "the child never gets through");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::a_child_works_on_its_spool"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Now and then while it opens and recovers, mostly while it works.
        if round % 4 != 0 {
            wait_until_ready(folder.path(), &mut child);
        }
        std::thread::sleep(Duration::from_millis(round * 37 % 60));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 5, "the child was killed {kills} times only");

    let notes = std::fs::read_to_string(folder.path().join("notes")).unwrap();
    let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
    notes
        .lines()
        .filter_map(|line| line.strip_prefix("ran "))
        .for_each(|task| *runs.entry(task).or_default() += 1);
    assert!(runs.values().all(|count| *count == 1), "a command ran twice");

    let spool = Spool::open(&folder.path().join("spool.redb"), Limits::default()).unwrap();
    spool.recover(1).unwrap();
    let mut interrupted = 0;
    for number in 1..=TASKS {
        let task = Uuid::from_u128(number);
        let result = spool.result(task).unwrap();
        let result = result.unwrap_or_else(|| panic!("{task} was lost"));
        let ran = runs.contains_key(task.to_string().as_str());
        match result.outcome {
            Outcome::Succeeded => {
                assert!(ran, "{task} is said to have run");
                assert_eq!(spool.output_from(task, 0, 1000).unwrap().len(), 1, "output of {task}");
            }
            Outcome::Interrupted => interrupted += 1,
            other => panic!("{task}: {other:?}"),
        }
    }
    assert!(interrupted <= kills, "at most one command is running at a time");
}
