//! What an isolated engine may not do. These kernels have what it takes; where one has not, the remark says so.

use std::sync::Arc;

use crate::host::{Host, fetch};
use crate::isolated::started;

/// Whether the worker told that it had to do without something.
fn lacks(host: &Host, what: &str) -> bool {
    host.logs.lock().unwrap().iter().any(|r| r.message.contains(&format!("isolation without {what}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_world_is_out_of_reach() {
    let host = Arc::new(Host::default());
    let engine = started(&host).await;
    let probe = |what: &'static str| {
        let engine = engine.clone();
        async move { fetch(&engine, &format!("/probe?{what}")).await.1 }
    };
    if !lacks(&host, "seccomp") {
        assert_eq!(probe("connect").await, "PermissionDenied");
        assert_eq!(probe("listen").await, "PermissionDenied");
        assert_eq!(probe("run").await, "PermissionDenied");
    }
    if !lacks(&host, "Landlock") {
        assert_eq!(probe("read").await, "PermissionDenied");
        assert_eq!(probe("write").await, "PermissionDenied");
    }
    assert_eq!(probe("thread").await, "true", "threads are an engine's right");
    assert_eq!(probe("environment").await, "0");
    assert_eq!(probe("directory").await, "/");
    assert_eq!(engine.stats().crashed, 0);
}
