//! The bytes of every frame of every version stay readable.

use std::{fs, path::PathBuf};

use agent_protocol::{Assembler, Frame, wire};

use crate::samples;

fn golden(kind: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", "v1", &format!("{kind}.bin")].iter().collect()
}

/// `UPDATE_GOLDEN=1` writes missing files; it never changes one that exists.
fn stored(frame: &Frame) -> Vec<u8> {
    let path = golden(frame.kind());
    if !path.exists() && std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, wire::encode(frame).unwrap().concat()).unwrap();
    }
    fs::read(&path).unwrap_or_else(|_| panic!("no golden file for `{}`", frame.kind()))
}

#[test]
fn every_kind_has_a_sample() {
    let mut kinds: Vec<_> = samples::all().iter().map(Frame::kind).collect();
    let mut known = Frame::KINDS.to_vec();
    kinds.sort_unstable();
    known.sort_unstable();
    assert_eq!(kinds, known);
}

#[test]
fn bytes_of_version_1_still_decode_to_the_same_frames() {
    for frame in samples::all() {
        let decoded = Assembler::default().push(&stored(&frame)).unwrap().unwrap();
        assert_eq!(decoded, frame);
    }
}

#[test]
fn what_is_sent_today_is_what_version_1_sent() {
    for frame in samples::all() {
        assert_eq!(wire::encode(&frame).unwrap().concat(), stored(&frame), "{}", frame.kind());
    }
}
