//! Tables of machines.

pub mod address;
pub mod change;
pub mod engine;
pub mod hardware;
pub mod label;
pub mod machine;
pub mod sample;
pub mod section;
pub mod tag;
pub mod token;
