//! What an agent sends a host, and a host an agent: packets, their assembly, frames.
#![no_main]

use agent_protocol::{Assembler, Frame, Packet, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Packet::parse(data);
    // As one packet, as a bare frame, and as packets of the lengths that the bytes themselves tell.
    if let Ok(Some(frame)) = Assembler::default().push(data) {
        encodes(&frame);
    }
    if let Ok(frame) = wire::decode(data) {
        encodes(&frame);
    }
    let mut assembler = Assembler::default();
    let mut rest = data;
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (packet, tail) = tail.split_at(usize::from(u16::from_le_bytes(*length)).min(tail.len()));
        match assembler.push(packet) {
            Ok(Some(frame)) => encodes(&frame),
            Ok(None) | Err(wire::DecodeError::UnknownFrame(_)) => {}
            Err(_) => break,
        }
        rest = tail;
    }
});

/// A frame that was read can be sent, and is read again as the same.
fn encodes(frame: &Frame) {
    let packets = match wire::encode(frame) {
        Ok(packets) => packets,
        // Numbers may take more bytes than the sender gave them.
        Err(wire::EncodeError::TooLarge(_)) => return,
        Err(error) => panic!("{error}: {frame:?}"),
    };
    let mut assembler = Assembler::default();
    let back = packets.iter().fold(None, |_, packet| assembler.push(packet).expect("what we wrote is read"));
    // Text, because a NaN is unequal to itself.
    assert_eq!(format!("{back:?}"), format!("{:?}", Some(frame)));
}
