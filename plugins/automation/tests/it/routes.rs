//! Routes by what they are about.

mod approvals;
mod export;
mod output;
mod runs;
mod schedules;
mod scripts;
