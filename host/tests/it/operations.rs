//! Operations: nothing lost, nothing run twice.

use std::time::Duration;

use agent_protocol::{
    Frame,
    task::{Cancel, Command, CommandAccepted, Outcome, Output, Started, Stream, TaskResult},
};
use agent_sim::{Agent, Identity, Link};
use plugin_api::services::operations::TaskState;
use serde_bytes::ByteBuf;
use sysmanage::operations::{NewOperation, OperationError, Targets};
use uuid::Uuid;

use crate::agent_host::{AgentHost, ctx, until};

async fn greeted(host: &AgentHost, identity: &Identity) -> Link {
    Agent::new(identity.clone()).connect(&host.server).await.unwrap().0
}

async fn command(link: &mut Link) -> Command {
    link.hear_until(|f| match f {
        Frame::Command(c) => Some(c),
        _ => None,
    })
    .await
    .unwrap()
}

fn result(task_id: Uuid, outcome: Outcome) -> TaskResult {
    TaskResult {
        task_id,
        outcome,
        payload: ByteBuf::from(b"{\"n\":1}".to_vec()),
        error: None,
        started_at: None,
        finished_at: 0,
        output_chunks: 0,
    }
}

fn output(task_id: Uuid, seq: u64, text: &str) -> Output {
    Output { task_id, seq, stream: Stream::Stdout, data: ByteBuf::from(text.as_bytes().to_vec()) }
}

async fn acked(link: &mut Link, task: Uuid) {
    link.hear_until(|f| matches!(f, Frame::ResultAck(a) if a.task_id == task).then_some(())).await.unwrap();
}

#[tokio::test]
async fn a_command_runs_on_every_machine_and_its_output_is_kept() {
    let host = AgentHost::start().await;
    let mut machines = Vec::new();
    for name in ["a", "b", "c"] {
        machines.push(host.behaving(name).await.0);
    }
    let operation = host.ping(machines).await;
    let finished = host.finished(operation).await;
    assert_eq!(finished.counts.get(&TaskState::Succeeded), Some(&3));
    let task = host.the_task(operation).await;
    assert_eq!(task.result, Some(serde_json::json!({"pretended": true})));
    let output = host.app.operations.outputs(&ctx(), task.id, 0, 0).await.unwrap();
    assert!(output.complete);
    assert_eq!(output.chunks[0].text, format!("{} ran core.ping\n", task.machine_name));
    let rest = host.app.operations.outputs(&ctx(), task.id, 1, 0).await.unwrap();
    assert!(rest.complete && rest.chunks.is_empty());
}

#[tokio::test]
async fn a_connection_that_dies_at_any_frame_loses_nothing_and_repeats_nothing() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let mut agent = Agent::new(identity);
    for frames in 0..6 {
        let operation = host.ping(vec![id]).await;
        let (mut link, _) = agent.connect(&host.server).await.unwrap();
        for _ in 0..frames {
            let heard = tokio::time::timeout(Duration::from_millis(300), link.hear()).await;
            let Ok(Ok(Some(frame))) = heard else { break };
            agent.answer(&mut link, frame).await.unwrap();
        }
        link.drop_dead();
        let (link, beat) = agent.connect(&host.server).await.unwrap();
        let finished = tokio::select! {
            _ = agent.behave(link, beat) => panic!("the session ended"),
            finished = host.finished(operation) => finished,
        };
        assert_eq!(finished.counts.get(&TaskState::Succeeded), Some(&1), "after {frames} frames");
    }
    assert!(agent.seen.executed.values().all(|n| *n == 1));
    assert_eq!(agent.seen.executed.len(), 6);
}

