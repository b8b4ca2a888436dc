//! Frames to packets and back, with every bound checked before memory is taken.

use serde::{Deserialize, Serialize};
use zstd::zstd_safe::CParameter;

use crate::{Frame, Lane, frame, limits};

/// Packet format, first byte of every packet.
pub const PACKET_FORMAT: u8 = 1;
/// Bytes of a packet's header: format, lane, flags.
pub const HEADER_BYTES: usize = 3;

const FLAG_LAST: u8 = 0b01;
const FLAG_ZSTD: u8 = 0b10;
/// Fast: output of commands and payloads pass by in numbers.
const ZSTD_LEVEL: i32 = 3;
/// Small: inventories are large and rare.
const ZSTD_LEVEL_INVENTORY: i32 = 15;
/// ... but with tables of 0.8 MB instead of 5: nearly as small, and an agent's memory counts.
const ZSTD_TABLES_INVENTORY: [CParameter; 2] = [CParameter::HashLog(16), CParameter::ChainLog(17)];

/// Why a frame could not be encoded; a bug or an oversized payload of the caller.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The frame is larger than [`limits::MAX_FRAME_BYTES`].
    #[error("the frame has {0} bytes, more than the limit")]
    TooLarge(usize),
    /// A field breaks a limit of [`crate::limits`].
    #[error("the frame's {0} breaks a limit")]
    Limit(&'static str),
    /// MessagePack or zstd failed.
    #[error("the frame cannot be encoded: {0}")]
    Codec(String),
}

/// Why bytes are not a frame. Everything but [`DecodeError::UnknownFrame`] ends the session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Empty, too large, or of another format.
    #[error("malformed packet: {0}")]
    Packet(&'static str),
    /// More bytes than a frame may have, before or after decompression.
    #[error("the frame is larger than the limit")]
    TooLarge,
    /// The compressed bytes are damaged, or lie about their length.
    #[error("the frame does not decompress")]
    Compression,
    /// Not MessagePack, or not the fields this frame has.
    #[error("malformed frame: {0}")]
    Malformed(String),
    /// A well-formed frame of a kind this version does not know: skip it.
    #[error("unknown frame `{0}`")]
    UnknownFrame(String),
    /// A field breaks a limit of [`crate::limits`].
    #[error("the frame's {0} breaks a limit")]
    Limit(&'static str),
    /// The frame travelled on a lane that is not its own.
    #[error("frame `{0}` came on the wrong lane")]
    WrongLane(&'static str),
}

impl DecodeError {
    /// Stable snake_case code, for metrics and [`crate::session::Goodbye`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Packet(_) => "malformed_packet",
            Self::TooLarge => "frame_too_large",
            Self::Compression => "bad_compression",
            Self::Malformed(_) => "malformed_frame",
            Self::UnknownFrame(_) => "unknown_frame",
            Self::Limit(_) => "limit_exceeded",
            Self::WrongLane(_) => "wrong_lane",
        }
    }
}

/// A parsed packet: a piece of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Lane it travels on.
    pub lane: Lane,
    /// Whether the frame ends here.
    pub last: bool,
    /// Whether the frame is compressed; equal in all its packets.
    pub compressed: bool,
    /// The piece.
    pub body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parse the header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::MAX_PACKET_BYTES {
            return Err(DecodeError::Packet("too large"));
        }
        let [format, lane, flags, body @ ..] = bytes else {
            return Err(DecodeError::Packet("no header"));
        };
        if *format != PACKET_FORMAT {
            return Err(DecodeError::Packet("unknown format"));
        }
        let lane = Lane::from_number(*lane).ok_or(DecodeError::Packet("unknown lane"))?;
        if *flags & !(FLAG_LAST | FLAG_ZSTD) != 0 {
            return Err(DecodeError::Packet("unknown flags"));
        }
        if body.is_empty() {
            return Err(DecodeError::Packet("no body"));
        }
        Ok(Self { lane, last: flags & FLAG_LAST != 0, compressed: flags & FLAG_ZSTD != 0, body })
    }
}

