//! The frames.

use std::fmt;

use bytes::Bytes;
use plugin_api::EngineError;
use plugin_api::abi::{SqlBackend, SqlDone, SqlRows, SqlStatement, TxId};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::LogRecord;

/// Largest frame in bytes.
pub(crate) const MAX_FRAME: usize = 64 << 20;

/// Bytes that are written as bytes and not as a list of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Bytes);

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<Blob> for Vec<u8> {
    fn from(blob: Blob) -> Self {
        blob.0.into()
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Bin;
        impl Visitor<'_> for Bin {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(Bytes::copy_from_slice(bytes)))
            }
            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(bytes.into())
            }
        }
        d.deserialize_byte_buf(Bin)
    }
}

/// Headers by lower-case name.
pub(crate) type Headers = Vec<(String, Blob)>;

/// A body in a frame.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireBody {
    /// All of it.
    Full(Blob),
    /// [`Frame::Chunk`]s follow, then [`Frame::End`].
    Stream,
}

/// First frame: how to start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The signed manifest as JSON.
    pub(crate) manifest: Blob,
    /// Dialect, when SQL is granted.
    pub(crate) sql: Option<SqlBackend>,
    /// Names of the other granted services.
    pub(crate) services: Vec<String>,
    /// Most detailed level that is kept.
    pub(crate) log_level: u8,
    /// Address space in bytes.
    pub(crate) memory: u64,
    /// Threads that poll futures.
    pub(crate) threads: usize,
    /// Milliseconds the engine may take to start.
    pub(crate) start_ms: u64,
}

/// SQL asked by an engine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum SqlOp {
    Query(TxId, SqlStatement),
    Execute(TxId, SqlStatement),
    Begin(TxId),
    Commit(TxId),
    Rollback(TxId),
}

/// Answer to [`SqlOp`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum SqlAnswer {
    Rows(SqlRows),
    Done(SqlDone),
    Begun(TxId),
    Ended,
}

/// A message. Requests and calls are numbered by the host, service calls by the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Frame {
    // Host to worker.
    Start(Box<Start>),
    Request {
        id: u64,
        method: String,
        uri: String,
        headers: Headers,
        context: Blob,
        body: WireBody,
    },
    Call {
        id: u64,
        method: String,
        payload: Blob,
    },
    /// Let go of a request or call. Its last frame still comes, [`Frame::Released`] at the latest.
    Cancel {
        id: u64,
    },
    /// Asks for a sign of life; tells the level of logs that are kept.
    Ping {
        log_level: u8,
    },
    /// End the process.
    Stop,
    Reply {
        id: u64,
        result: Result<Blob, EngineError>,
    },
    SqlReply {
        id: u64,
        result: Result<SqlAnswer, EngineError>,
    },

    // Worker to host.
    /// The engine is up; its description as JSON, and what of the sandbox this kernel lacks.
    Ready {
        description: Blob,
        remarks: Vec<String>,
    },
    /// The engine did not start. `refusal` names a refusal of the loader.
    Failed {
        refusal: bool,
        error: EngineError,
    },
    /// Head of an answer; the request's last frame when the body is whole.
    Head {
        id: u64,
        status: u16,
        headers: Headers,
        body: WireBody,
    },
    /// Answer of a call; its last frame.
    Answer {
        id: u64,
        result: Result<Blob, EngineError>,
    },
    /// Last frame of what was cancelled.
    Released {
        id: u64,
    },
    Pong,
    Service {
        id: u64,
        name: String,
        method: String,
        payload: Blob,
    },
    Sql {
        id: u64,
        op: SqlOp,
    },
    SqlAbandon {
        tx: TxId,
    },
    /// The reply to a service call is no longer wanted.
    Forget {
        id: u64,
    },
    Log(LogRecord),

    // Both: bodies of requests go to the worker, of answers to the host.
    Chunk {
        id: u64,
        data: Blob,
    },
    /// End of a body, with what broke it; a streaming answer's last frame.
    End {
        id: u64,
        error: Option<String>,
    },
    /// The reader has room for so many more bytes.
    Credit {
        id: u64,
        bytes: u32,
    },
    /// The reader wants no more of a request's body.
    BodyDropped {
        id: u64,
    },
}
