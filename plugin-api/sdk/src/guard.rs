//! The panic guard: around every poll and call of an author's code. The runtime has one more, for engines that were
//! built without this SDK.

use std::{
    any::Any,
    cell::Cell,
    future::Future,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    pin::Pin,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use crate::instance::Instance;

/// Engine code panicked. What happened is in the log; nothing of it may reach a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this copy of the SDK sits in a loaded library, where every panic is the engine's own.
static EXPORTED: AtomicBool = AtomicBool::new(false);

/// Called once by what [`crate::export_engine!`] emits, before any engine code runs.
pub(crate) fn mark_exported() {
    EXPORTED.store(true, Ordering::Relaxed);
    install_hook();
}

/// Whether the SDK runs inside a loaded library rather than linked into a test.
pub(crate) fn is_exported() -> bool {
    EXPORTED.load(Ordering::Relaxed)
}

/// Run engine code; a panic is logged by the hook and answered with [`Panicked`].
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Panicked> {
    DEPTH.set(DEPTH.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(f));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|payload| {
        dispose(payload);
        Panicked
    })
}

/// A payload's own destructor may panic; then it is leaked.
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// Count this thread as engine code for good, e.g. a worker of the private runtime.
pub(crate) fn adopt_thread() {
    DEPTH.set(DEPTH.get() + 1);
}

/// Log panics of engine code through tracing instead of standard error; other panics keep their hook.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if DEPTH.get() > 0 || is_exported() { log_panic(info) } else { previous(info) }
        }));
    });
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info
        .payload()
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| info.payload().downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    tracing::event!(
        target: "engine::panic",
        tracing::Level::ERROR,
        location = %location,
        thread = %thread,
        "{message}"
    );
}

/// A future whose polls and drop run inside the engine's context and behind the guard.
pub(crate) struct Guarded<F: Future> {
    future: Option<Pin<Box<F>>>,
    instance: Arc<Instance>,
}

impl<F: Future> Guarded<F> {
    pub(crate) fn new(instance: Arc<Instance>, future: F) -> Self {
        Self { future: Some(Box::pin(future)), instance }
    }

    fn release(&mut self) {
        if let Some(future) = self.future.take() {
            // A panicking destructor has been logged; there is nobody left to tell.
            let _ = self.instance.run(|| drop(future));
        }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(future) = this.future.as_mut() else {
            return Poll::Ready(Err(Panicked)); // Polled again after its end.
        };
        let outcome = this.instance.run(|| future.as_mut().poll(cx));
        let answer = match outcome {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panicked) => Err(panicked),
        };
        this.release();
        Poll::Ready(answer)
    }
}

impl<F: Future> Drop for Guarded<F> {
    fn drop(&mut self) {
        self.release();
    }
}

/// A value of the engine whose destructor runs behind the guard.
pub(crate) struct DropGuarded<T> {
    value: Option<T>,
    instance: Arc<Instance>,
}

impl<T> DropGuarded<T> {
    pub(crate) fn new(instance: Arc<Instance>, value: T) -> Self {
        Self { value: Some(value), instance }
    }

    /// The value; `None` only while it is dropped.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> Drop for DropGuarded<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            let _ = self.instance.run(|| drop(value));
        }
    }
}
