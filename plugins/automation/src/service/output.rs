//! Output of runs: of one machine in pieces, and of all of them live. The host keeps it; nothing is copied here.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use plugin_sdk::{
    Ctx,
    payloads::operations::{OutputChunk, OutputRequest},
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Service, runs::state_of};
use crate::{
    entities::run_target,
    error::{Error, Result},
    model::{limits, run_state::parse_task_state},
    permissions,
    store::{self, targets::Filter},
    views::RunView,
};

/// Longest wait between two looks of a live stream.
const LOOK: Duration = Duration::from_millis(400);
/// Silence after which a comment keeps the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes read of one machine at a time.
const READ_BYTES: u32 = 64 * 1024;

/// Which part of a machine's output.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputQuery {
    /// Continue after this number; 0 from the start.
    pub after: u64,
    /// At most so many bytes.
    pub limit_bytes: Option<u32>,
}

/// Part of a machine's output.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MachineOutput {
    /// Machine.
    pub machine_id: Uuid,
    /// Pieces in order.
    pub pieces: Vec<Piece>,
    /// Where to continue.
    pub next_after: u64,
    /// Whether nothing follows.
    pub complete: bool,
    /// Whether a limit cut it.
    pub truncated: bool,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Piece {
    /// Number within the machine's output.
    pub seq: u64,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// Text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The bytes, when `text` is not exactly them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<String>,
}

impl From<OutputChunk> for Piece {
    fn from(chunk: OutputChunk) -> Self {
        let bytes = BASE64_STANDARD.decode(&chunk.data_base64).unwrap_or_default();
        let (text, data_base64) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(e) => (String::from_utf8_lossy(e.as_bytes()).into_owned(), Some(chunk.data_base64)),
        };
        Self { seq: chunk.seq, stream: chunk.stream, text, data_base64 }
    }
}

/// Text of a chunk.
pub(super) fn text_of(data_base64: &str) -> String {
    String::from_utf8_lossy(&BASE64_STANDARD.decode(data_base64).unwrap_or_default()).into_owned()
}

impl Service {
    /// Output of a run on one machine.
    pub async fn machine_output(
        &self,
        ctx: &Ctx,
        run_id: Uuid,
        machine_id: Uuid,
        query: OutputQuery,
    ) -> Result<MachineOutput> {
        ctx.require(permissions::RUNS_READ)?;
        self.seen_run(ctx, run_id).await?;
        let found = store::targets::on_machine(&self.db, run_id, machine_id).await?;
        let target = found.ok_or_else(|| Error::not_found("machine of this run", machine_id))?;
        let Some(task_id) = target.task_id.clone() else {
            let complete = is_final(&target);
            return Ok(MachineOutput {
                machine_id,
                pieces: vec![],
                next_after: 0,
                complete,
                truncated: false,
            });
        };
        let limit_bytes = query.limit_bytes.unwrap_or(READ_BYTES).clamp(1, 1 << 20);
        let request = OutputRequest { task_id, after: query.after, limit_bytes };
        let output = self.host.operations().output(&request).await?;
        Ok(MachineOutput {
            machine_id,
            next_after: output.chunks.last().map_or(query.after, |c| c.seq),
            pieces: output.chunks.into_iter().map(Piece::from).collect(),
            complete: output.complete,
            truncated: output.truncated || target.truncated,
        })
    }

    /// Follow a run, or one of its machines after a number: lines of an event stream until it ends.
    pub async fn follow(
        self: &Arc<Self>,
        ctx: &Ctx,
        run_id: Uuid,
        machine_id: Option<Uuid>,
        after: u64,
    ) -> Result<mpsc::Receiver<String>> {
        ctx.require(permissions::RUNS_READ)?;
        let row = self.seen_run(ctx, run_id).await?;
        if machine_id.is_none() && row.targets > limits::STREAM_MACHINES as i64 {
            let text = format!("a stream follows at most {} machines; name one", limits::STREAM_MACHINES);
            return Err(Error::invalid("machine_id", text));
        }
        let (sender, receiver) = mpsc::channel(16);
        let follower = Follower {
            service: Arc::clone(self),
            run_id,
            machine_id,
            sender,
            after,
            tasks: HashMap::new(),
            done: HashSet::new(),
        };
        let spawned = self.host.runtime().spawn(follower.run());
        match spawned {
            Some(_) => Ok(receiver),
            None => {
                Err(plugin_sdk::EngineError::new("unavailable", "The engine has no thread for a stream.")
                    .into())
            }
        }
    }
}

fn is_final(target: &run_target::Model) -> bool {
    parse_task_state(&target.state).is_some_and(|s| s.is_final())
}

/// How far one machine was followed.
#[derive(Default)]
struct Cursor {
    state: String,
    after: u64,
    /// Beginnings of characters whose rest has not come yet: of stdout and stderr.
    partial: [Vec<u8>; 2],
}

struct Follower {
    service: Arc<Service>,
    run_id: Uuid,
    machine_id: Option<Uuid>,
    sender: mpsc::Sender<String>,
    after: u64,
    tasks: HashMap<Uuid, Cursor>,
    done: HashSet<Uuid>,
}

/// The client went away.
struct Gone;

