//! Faults that routes and commands share.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Allocate, touch and never free.
pub fn leak(mib: usize) {
    for _ in 0..mib {
        std::mem::forget(black_box(vec![0xa5_u8; 1 << 20]));
    }
}

/// Block the thread.
pub fn spin(time: Duration) {
    let start = Instant::now();
    let mut n = 0_u64;
    while start.elapsed() < time {
        n = black_box(n.wrapping_add(1));
    }
}

/// Write where nothing is mapped.
pub fn segfault() {
    let address = black_box(8_usize) as *mut u64;
    // SAFETY: none; ending the process by a fault is the purpose.
    unsafe { address.write_volatile(42) };
}

/// Use up the stack.
pub fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    if depth == u64::MAX { frame[0] } else { overflow(depth + 1).wrapping_add(frame[7]) }
}

/// A value whose destructor panics.
pub struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("a destructor panics");
        }
    }
}
