//! What a host and an engine's process say to each other: MessagePack frames over a socket pair.
//!
//! Many requests share the pair, told apart by number. Bodies go in pieces of at most [`flow::PIECE`] bytes, and only
//! as far as the reader has given credit. Neither side's reader ever waits for anything but the socket, so the two
//! cannot lock each other up. What a worker sends is not trusted: engine code runs in its process.

pub(crate) mod flow;
pub(crate) mod frame;
pub(crate) mod link;