#[tokio::test]
async fn a_command_is_sent_again_under_its_id_until_it_is_accepted_and_never_after() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let operation = host.ping(vec![id]).await;
    let mut link = greeted(&host, &identity).await;
    let first = command(&mut link).await;
    link.drop_dead();
    let mut link = greeted(&host, &identity).await;
    let second = command(&mut link).await;
    assert_eq!((second.task_id, second.deadline), (first.task_id, first.deadline));
    assert_eq!((first.attempt, second.attempt), (1, 2));
    link.say(CommandAccepted { task_id: first.task_id, duplicate: false }).await.unwrap();
    link.say(Started { task_id: first.task_id, at: 0 }).await.unwrap();
    until("running", || async { host.the_task(operation).await.state == TaskState::Running }).await;
    // The agent comes back and has forgotten: the command is not run again.
    link.drop_dead();
    let _link = greeted(&host, &identity).await;
    let finished = host.finished(operation).await;
    assert_eq!(finished.counts.get(&TaskState::NoAnswer), Some(&1));
}

#[tokio::test]
async fn a_result_that_comes_twice_is_acknowledged_twice_and_kept_once() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let operation = host.ping(vec![id]).await;
    let mut link = greeted(&host, &identity).await;
    let task = command(&mut link).await.task_id;
    for outcome in [Outcome::Succeeded, Outcome::Failed] {
        link.say(result(task, outcome)).await.unwrap();
        acked(&mut link, task).await;
    }
    let task = host.the_task(operation).await;
    assert_eq!((task.state, task.late_result), (TaskState::Succeeded, None));
}

#[tokio::test]
async fn a_machine_cannot_speak_for_another() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("victim").await;
    let (liar, _) = host.machine("liar").await;
    let operation = host.ping(vec![id]).await;
    let mut link = greeted(&host, &identity).await;
    let task = command(&mut link).await.task_id;
    let mut other = greeted(&host, &liar).await;
    other.say(output(task, 0, "lies")).await.unwrap();
    other.say(result(task, Outcome::Failed)).await.unwrap();
    acked(&mut other, task).await;
    let seen = host.the_task(operation).await;
    assert_eq!((seen.state, seen.output_chunks), (TaskState::Dispatched, 0));
}

#[tokio::test]
async fn output_is_stored_once_and_in_order() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let operation = host.ping(vec![id]).await;
    let mut link = greeted(&host, &identity).await;
    let task = command(&mut link).await.task_id;
    for (seq, text) in [(0, "a"), (0, "a"), (2, "gap"), (1, "b"), (0, "a")] {
        link.say(output(task, seq, text)).await.unwrap();
    }
    link.hear_until(|f| matches!(f, Frame::OutputAck(a) if a.seq == 1).then_some(())).await.unwrap();
    link.say(result(task, Outcome::Succeeded)).await.unwrap();
    host.finished(operation).await;
    let output = host.app.operations.outputs(&ctx(), task, 0, 0).await.unwrap();
    let texts: Vec<_> = output.chunks.iter().map(|c| (c.seq, c.text.as_str())).collect();
    assert_eq!(texts, [(1, "a"), (2, "b")]);
}

#[tokio::test]
async fn a_flood_of_output_is_cut_with_a_mark() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let operation = host.ping(vec![id]).await;
    let mut link = greeted(&host, &identity).await;
    let task = command(&mut link).await.task_id;
    let chunk = "x".repeat(32 * 1024);
    for seq in 0..140 {
        link.say(output(task, seq, &chunk)).await.unwrap();
    }
    link.hear_until(|f| matches!(f, Frame::OutputAck(a) if a.full).then_some(())).await.unwrap();
    link.say(result(task, Outcome::Succeeded)).await.unwrap();
    host.finished(operation).await;
    let task = host.the_task(operation).await;
    assert!(task.output_truncated);
    assert!(task.output_bytes < 4 * 1024 * 1024 + 100, "{}", task.output_bytes);
    let last = host.app.operations.outputs(&ctx(), task.id, task.output_chunks as u64 - 1, 0).await.unwrap();
    assert!(last.truncated && last.chunks[0].text.contains("keeps no more"));
}

#[tokio::test]
async fn a_machine_that_does_not_come_is_never_dispatched() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("away").await;
    let operation = host.ping(vec![id]).await;
    host.clock.advance(chrono::Duration::seconds(3601));
    let finished = host.finished(operation).await;
    assert_eq!(finished.counts.get(&TaskState::NeverDispatched), Some(&1));
    // Too late: nothing is sent.
    let mut link = greeted(&host, &identity).await;
    host.app.operations.settled().await;
    assert!(
        tokio::time::timeout(Duration::from_millis(200), async {
            loop {
                if let Ok(Some(Frame::Command(c))) = link.hear().await {
                    return c;
                }
            }
        })
        .await
        .is_err()
    );
}

