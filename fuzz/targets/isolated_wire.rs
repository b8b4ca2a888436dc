//! What an isolated engine's process sends its host: it runs the engine's code and is not trusted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    plugin_runtime::fuzzing::read_frames(data);
});
