//! Output of running commands: numbered chunks that stay until the host has them.

use agent_protocol::task::Stream;
use redb::ReadableDatabase;
use uuid::Uuid;

use super::{META, OUTPUT, Record, Spool, SpoolError, State, TASKS, count, encode, get, waiting_bytes};

/// A piece of output, not yet numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Stream.
    pub stream: Stream,
    /// At most [`agent_protocol::limits::MAX_OUTPUT_CHUNK_BYTES`].
    pub data: Vec<u8>,
}

/// What became of appended output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Append {
    /// Bytes kept.
    pub kept: u64,
    /// Bytes dropped, because a limit was reached.
    pub dropped: u64,
}

impl Spool {
    /// Append output of a running task, all chunks in one transaction. What is past a limit is counted only.
    pub fn append_output(&self, task: Uuid, chunks: &[Chunk]) -> Result<Append, SpoolError> {
        let id = task.as_u128();
        let write = self.db.begin_write()?;
        let mut append = Append::default();
        {
            let mut tasks = write.open_table(TASKS)?;
            let Some(mut record) = get::<Record>(&tasks, id)? else { return Ok(append) };
            if record.state != State::Started {
                return Ok(append);
            }
            let mut waiting = waiting_bytes(&write.open_table(META)?)?;
            let mut output = write.open_table(OUTPUT)?;
            for chunk in chunks {
                let size = chunk.data.len() as u64;
                record.taken[usize::from(chunk.stream == Stream::Stderr)] += size;
                let fits = record.output_bytes + size <= self.limits.max_output_bytes
                    && waiting + size <= self.limits.max_bytes;
                // Once something is missing the rest is dropped too: no holes in what people read.
                if record.dropped_bytes > 0 || !fits {
                    record.dropped_bytes += size;
                    append.dropped += size;
                    continue;
                }
                output.insert((id, record.next_chunk), pack(chunk).as_slice())?;
                record.next_chunk += 1;
                record.output_bytes += size;
                waiting += size;
                append.kept += size;
            }
            drop(output);
            tasks.insert(id, encode(&record)?.as_slice())?;
            count(&write, append.kept as i64)?;
        }
        write.commit()?;
        Ok(append)
    }

    /// Say at the end of the output how much was not kept. One chunk past the limit, so that it always fits.
    pub fn note_dropped(&self, task: Uuid) -> Result<(), SpoolError> {
        let id = task.as_u128();
        let write = self.db.begin_write()?;
        {
            let mut tasks = write.open_table(TASKS)?;
            let Some(mut record) = get::<Record>(&tasks, id)? else { return Ok(()) };
            if record.state != State::Started || record.dropped_bytes == 0 {
                return Ok(());
            }
            let data = format!("\n[the agent did not keep {} more bytes of output]\n", record.dropped_bytes);
            let chunk = Chunk { stream: Stream::Stderr, data: data.into_bytes() };
            write.open_table(OUTPUT)?.insert((id, record.next_chunk), pack(&chunk).as_slice())?;
            record.next_chunk += 1;
            tasks.insert(id, encode(&record)?.as_slice())?;
            count(&write, chunk.data.len() as i64)?;
        }
        write.commit()?;
        Ok(())
    }

    /// Chunks from number `from` on, at most `bytes` of them but always one if there is one.
    pub fn output_from(&self, task: Uuid, from: u64, bytes: usize) -> Result<Vec<(u64, Chunk)>, SpoolError> {
        let id = task.as_u128();
        let mut chunks = Vec::new();
        let mut size = 0;
        for entry in self.db.begin_read()?.open_table(OUTPUT)?.range((id, from)..=(id, u64::MAX))? {
            let (key, value) = entry?;
            let Some(chunk) = unpack(value.value()) else { continue };
            size += chunk.data.len();
            if size > bytes && !chunks.is_empty() {
                break;
            }
            chunks.push((key.value().1, chunk));
        }
        Ok(chunks)
    }

    /// The host has every chunk up to and including `last`.
    pub fn acknowledge_output(&self, task: Uuid, last: u64) -> Result<(), SpoolError> {
        let write = self.begin_forgettable()?;
        let freed = remove(&write, task.as_u128(), last)?;
        if freed == 0 {
            return Ok(());
        }
        count(&write, -(freed as i64))?;
        write.commit()?;
        Ok(())
    }
}

/// Remove chunks up to and including `last`; returns their bytes.
pub(super) fn remove(write: &redb::WriteTransaction, id: u128, last: u64) -> Result<u64, SpoolError> {
    let mut output = write.open_table(OUTPUT)?;
    let mut freed = 0;
    output.retain_in((id, 0)..=(id, last), |_, value| {
        freed += value.len().saturating_sub(1) as u64;
        false
    })?;
    Ok(freed)
}

fn pack(chunk: &Chunk) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(chunk.data.len() + 1);
    bytes.push(match chunk.stream {
        Stream::Stdout => 1,
        Stream::Stderr => 2,
    });
    bytes.extend_from_slice(&chunk.data);
    bytes
}

fn unpack(bytes: &[u8]) -> Option<Chunk> {
    let (stream, data) = bytes.split_first()?;
    let stream = match stream {
        1 => Stream::Stdout,
        2 => Stream::Stderr,
        _ => return None,
    };
    Some(Chunk { stream, data: data.to_vec() })
}