#[tokio::test]
async fn a_result_after_the_deadline_is_late_evidence() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("slow").await;
    let operation = host.ping(vec![id]).await;
    let mut link = greeted(&host, &identity).await;
    let task = command(&mut link).await.task_id;
    host.clock.advance(chrono::Duration::seconds(616));
    let finished = host.finished(operation).await;
    assert_eq!(finished.counts.get(&TaskState::NoAnswer), Some(&1));
    link.say(result(task, Outcome::Succeeded)).await.unwrap();
    acked(&mut link, task).await;
    let task = host.the_task(operation).await;
    assert_eq!(task.state, TaskState::NoAnswer);
    assert_eq!(task.late_result.unwrap()["result"], serde_json::json!({"n": 1}));
}

#[tokio::test]
async fn the_same_key_never_makes_two_operations() {
    let host = AgentHost::start().await;
    let (_, id) = host.machine("web-1").await;
    let new = |command: &str| NewOperation {
        idempotency_key: Some("once".into()),
        ..NewOperation::core(command, "Once", Targets::Machines(vec![id]))
    };
    let (context, operations) = (ctx(), &host.app.operations);
    let (a, b) = tokio::join!(
        operations.create(&context, new("core.ping")),
        operations.create(&context, new("core.ping"))
    );
    let first = a.unwrap();
    assert_eq!(first, b.unwrap());
    assert_eq!(first, operations.create(&context, new("core.ping")).await.unwrap());
    let other = operations.create(&context, new("core.refresh_inventory")).await;
    assert!(matches!(other, Err(OperationError::KeyReused)));
}

#[tokio::test]
async fn cancelling_stops_what_waits_and_asks_what_runs() {
    let host = AgentHost::start().await;
    let (identity, running) = host.machine("running").await;
    let (_, away) = host.machine("away").await;
    let mut link = greeted(&host, &identity).await;
    let operation = host.ping(vec![running, away]).await;
    let task = command(&mut link).await.task_id;
    link.say(CommandAccepted { task_id: task, duplicate: false }).await.unwrap();
    link.say(Started { task_id: task, at: 0 }).await.unwrap();
    until("running", || async {
        let seen = host.app.operations.get(&ctx(), operation).await.unwrap();
        seen.counts.contains_key(&TaskState::Running)
    })
    .await;
    assert_eq!(host.app.operations.cancel(&ctx(), operation, None).await.unwrap(), 2);
    let asked = link.hear_until(|f| match f {
        Frame::Cancel(Cancel { task_id }) => Some(task_id),
        _ => None,
    });
    assert_eq!(asked.await.unwrap(), task);
    let seen = host.app.operations.get(&ctx(), operation).await.unwrap();
    assert_eq!(seen.counts.get(&TaskState::Cancelled), Some(&1));
    link.say(result(task, Outcome::Cancelled)).await.unwrap();
    let finished = host.finished(operation).await;
    assert_eq!(finished.counts.get(&TaskState::Cancelled), Some(&2));
    assert!(finished.cancelled_at.is_some());
}

#[tokio::test]
async fn what_failed_runs_again_as_a_new_operation() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let mut link = greeted(&host, &identity).await;
    let first = host.ping(vec![id]).await;
    let task = command(&mut link).await.task_id;
    let nothing = host.app.operations.retry(&ctx(), first, &[], &[], None).await;
    assert!(matches!(nothing, Err(OperationError::NothingToRetry)));
    link.say(result(task, Outcome::Failed)).await.unwrap();
    host.finished(first).await;
    let second = host.app.operations.retry(&ctx(), first, &[], &[], None).await.unwrap();
    let again = command(&mut link).await.task_id;
    assert_ne!(again, task);
    link.say(result(again, Outcome::Succeeded)).await.unwrap();
    assert_eq!(host.finished(second).await.retry_of, Some(first));
    assert_eq!(host.the_task(second).await.retry_of, Some(task));
}