/// Encode a frame into packets, in the order they must be sent on the frame's lane.
pub fn encode(frame: &Frame) -> Result<Vec<Vec<u8>>, EncodeError> {
    frame.check().map_err(EncodeError::Limit)?;
    let plain = to_bytes(frame).map_err(EncodeError::Codec)?;
    if plain.len() > limits::MAX_FRAME_BYTES {
        return Err(EncodeError::TooLarge(plain.len()));
    }
    let (level, tables): (_, &[CParameter]) = match frame {
        Frame::InventorySection(_) | Frame::InventoryDelta(_) => {
            (ZSTD_LEVEL_INVENTORY, &ZSTD_TABLES_INVENTORY)
        }
        _ => (ZSTD_LEVEL, &[]),
    };
    let (body, compressed) = compress(plain, level, tables)?;
    let pieces = body.chunks(limits::MAX_PACKET_BYTES - HEADER_BYTES);
    let count = pieces.len();
    Ok(pieces
        .enumerate()
        .map(|(i, piece)| {
            let mut flags = if i + 1 == count { FLAG_LAST } else { 0 };
            if compressed {
                flags |= FLAG_ZSTD;
            }
            let mut packet = Vec::with_capacity(piece.len() + HEADER_BYTES);
            packet.extend_from_slice(&[PACKET_FORMAT, frame.lane() as u8, flags]);
            packet.extend_from_slice(piece);
            packet
        })
        .collect())
}

/// Compress when it is worth it: four bytes of plain length (big-endian), then zstd.
fn compress(plain: Vec<u8>, level: i32, tables: &[CParameter]) -> Result<(Vec<u8>, bool), EncodeError> {
    if plain.len() <= limits::COMPRESS_ABOVE_BYTES {
        return Ok((plain, false));
    }
    let packed = pack(&plain, level, tables).map_err(|e| EncodeError::Codec(e.to_string()))?;
    if packed.len() + 4 >= plain.len() {
        return Ok((plain, false));
    }
    // The length fits: a frame has at most MAX_FRAME_BYTES.
    let mut body = (plain.len() as u32).to_be_bytes().to_vec();
    body.extend_from_slice(&packed);
    Ok((body, true))
}

fn pack(plain: &[u8], level: i32, tables: &[CParameter]) -> std::io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    for table in tables {
        compressor.set_parameter(*table)?;
    }
    compressor.compress(plain)
}

fn decompress(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let (length, packed) = body.split_first_chunk::<4>().ok_or(DecodeError::Compression)?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > limits::MAX_FRAME_BYTES {
        return Err(DecodeError::TooLarge);
    }
    let plain = zstd::bulk::decompress(packed, length).map_err(|_| DecodeError::Compression)?;
    if plain.len() == length { Ok(plain) } else { Err(DecodeError::Compression) }
}

fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    rmp_serde::to_vec_named(value).map_err(|e| e.to_string())
}

/// Decode a whole frame's MessagePack (not compressed, without packet headers).
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    if bytes.len() > limits::MAX_FRAME_BYTES {
        return Err(DecodeError::TooLarge);
    }
    let kind = frame::kind_of(bytes).ok_or_else(|| DecodeError::Malformed("no kind".into()))?;
    if !Frame::KINDS.contains(&kind) {
        return Err(DecodeError::UnknownFrame(kind.chars().take(64).collect()));
    }
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(limits::MAX_DEPTH);
    let frame = Frame::deserialize(&mut reader).map_err(|e| DecodeError::Malformed(e.to_string()))?;
    frame.check().map_err(DecodeError::Limit)?;
    Ok(frame)
}

/// Puts packets together again, one unfinished frame per lane.
#[derive(Debug, Default)]
pub struct Assembler {
    lanes: [Option<(bool, Vec<u8>)>; 3],
}

impl Assembler {
    /// Take one packet; a frame when it was the last of one. After an error other than
    /// [`DecodeError::UnknownFrame`] the session cannot go on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Frame>, DecodeError> {
        let packet = Packet::parse(bytes)?;
        let Some((compressed, body)) = self.join(packet)? else { return Ok(None) };
        let frame = if compressed { decode(&decompress(&body)?)? } else { decode(&body)? };
        if frame.lane() != packet.lane {
            return Err(DecodeError::WrongLane(frame.kind()));
        }
        Ok(Some(frame))
    }

    fn join(&mut self, packet: Packet<'_>) -> Result<Option<(bool, Vec<u8>)>, DecodeError> {
        let slot = &mut self.lanes[packet.lane as usize];
        let (compressed, mut body) = slot.take().unwrap_or((packet.compressed, Vec::new()));
        if compressed != packet.compressed {
            return Err(DecodeError::Packet("mixed compression"));
        }
        if body.len() + packet.body.len() > limits::MAX_FRAME_BYTES + 4 {
            return Err(DecodeError::TooLarge);
        }
        body.extend_from_slice(packet.body);
        if packet.last {
            return Ok(Some((compressed, body)));
        }
        *slot = Some((compressed, body));
        Ok(None)
    }
}
