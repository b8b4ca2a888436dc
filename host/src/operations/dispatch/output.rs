//! Output of tasks: stored in order, once, up to a limit per task.

use agent_protocol::task::{Output, OutputAck, Stream};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    batch::{Batch, Showing},
    live::Live,
};
use crate::operations::entity::output;

/// Stored output per task, in bytes.
pub(crate) const MAX_OUTPUT_BYTES: u64 = 4 * 1024 * 1024;
const CUT: &str = "\n[the host keeps no more than 4 MiB of output]\n";

impl Live {
    pub(super) fn output(&mut self, machine: Uuid, chunk: Output, batch: &mut Batch) {
        let id = chunk.task_id;
        let now = batch.now;
        let Some(task) = self.own(machine, id) else {
            // The task has ended for the host: its agent need not send more.
            batch.frames.push((machine, OutputAck { task_id: id, seq: chunk.seq, full: true }.into()));
            return;
        };
        let totals = &mut task.output;
        if chunk.seq > totals.chunks && !totals.truncated {
            // A gap: what is missing comes again with the next connection.
            tracing::warn!(task.id = %id, expected = totals.chunks, got = chunk.seq, "output has a gap");
            return;
        }
        if chunk.seq == totals.chunks && !totals.truncated {
            let stream = match chunk.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            let mut data = chunk.data.into_vec();
            if totals.bytes + data.len() as u64 > MAX_OUTPUT_BYTES {
                data.truncate((MAX_OUTPUT_BYTES - totals.bytes) as usize);
                data.extend_from_slice(CUT.as_bytes());
                totals.truncated = true;
            }
            totals.chunks += 1;
            totals.bytes += data.len() as u64;
            // Stored and shown from 1, so that "after 0" means from the start.
            let seq = totals.chunks;
            batch.outputs.push(output::ActiveModel {
                task_id: Set(id),
                seq: Set(seq as i64),
                stream: Set(stream.into()),
                data: Set(data.clone()),
                at: Set(now),
            });
            batch.output_totals.insert(id, *totals);
            let operation = task.operation;
            batch.showings.push(Showing { operation, task: id, machine, seq, stream, data });
        }
        let Some(task) = self.own(machine, id) else { return };
        let (full, stored) = (task.output.truncated, task.output.chunks.saturating_sub(1));
        let seq = if full { stored.max(chunk.seq) } else { stored };
        batch.frames.push((machine, OutputAck { task_id: id, seq, full }.into()));
    }
}