#[tokio::test]
async fn no_more_tasks_run_at_once_than_allowed() {
    let host = AgentHost::start().await;
    let mut links = Vec::new();
    let mut machines = Vec::new();
    for name in ["a", "b", "c"] {
        let (identity, id) = host.machine(name).await;
        links.push(greeted(&host, &identity).await);
        machines.push(id);
    }
    host.app.operations.settled().await;
    let new = NewOperation {
        concurrency: 1,
        ..NewOperation::core("core.ping", "One by one", Targets::Selector("tag:test".into()))
    };
    let operation = host.app.operations.create(&ctx(), new).await.unwrap();
    for done in 0..3 {
        host.app.operations.settled().await;
        let seen = host.app.operations.get(&ctx(), operation).await.unwrap();
        assert_eq!(seen.counts.get(&TaskState::Dispatched), Some(&1), "after {done}");
        let page =
            host.app.operations.tasks(&ctx(), operation, &[TaskState::Dispatched], None, 10).await.unwrap();
        let task = &page.items[0];
        let at = machines.iter().position(|m| *m == task.machine_id).unwrap();
        links[at].say(result(task.id, Outcome::Succeeded)).await.unwrap();
        acked(&mut links[at], task.id).await;
    }
    host.finished(operation).await;
}

#[tokio::test]
async fn an_operation_survives_a_restart_of_the_host() {
    let host = AgentHost::start().await;
    let (identity, id) = host.machine("web-1").await;
    let (_, away) = host.machine("away").await;
    let operation = host.ping(vec![id, away]).await;
    let mut link = greeted(&host, &identity).await;
    let task = command(&mut link).await.task_id;
    link.drop_dead();
    let host = host.restart().await;
    let mut link = greeted(&host, &identity).await;
    let again = command(&mut link).await;
    assert_eq!(again.task_id, task);
    link.say(result(task, Outcome::Succeeded)).await.unwrap();
    acked(&mut link, task).await;
    let seen = host.app.operations.get(&ctx(), operation).await.unwrap();
    assert_eq!(seen.counts.get(&TaskState::Succeeded), Some(&1));
    assert_eq!(seen.counts.get(&TaskState::Queued), Some(&1));
}

#[tokio::test]
async fn removing_a_machine_ends_its_tasks() {
    let host = AgentHost::start().await;
    let (_, id) = host.machine("web-1").await;
    let operation = host.ping(vec![id]).await;
    host.app.machines.delete(&ctx(), id).await.unwrap();
    host.app.operations.machine_gone(id).await;
    let finished = host.finished(operation).await;
    assert_eq!(finished.counts.get(&TaskState::Failed), Some(&1));
    assert_eq!(host.the_task(operation).await.error.unwrap().code, "machine_removed");
}

#[tokio::test]
async fn a_secret_reaches_the_machine_and_nothing_else() {
    let host = AgentHost::start().await;
    host.app.secrets.set(&ctx(), "database", "", "hunter2").await.unwrap();
    let (identity, id) = host.machine("web-1").await;
    let mut link = greeted(&host, &identity).await;
    let new = NewOperation {
        payload: serde_json::json!({"env": {"PASSWORD": null}}),
        secrets: vec![("/env/PASSWORD".into(), "database".into())],
        ..NewOperation::core("core.ping", "With a secret", Targets::Machines(vec![id]))
    };
    host.app.operations.create(&ctx(), new.clone()).await.unwrap();
    let payload = command(&mut link).await.payload;
    assert_eq!(payload.into_vec(), br#"{"env":{"PASSWORD":"hunter2"}}"#);
    let missing = NewOperation { secrets: vec![("/env/PASSWORD".into(), "absent".into())], ..new };
    let operation = host.app.operations.create(&ctx(), missing).await.unwrap();
    host.finished(operation).await;
    assert_eq!(host.the_task(operation).await.error.unwrap().code, "secret_unavailable");
}
