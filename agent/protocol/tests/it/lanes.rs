//! Bulk data never delays commands.

use agent_protocol::{Assembler, Frame, Lane, Outbox, OutboxFull, Packet, limits, task::Output};
use serde_bytes::ByteBuf;

use crate::samples;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(length)
    .collect()
}

fn output(seq: u64, length: usize) -> Frame {
    Output {
        task_id: samples::task(),
        seq,
        stream: agent_protocol::task::Stream::Stdout,
        data: ByteBuf::from(noise(length)),
    }
    .into()
}

#[test]
fn a_command_overtakes_bulk_data_after_one_packet() {
    let mut outbox = Outbox::default();
    outbox.push(&output(0, limits::MAX_OUTPUT_CHUNK_BYTES)).unwrap();
    let first = outbox.pop().unwrap();
    assert_eq!(Packet::parse(&first).unwrap().lane, Lane::Bulk);
    let cancel = Frame::Cancel(agent_protocol::task::Cancel { task_id: samples::task() });
    outbox.push(&cancel).unwrap();
    let second = outbox.pop().unwrap();
    assert_eq!(Packet::parse(&second).unwrap().lane, Lane::Commands);

    let mut assembler = Assembler::default();
    assert_eq!(assembler.push(&first).unwrap(), None);
    assert_eq!(assembler.push(&second).unwrap(), Some(cancel));
    let mut last = None;
    while let Some(packet) = outbox.pop() {
        last = assembler.push(&packet).unwrap();
    }
    assert_eq!(last, Some(output(0, limits::MAX_OUTPUT_CHUNK_BYTES)));
}

#[test]
fn a_full_lane_refuses_frames_while_the_others_take_them() {
    let mut outbox = Outbox::new([1024, 1024, 1024]);
    outbox.push(&output(0, 4096)).unwrap();
    assert!(matches!(outbox.push(&output(1, 1)), Err(OutboxFull::Lane(Lane::Bulk))));
    outbox.push(&Frame::Ping(agent_protocol::session::Ping { nonce: 1 })).unwrap();
    while outbox.pop().is_some() {}
    assert!(outbox.is_empty());
    assert_eq!(outbox.waiting_bytes(Lane::Bulk), 0);
    outbox.push(&output(1, 1)).unwrap();
}

#[test]
fn no_packet_is_larger_than_the_limit() {
    for packet in agent_protocol::wire::encode(&output(0, limits::MAX_OUTPUT_CHUNK_BYTES)).unwrap() {
        assert!(packet.len() <= limits::MAX_PACKET_BYTES);
    }
}
