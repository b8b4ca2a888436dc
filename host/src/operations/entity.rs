//! Tables of operations.

pub mod operation;
pub mod output;
pub mod task;
