//! Bounds that both sides enforce before they allocate.

/// Largest frame, decompressed, in bytes.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;
/// Largest packet with its header, in bytes: what a command may have to wait for.
pub const MAX_PACKET_BYTES: usize = 16 * 1024;
/// Frames larger than this are compressed, in bytes.
pub const COMPRESS_ABOVE_BYTES: usize = 1024;
/// Deepest nesting of a frame.
pub const MAX_DEPTH: usize = 24;
/// Longest identifier (engine id, command, section, code, mount point, interface), in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// Longest sentence meant for people, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4096;
/// Largest payload of a command or result, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 2 * 1024 * 1024;
/// Largest chunk of output, in bytes.
pub const MAX_OUTPUT_CHUNK_BYTES: usize = 32 * 1024;
/// Largest encoded inventory section, in bytes.
pub const MAX_SECTION_BYTES: usize = 3 * 1024 * 1024;
/// Most entries of any list in a frame (tasks in a hello, sections, disks, engines).
pub const MAX_LIST: usize = 10_000;
/// How long a host waits for the hello, in milliseconds.
pub const HELLO_TIMEOUT_MS: u64 = 10_000;
/// Largest body of an enrolment request, in bytes.
pub const MAX_ENROLL_BYTES: usize = 64 * 1024;
/// Most instants in one frame of samples.
pub const MAX_SAMPLES: usize = 240;
/// Most figures in one frame of samples.
pub const MAX_SERIES: usize = 512;
