//! Sends an engine package, from any byte on, so that an agent can go on where it was cut off.

use std::io::SeekFrom;

use axum::{body::Body, response::Response};
use http::{HeaderMap, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::PackageFile;
use crate::problem::Problem;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// The first and last byte to send; `None` for the whole, an error for a range outside the file.
fn range(headers: &HeaderMap, size: u64) -> Result<Option<(u64, u64)>, ()> {
    let Some(text) = headers.get(header::RANGE).and_then(|v| v.to_str().ok()) else { return Ok(None) };
    // Several ranges, and suffixes, may be answered with the whole.
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|r| r.split_once('-')) else {
        return Ok(None);
    };
    let Ok(from) = from.parse::<u64>() else { return Ok(None) };
    let last = size.saturating_sub(1);
    let to = match to {
        "" => last,
        to => match to.parse::<u64>() {
            Ok(to) => to.min(last),
            Err(_) => return Ok(None),
        },
    };
    if from >= size || from > to { Err(()) } else { Ok(Some((from, to))) }
}

pub(super) async fn answer(file: PackageFile, headers: &HeaderMap) -> Result<Response, Problem> {
    let etag = format!("\"{}\"", file.digest);
    // A range of another version of the file would make a file that never was.
    let same = headers.get(header::IF_RANGE).is_none_or(|v| v.as_bytes() == etag.as_bytes());
    let wanted = if same { range(headers, file.size) } else { Ok(None) };
    let Ok(wanted) = wanted else {
        let detail = format!("The package has {} bytes.", file.size);
        return Err(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail));
    };
    let mut reader = tokio::fs::File::open(&file.path).await.map_err(Problem::internal)?;
    let (from, to) = wanted.unwrap_or((0, file.size.saturating_sub(1)));
    let length = if file.size == 0 { 0 } else { to - from + 1 };
    reader.seek(SeekFrom::Start(from)).await.map_err(Problem::internal)?;
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag);
    if wanted.is_some() {
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, format!("bytes {from}-{to}/{}", file.size));
    }
    let body = Body::from_stream(ReaderStream::with_capacity(reader.take(length), CHUNK));
    response.body(body).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(header::RANGE, text.parse().expect("a value"))]);
            range(&headers, 100)
        };
        assert_eq!(of("bytes=10-"), Ok(Some((10, 99))));
        assert_eq!(of("bytes=0-0"), Ok(Some((0, 0))));
        assert_eq!(of("bytes=90-500"), Ok(Some((90, 99))));
        assert_eq!(of("bytes=100-"), Err(()));
        assert_eq!(of("bytes=9-8"), Err(()));
        for whole in ["bytes=-5", "lines=1-2", "bytes=1-2,4-5", "bytes=x-"] {
            assert_eq!(of(whole), Ok(None), "{whole}");
        }
        assert_eq!(range(&HeaderMap::new(), 100), Ok(None));
    }
}
