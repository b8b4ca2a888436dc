//! Where files come from: the portal (the host brings HTTP), a folder, a bundle.

use std::{io, path::PathBuf};

use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream, stream::BoxStream};
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};

/// A file of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location<'a> {
    /// Metadata, by its name: `timestamp.json`, `3.root.json`.
    Metadata(&'a str),
    /// A target, by its name in consistent snapshots: `engines/a/1.0.0/<sha256>.x86_64-unknown-linux-gnu.engine`.
    Target(&'a str),
}

/// Bytes as they come.
pub type Body = BoxStream<'static, Result<Bytes, TransportError>>;

/// The answer of a transport.
pub struct Fetched {
    /// The place that the body begins at: what was asked for, or 0 when the other side cannot begin elsewhere.
    pub from: u64,
    /// The bytes.
    pub body: Body,
}

/// Why a file does not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The other side does not give it.
    #[error("{detail}")]
    Refused {
        /// Its code, such as `license_required`.
        code: String,
        /// Its words.
        detail: String,
    },
    /// It cannot be reached.
    #[error("{0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::NotFound } else { Self::Failed(error.into()) }
    }
}

/// Whoever fetches files. It need not check or bound anything: the client does.
pub trait Transport: Send + Sync {
    /// A file from byte `from` on.
    fn fetch<'a>(
        &'a self,
        location: Location<'a>,
        from: u64,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>>;
}

/// A repository in a folder, with `metadata/` and `targets/` as the portal serves them.
#[derive(Debug, Clone)]
pub struct FolderTransport(PathBuf);

impl FolderTransport {
    /// A repository in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }
}

impl Transport for FolderTransport {
    fn fetch<'a>(
        &'a self,
        location: Location<'a>,
        from: u64,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        // Names were checked by whoever asks: they cannot lead out of the folder.
        let path = match location {
            Location::Metadata(name) => self.0.join("metadata").join(name),
            Location::Target(name) => self.0.join("targets").join(name),
        };
        Box::pin(async move {
            let file = tokio::fs::File::open(path).await?;
            let length = file.metadata().await?.len();
            part(file, from.min(length), length).await
        })
    }
}

/// The bytes of a file from `from` up to `end`.
pub(crate) async fn part(mut file: tokio::fs::File, from: u64, end: u64) -> Result<Fetched, TransportError> {
    file.seek(SeekFrom::Start(from)).await?;
    let rest = file.take(end.saturating_sub(from));
    let body = stream::try_unfold(rest, async |mut rest| {
        let mut piece = vec![0; 64 << 10];
        let read = rest.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(piece), rest)))
    });
    Ok(Fetched { from, body: body.boxed() })
}
