//! The spool's states, limits and memory.

use std::time::Duration;

use agent_protocol::task::{Command, NoteState, Outcome, Stream, TaskResult};
use proptest::prelude::*;
use sysmanage_agent::spool::{AGENT_RESTARTED, Accepted, Chunk, Limits, Spool, State};
use uuid::Uuid;

pub fn command(task_id: Uuid) -> Command {
    Command {
        task_id,
        name: "core.ping".into(),
        payload: b"{}".to_vec().into(),
        deadline: i64::MAX,
        engine: None,
        attempt: 1,
    }
}

pub fn succeeded(task_id: Uuid) -> TaskResult {
    TaskResult {
        task_id,
        outcome: Outcome::Succeeded,
        payload: b"1".to_vec().into(),
        error: None,
        started_at: None,
        finished_at: 3,
        output_chunks: 0,
    }
}

fn chunk(text: &str) -> Chunk {
    Chunk { stream: Stream::Stdout, data: text.as_bytes().to_vec() }
}

fn open(limits: Limits) -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool.redb"), limits).unwrap();
    (folder, spool)
}

#[test]
fn an_id_is_accepted_started_and_finished_once() {
    let (_folder, spool) = open(Limits::default());
    let task = Uuid::now_v7();
    assert_eq!(spool.accept(&command(task), i64::MAX, 1).unwrap(), Accepted::New);
    assert_eq!(spool.accept(&command(task), i64::MAX, 1).unwrap(), Accepted::Known(State::Accepted));
    assert!(spool.start(task, 2).unwrap());
    assert!(!spool.start(task, 2).unwrap(), "a task starts once");
    assert!(spool.finish(succeeded(task)).unwrap());
    assert!(!spool.finish(succeeded(task)).unwrap(), "the first result counts");
    assert!(!spool.start(task, 2).unwrap(), "a task that is over does not start");
    assert_eq!(spool.result(task).unwrap().unwrap().started_at, Some(2));
    assert_eq!(spool.notes().unwrap()[0].state, NoteState::Finished);
    spool.acknowledge_result(task).unwrap();
    assert!(spool.notes().unwrap().is_empty());
    assert_eq!(spool.accept(&command(task), i64::MAX, 1).unwrap(), Accepted::Known(State::Acknowledged));
    assert_eq!(
        spool.result(task).unwrap().unwrap().outcome,
        Outcome::Succeeded,
        "how it ended is remembered"
    );
    assert!(!spool.start(Uuid::now_v7(), 1).unwrap(), "an unknown task does not start");
}

#[test]
fn a_task_that_was_running_is_interrupted_and_one_that_waited_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.redb");
    let (waiting, running, done) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    {
        let spool = Spool::open(&path, Limits::default()).unwrap();
        for task in [waiting, running, done] {
            spool.accept(&command(task), i64::MAX, 1).unwrap();
        }
        spool.start(running, 2).unwrap();
        spool.append_output(running, &[chunk("half")]).unwrap();
        spool.start(done, 2).unwrap();
        spool.finish(succeeded(done)).unwrap();
    }
    let spool = Spool::open(&path, Limits::default()).unwrap();
    let recovered = spool.recover(9).unwrap();
    assert_eq!(recovered.interrupted, [running]);
    assert_eq!(recovered.waiting, [command(waiting)]);
    let result = spool.result(running).unwrap().unwrap();
    assert_eq!(result.outcome, Outcome::Interrupted);
    assert_eq!(result.error.unwrap().code, AGENT_RESTARTED);
    assert_eq!((result.started_at, result.output_chunks), (Some(2), 1));
    assert_eq!(spool.output_from(running, 0, 100).unwrap()[0].1, chunk("half"), "what it said is kept");
    assert_eq!(spool.result(done).unwrap().unwrap().outcome, Outcome::Succeeded);
    assert!(spool.recover(10).unwrap().interrupted.is_empty());
}

#[test]
fn output_is_numbered_kept_until_acknowledged_and_counted() {
    let (_folder, spool) = open(Limits::default());
    let task = Uuid::now_v7();
    spool.accept(&command(task), i64::MAX, 1).unwrap();
    spool.start(task, 1).unwrap();
    spool.append_output(task, &[chunk("a"), chunk("bb")]).unwrap();
    spool.append_output(task, &[chunk("ccc")]).unwrap();
    let numbers = |from| -> Vec<u64> {
        spool.output_from(task, from, 1000).unwrap().into_iter().map(|(number, _)| number).collect()
    };
    assert_eq!(numbers(0), [0, 1, 2]);
    assert_eq!(spool.output_from(task, 0, 1).unwrap().len(), 1, "one chunk even when it is past the size");
    assert_eq!(spool.waiting_bytes().unwrap(), 6);
    spool.acknowledge_output(task, 1).unwrap();
    assert_eq!(numbers(0), [2]);
    assert_eq!(spool.waiting_bytes().unwrap(), 3);
    spool.finish(succeeded(task)).unwrap();
    assert_eq!(spool.result(task).unwrap().unwrap().output_chunks, 3);
    spool.acknowledge_result(task).unwrap();
    assert_eq!(spool.waiting_bytes().unwrap(), 0, "nothing is left of an acknowledged task");
}