impl Follower {
    async fn run(mut self) {
        let until = Instant::now() + Duration::from_secs(limits::STREAM_S);
        let mut changed = self.service.changed.subscribe();
        let mut quiet = Instant::now();
        while Instant::now() < until {
            match self.look().await {
                Ok(Ok(Look { ended: true, .. })) | Ok(Err(Gone)) => return,
                Ok(Ok(Look { spoke: true, .. })) => quiet = Instant::now(),
                Ok(Ok(_)) => {}
                Err(error) => {
                    tracing::warn!(%error, run.id = %self.run_id, "a live stream broke off");
                    let _ = self.send("error", None, json!({ "code": "unavailable" })).await;
                    return;
                }
            }
            if quiet.elapsed() > KEEP_ALIVE {
                quiet = Instant::now();
                if self.sender.send(": still here\n\n".into()).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = self.sender.closed() => return,
            }
        }
    }

    async fn look(&mut self) -> Result<Result<Look, Gone>> {
        let Some(row) = store::runs::get(&self.service.db, self.run_id).await? else {
            return Ok(Ok(Look { ended: true, spoke: false }));
        };
        let ended = state_of(&row).is_final();
        let machine_ids = self.machine_id.into_iter().collect();
        let filter = Filter { machine_ids, ..Filter::default() };
        let most = limits::STREAM_MACHINES as u64;
        let targets = store::targets::list(&self.service.db, self.run_id, &filter, None, most).await?;
        let mut spoke = false;
        for target in &targets {
            if self.done.contains(&target.machine_id) {
                continue;
            }
            match self.look_at(target).await? {
                Ok(said) => spoke |= said,
                Err(Gone) => return Ok(Err(Gone)),
            }
        }
        // One machine is followed to its end; a run to its own.
        let all_done = targets.iter().all(|t| self.done.contains(&t.machine_id));
        if all_done && (ended || self.machine_id.is_some()) {
            let view = RunView::from(row);
            let data = json!({ "run_id": view.id, "state": view.state, "counts": view.counts });
            return Ok(self.send("end", None, data).await.map(|()| Look { ended: true, spoke: true }));
        }
        Ok(Ok(Look { ended: false, spoke }))
    }

    async fn look_at(&mut self, target: &run_target::Model) -> Result<Result<bool, Gone>> {
        let after = if self.machine_id.is_some() { self.after } else { 0 };
        let mut cursor =
            self.tasks.remove(&target.machine_id).unwrap_or_else(|| Cursor { after, ..Cursor::default() });
        let mut spoke = false;
        if cursor.state != target.state {
            cursor.state.clone_from(&target.state);
            let data = json!({
                "machine_id": target.machine_id, "machine_name": target.machine_name, "state": target.state,
                "exit_code": target.exit_code, "error_code": target.error_code,
            });
            if self.send("state", None, data).await.is_err() {
                return Ok(Err(Gone));
            }
            spoke = true;
        }
        let mut complete = target.task_id.is_none() && is_final(target);
        if let Some(task_id) = &target.task_id {
            let request =
                OutputRequest { task_id: task_id.clone(), after: cursor.after, limit_bytes: READ_BYTES };
            let output = self.service.host.operations().output(&request).await?;
            complete = output.complete && is_final(target);
            for chunk in output.chunks {
                cursor.after = chunk.seq;
                spoke = true;
                if self.piece(target, &mut cursor, &chunk).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
        }
        if complete {
            self.done.insert(target.machine_id);
        } else {
            self.tasks.insert(target.machine_id, cursor);
        }
        Ok(Ok(spoke))
    }

    async fn piece(
        &self,
        target: &run_target::Model,
        cursor: &mut Cursor,
        chunk: &OutputChunk,
    ) -> Result<(), Gone> {
        let bytes = BASE64_STANDARD.decode(&chunk.data_base64).unwrap_or_default();
        let partial = &mut cursor.partial[usize::from(chunk.stream == "stderr")];
        let data = json!({
            "machine_id": target.machine_id, "machine_name": target.machine_name, "stream": chunk.stream,
            "seq": chunk.seq, "text": decode(partial, &bytes),
        });
        // A number resumes one machine; of several there is no single one.
        self.send("output", self.machine_id.map(|_| chunk.seq), data).await
    }

    async fn send(&self, event: &str, id: Option<u64>, data: Value) -> Result<(), Gone> {
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        let frame = format!("event: {event}\n{id}data: {data}\n\n");
        self.sender.send(frame).await.map_err(|_| Gone)
    }
}

/// What one look found.
struct Look {
    ended: bool,
    spoke: bool,
}

/// Text of bytes whose characters may be cut: an unfinished one waits in `partial`.
fn decode(partial: &mut Vec<u8>, bytes: &[u8]) -> String {
    partial.extend_from_slice(bytes);
    let keep = match std::str::from_utf8(partial) {
        Ok(_) => 0,
        Err(_) => {
            // A character is unfinished only at the very end, in at most three bytes.
            let tail = &partial[partial.len().saturating_sub(3)..];
            (1..=tail.len())
                .find(|n| {
                    let last = &tail[tail.len() - n..];
                    std::str::from_utf8(last).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
                })
                .unwrap_or(0)
        }
    };
    let rest = partial.split_off(partial.len() - keep);
    let text = String::from_utf8_lossy(partial).into_owned();
    *partial = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_cut_in_two_is_whole_again() {
        let mut partial = Vec::new();
        let bytes = "aé€😀z".as_bytes();
        let mut text = String::new();
        for byte in bytes {
            text.push_str(&decode(&mut partial, &[*byte]));
        }
        assert_eq!(text, "aé€😀z");
        assert_eq!(decode(&mut partial, b"\xff\xfeok"), "\u{fffd}\u{fffd}ok");
    }
}
