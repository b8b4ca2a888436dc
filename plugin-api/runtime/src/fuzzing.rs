//! A way in for fuzz targets: the reader of frames from an isolated engine's process, which is private otherwise.

use bytes::BytesMut;
use plugin_api::EngineError;
use plugin_api::abi::SqlStatement;

use crate::wire::frame::{Frame, SqlOp, WireBody};
use crate::wire::link::{decode, encode};

/// Read frames as they would come over the socket, until one is incomplete or damaged; tells how many were read.
///
/// # Panics
/// When a frame that was read cannot be written, or is read again as another: that is what fuzzing looks for.
pub fn read_frames(bytes: &[u8]) -> usize {
    let mut buffer = BytesMut::from(bytes);
    let mut written = Vec::new();
    let mut count = 0;
    while let Ok(Some(frame)) = decode(&mut buffer) {
        encode(&frame, &mut written).expect("a frame that was read is small enough to be written");
        let again = decode(&mut BytesMut::from(&written[..])).expect("what we wrote is read");
        // Text, because a NaN is unequal to itself.
        assert_eq!(format!("{again:?}"), format!("{:?}", Some(frame)));
        count += 1;
    }
    count
}

/// A stream of frames as an engine's process sends them: what fuzzing starts from.
pub fn sample_stream() -> Vec<u8> {
    let statement = SqlStatement { sql: "SELECT 1".into(), values: Vec::new().into() };
    let headers = vec![("content-type".to_owned(), b"text/plain".to_vec().into())];
    let (description, payload) = (b"{}".to_vec().into(), b"{}".to_vec().into());
    let frames = [
        Frame::Ready { description, remarks: vec!["no Landlock".into()] },
        Frame::Pong,
        Frame::Service { id: 1, name: "audit".into(), method: "record".into(), payload },
        Frame::Sql { id: 2, op: SqlOp::Query(0, statement) },
        Frame::Head { id: 1, status: 200, headers, body: WireBody::Stream },
        Frame::Chunk { id: 1, data: vec![1, 2, 3].into() },
        Frame::End { id: 1, error: Some("broken".into()) },
        Frame::Answer { id: 3, result: Err(EngineError::new("broken", "no")) },
    ];
    let (mut all, mut one) = (Vec::new(), Vec::new());
    for frame in &frames {
        encode(frame, &mut one).expect("samples are small");
        all.extend_from_slice(&one);
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_sample_is_read() {
        assert_eq!(read_frames(&sample_stream()), 8);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            read_frames(&bytes);
        }

        #[test]
        fn a_damaged_stream_never_panics(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut bytes = sample_stream();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            read_frames(&bytes);
        }
    }
}
