//! Limits, compression and growth of the wire format.

use agent_protocol::{
    Assembler, DecodeError, EncodeError, Frame, Packet, inventory::InventorySection, limits, negotiate, wire,
};
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::samples;

fn section(data: Vec<u8>) -> Frame {
    InventorySection {
        name: "packages".into(),
        digest: agent_protocol::inventory::Digest::new([0; 32]),
        collected_at: 0,
        data: ByteBuf::from(data),
    }
    .into()
}

fn join(packets: &[Vec<u8>]) -> Result<Option<Frame>, DecodeError> {
    let mut assembler = Assembler::default();
    packets.iter().try_fold(None, |_, packet| assembler.push(packet))
}

#[test]
fn a_large_frame_is_compressed_and_comes_back_whole() {
    let frame = section(b"{\"name\":\"bash\",\"version\":\"5.2\"}".repeat(50_000));
    let packets = wire::encode(&frame).unwrap();
    assert!(Packet::parse(&packets[0]).unwrap().compressed);
    assert!(packets.iter().map(Vec::len).sum::<usize>() < 100_000);
    assert_eq!(join(&packets).unwrap(), Some(frame));
}

#[test]
fn what_came_after_version_1_travels_too() {
    let Some(Frame::Hello(mut hello)) = samples::all().into_iter().find(|f| f.kind() == "hello") else {
        panic!("no sample of a hello")
    };
    hello.facts.hardware = vec!["serial:C02X".into(), "mac:02:00:5e:00:53:07".into()];
    let frame = Frame::from(hello);
    assert_eq!(join(&wire::encode(&frame).unwrap()).unwrap(), Some(frame));
}

#[test]
fn a_small_frame_is_not_compressed() {
    let packets = wire::encode(&samples::all()[3]).unwrap();
    assert!(!Packet::parse(&packets[0]).unwrap().compressed);
}

#[test]
fn a_section_beyond_the_limit_is_not_encoded() {
    let result = wire::encode(&section(vec![0; limits::MAX_SECTION_BYTES + 1]));
    assert!(matches!(result, Err(EncodeError::Limit("data"))));
}

/// A packet whose compressed body claims `claim` plain bytes.
fn bomb(claim: u32, plain: usize) -> Vec<u8> {
    let mut packet = vec![wire::PACKET_FORMAT, 0, 0b11];
    packet.extend_from_slice(&claim.to_be_bytes());
    packet.extend_from_slice(&zstd::bulk::compress(&vec![0; plain], 19).unwrap());
    packet
}

#[test]
fn a_decompression_bomb_is_refused() {
    let huge = limits::MAX_FRAME_BYTES as u32 + 1;
    assert_eq!(join(&[bomb(huge, huge as usize)]), Err(DecodeError::TooLarge));
    assert_eq!(join(&[bomb(100, 50_000_000)]), Err(DecodeError::Compression));
    assert_eq!(join(&[bomb(100, 99)]), Err(DecodeError::Compression));
}

#[test]
fn a_frame_without_end_is_refused_at_the_limit() {
    let mut packet = vec![wire::PACKET_FORMAT, 2, 0];
    packet.resize(limits::MAX_PACKET_BYTES, 0);
    let mut assembler = Assembler::default();
    let end = (0..10_000).find_map(|_| assembler.push(&packet).err());
    assert_eq!(end, Some(DecodeError::TooLarge));
}

#[test]
fn a_frame_on_a_foreign_lane_is_refused() {
    let mut packet = wire::encode(&samples::all()[3]).unwrap().concat();
    packet[1] = 2;
    assert_eq!(join(&[packet]), Err(DecodeError::WrongLane("ping")));
}

#[test]
fn headers_that_are_not_ours_are_refused() {
    for bytes in [&b""[..], &[1], &[1, 0], &[1, 0, 1], &[2, 0, 1, 0x80], &[1, 3, 1, 0x80], &[1, 0, 4, 0x80]] {
        assert!(matches!(join(&[bytes.to_vec()]), Err(DecodeError::Packet(_))), "{bytes:?}");
    }
    let fat = vec![1; limits::MAX_PACKET_BYTES + 1];
    assert!(matches!(join(&[fat]), Err(DecodeError::Packet(_))));
}

#[derive(Serialize)]
enum Newer {
    #[serde(rename = "teleport")]
    Teleport { to: String },
    #[serde(rename = "ping")]
    Ping { nonce: u64, mood: String },
}

fn raw<T: Serialize>(value: &T) -> Vec<u8> {
    let mut named = Vec::new();
    value.serialize(&mut rmp_serde::Serializer::new(&mut named).with_struct_map()).unwrap();
    named
}

#[test]
fn a_frame_of_a_later_version_is_named_so_that_it_can_be_skipped() {
    let bytes = raw(&Newer::Teleport { to: "mars".into() });
    assert_eq!(wire::decode(&bytes), Err(DecodeError::UnknownFrame("teleport".into())));
}

#[test]
fn a_field_of_a_later_version_is_ignored() {
    let bytes = raw(&Newer::Ping { nonce: 9, mood: "fine".into() });
    assert_eq!(wire::decode(&bytes), Ok(Frame::Ping(agent_protocol::session::Ping { nonce: 9 })));
}

#[test]
fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
    let mut bytes = vec![0x81, 0xa4];
    bytes.extend_from_slice(b"ping");
    bytes.extend_from_slice(&[0x81, 0xa1, b'x']);
    bytes.extend(std::iter::repeat_n(0x91, 1_000_000));
    bytes.push(0xc0);
    assert!(matches!(wire::decode(&bytes), Err(DecodeError::Malformed(_))));
}

#[test]
fn a_length_that_lies_does_not_take_memory() {
    let mut bytes = vec![0x81, 0xb1];
    bytes.extend_from_slice(b"inventory_request");
    bytes.extend_from_slice(&[0x81, 0xa5]);
    bytes.extend_from_slice(b"names");
    bytes.extend_from_slice(&[0xdd, 0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(wire::decode(&bytes), Err(DecodeError::Malformed(_))));
}

#[test]
fn versions_are_negotiated_to_the_newest_common_one() {
    assert_eq!(negotiate((1, 3), (2, 5)), Some(3));
    assert_eq!(negotiate((1, 1), (1, 9)), Some(1));
    assert_eq!(negotiate((1, 1), (2, 3)), None);
    assert_eq!(negotiate((4, 5), (1, 3)), None);
}
