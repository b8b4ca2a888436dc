//! Arbitrary bytes never panic, and what decodes can be encoded again.

use agent_protocol::{Assembler, Frame, Packet, wire};
use proptest::prelude::*;

use crate::samples;

fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let frames = samples::all();
    (
        0..frames.len(),
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        any::<usize>(),
    )
        .prop_map(move |(frame, changes, cut)| {
            let mut bytes = wire::encode(&frames[frame]).unwrap().concat();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            bytes.truncate(cut % (bytes.len() + 1));
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_packets_do_not_panic(packets in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..200), 0..8)) {
        let mut assembler = Assembler::default();
        for packet in &packets {
            let _ = Packet::parse(packet);
            let _ = assembler.push(packet);
        }
    }

    #[test]
    fn arbitrary_frames_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = wire::decode(&bytes);
    }

    #[test]
    fn a_damaged_frame_is_an_error_or_a_frame_that_encodes(bytes in mangled()) {
        if let Ok(Some(frame)) = Assembler::default().push(&bytes) {
            let again = wire::encode(&frame).unwrap();
            let mut assembler = Assembler::default();
            let back: Option<Frame> = again.iter().fold(None, |_, p| assembler.push(p).unwrap());
            // A damaged float may be a NaN, which is unequal to itself.
            prop_assert!(back.is_some());
            prop_assert_eq!(format!("{back:?}"), format!("{:?}", Some(frame)));
        }
    }
}
