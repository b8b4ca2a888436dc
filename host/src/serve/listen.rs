//! Opening the listeners.

use std::{net::IpAddr, os::unix::fs::PermissionsExt, path::Path};

use anyhow::Context;
use tokio::net::{TcpListener, UnixListener};

/// Listen on TCP; the error names the configuration's section.
pub(super) async fn tcp(section: &str, address: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((address, port)).await.with_context(|| {
        format!("cannot listen on {address} port {port}: stop what listens there, or set {section}.port")
    })
}

/// Listen on the admin socket, which only this user may open. The data directory's lock says that a socket left
/// behind belongs to nobody.
pub(super) fn admin(path: &Path) -> anyhow::Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).with_context(|| {
        format!("cannot make the admin socket {} (its path may be too long)", path.display())
    })?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Whether a user id may use the admin socket: the service's own, or root.
pub(super) fn is_operator(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::getuid().as_raw()
}
