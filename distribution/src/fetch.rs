//! One file of metadata fetched: never more bytes than allowed, never longer than allowed.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use crate::{DistributionError, Limits, Location, Transport, TransportError};

/// A file of metadata; none when the repository has none of this name.
pub(crate) async fn metadata(
    transport: &dyn Transport,
    file: &str,
    limit: u64,
    limits: &Limits,
) -> Result<Option<Vec<u8>>, DistributionError> {
    let whole = whole(transport, Location::Metadata(file), file, limit);
    within(limits.metadata_time, file, whole).await?
}

/// A whole file in memory.
pub(crate) async fn whole(
    transport: &dyn Transport,
    location: Location<'_>,
    file: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, DistributionError> {
    let mut fetched = match transport.fetch(location, 0).await {
        Err(TransportError::NotFound) => return Ok(None),
        answer => answer.map_err(|source| unreachable(file, source))?,
    };
    let mut bytes = Vec::new();
    while let Some(piece) = fetched.body.next().await {
        let piece = piece.map_err(|source| unreachable(file, source))?;
        if piece.len() as u64 > limit - bytes.len() as u64 {
            return Err(DistributionError::TooLong { file: file.to_owned(), limit });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes))
}

/// What `work` answers, unless it takes too long.
pub(crate) async fn within<T>(
    time: Duration,
    file: &str,
    work: impl Future<Output = T>,
) -> Result<T, DistributionError> {
    let late = |_| DistributionError::Stalled { file: file.to_owned(), seconds: time.as_secs() };
    timeout(time, work).await.map_err(late)
}

pub(crate) fn unreachable(file: &str, source: TransportError) -> DistributionError {
    DistributionError::Unreachable { file: file.to_owned(), source }
}
