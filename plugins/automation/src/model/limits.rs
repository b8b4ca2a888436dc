//! Every limit of the engine in one place.

/// Longest script, in bytes of UTF-8.
pub const SCRIPT_BYTES: usize = 256 * 1024;
/// Most parameters of a script.
pub const PARAMETERS: usize = 64;
/// Longest value of one parameter, in bytes.
pub const VALUE_BYTES: usize = 32 * 1024;
/// All values of a run together, in bytes; well under what a kernel passes to a program.
pub const VALUES_BYTES: usize = 64 * 1024;
/// Most choices of a choice parameter.
pub const CHOICES: usize = 200;
/// Longest regular expression of a text parameter, in bytes.
pub const PATTERN_BYTES: usize = 500;
/// Longest name of a script or schedule, in characters.
pub const NAME_CHARS: usize = 120;
/// Longest description, note or reason, in characters.
pub const TEXT_CHARS: usize = 2_000;
/// Most tags of a script.
pub const TAGS: usize = 32;
/// Longest tag, in characters.
pub const TAG_CHARS: usize = 60;
/// Most users and roles a script is shared with.
pub const SHARES: usize = 200;
/// Most targets of one run.
pub const TARGETS: usize = 100_000;
/// Most machine ids in one request.
pub const MACHINE_IDS: usize = 20_000;
/// Longest selector, in bytes.
pub const SELECTOR_BYTES: usize = 4_000;
/// Longest run of a script, in seconds.
pub const TIMEOUT_S: u32 = 86_400;
/// Longest wait for a machine, in seconds.
pub const QUEUE_TIMEOUT_S: u32 = 30 * 86_400;
/// Longest time an approval may stay valid, in seconds.
pub const APPROVAL_S: i64 = 30 * 86_400;
/// Largest page.
pub const PAGE: u64 = 200;
/// Page when the caller names no size.
pub const PAGE_DEFAULT: u64 = 50;
/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_BYTES: usize = 200;
/// Shortest secret that can be masked, in bytes. Masking shorter ones would tell them by what is missing.
pub const SECRET_MIN_BYTES: usize = 4;
/// Most output one task may send, in bytes, whatever the setting says.
pub const OUTPUT_BYTES: u64 = 64 * 1024 * 1024;
/// Most machines one live stream follows.
pub const STREAM_MACHINES: usize = 500;
/// Longest live stream, in seconds; a client reconnects.
pub const STREAM_S: u64 = 3_600;
/// Groups of identical output in one answer.
pub const GROUPS: usize = 200;
/// Next runs shown of a schedule.
pub const PREVIEW: usize = 50;