#[test]
fn output_past_a_limit_is_counted_and_said() {
    let (_folder, spool) = open(Limits { max_output_bytes: 5, ..Limits::default() });
    let task = Uuid::now_v7();
    spool.accept(&command(task), i64::MAX, 1).unwrap();
    spool.start(task, 1).unwrap();
    let append = spool.append_output(task, &[chunk("1234"), chunk("5678"), chunk("9")]).unwrap();
    assert_eq!(
        (append.kept, append.dropped),
        (4, 5),
        "no holes: what follows a dropped chunk is dropped too"
    );
    spool.note_dropped(task).unwrap();
    let all = spool.output_from(task, 0, 1000).unwrap();
    assert_eq!(all.len(), 2);
    assert!(String::from_utf8_lossy(&all[1].1.data).contains("5 more bytes"));
}

#[test]
fn a_full_spool_refuses_commands_but_keeps_results() {
    let (_folder, spool) = open(Limits { max_bytes: 400, ..Limits::default() });
    let task = Uuid::now_v7();
    assert_eq!(spool.accept(&command(task), i64::MAX, 1).unwrap(), Accepted::New);
    spool.start(task, 1).unwrap();
    spool.append_output(task, &[chunk(&"x".repeat(390))]).unwrap();
    assert_eq!(spool.accept(&command(Uuid::now_v7()), i64::MAX, 1).unwrap(), Accepted::Full);
    assert!(spool.finish(succeeded(task)).unwrap());
    spool.acknowledge_result(task).unwrap();
    assert_eq!(spool.accept(&command(Uuid::now_v7()), i64::MAX, 1).unwrap(), Accepted::New);
}

#[test]
fn ids_are_forgotten_only_after_deadline_and_retention() {
    const DAY: i64 = 24 * 3600 * 1000;
    let (_folder, spool) =
        open(Limits { retention: Duration::from_secs(2 * 24 * 3600), ..Limits::default() });
    let (done, open) = (Uuid::now_v7(), Uuid::now_v7());
    spool.accept(&command(done), 10 * DAY, 1).unwrap();
    spool.start(done, 2).unwrap();
    spool.finish(succeeded(done)).unwrap();
    spool.acknowledge_result(done).unwrap();
    spool.accept(&command(open), 1, 1).unwrap();
    assert_eq!(spool.sweep(11 * DAY).unwrap(), 0);
    assert_eq!(spool.sweep(12 * DAY + 1).unwrap(), 1);
    assert!(spool.record(done).unwrap().is_none());
    assert!(spool.record(open).unwrap().is_some(), "what is not acknowledged is never forgotten");
}

#[derive(Debug, Clone)]
enum Step {
    Accept,
    Start,
    Append(usize),
    AcknowledgeOutput(u64),
    Finish,
    Acknowledge,
    Recover,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Accept),
        Just(Step::Start),
        (1..300_usize).prop_map(Step::Append),
        (0..6_u64).prop_map(Step::AcknowledgeOutput),
        Just(Step::Finish),
        Just(Step::Acknowledge),
        Just(Step::Recover),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_calls_starts_a_task_twice_or_miscounts(steps in proptest::collection::vec((0..3_usize, step()), 1..30)) {
        let (_folder, spool) = open(Limits { max_bytes: 2000, max_output_bytes: 700, ..Limits::default() });
        let tasks = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
        let mut starts = [0; 3];
        for (which, step) in steps {
            let task = tasks[which];
            match step {
                Step::Accept => { spool.accept(&command(task), i64::MAX, 1).unwrap(); }
                Step::Start => starts[which] += usize::from(spool.start(task, 1).unwrap()),
                Step::Append(size) => { spool.append_output(task, &[chunk(&"y".repeat(size))]).unwrap(); }
                Step::AcknowledgeOutput(last) => spool.acknowledge_output(task, last).unwrap(),
                Step::Finish => { spool.finish(succeeded(task)).unwrap(); }
                Step::Acknowledge => spool.acknowledge_result(task).unwrap(),
                Step::Recover => { spool.recover(5).unwrap(); }
            }
            prop_assert!(starts[which] <= 1);
        }
        for task in tasks {
            spool.recover(5).unwrap();
            spool.start(task, 1).unwrap();
            spool.finish(succeeded(task)).unwrap();
            spool.acknowledge_result(task).unwrap();
        }
        prop_assert_eq!(spool.waiting_bytes().unwrap(), 0);
    }
}
