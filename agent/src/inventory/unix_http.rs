//! One GET over a local socket, as container platforms answer it: no pool, no thread, a deadline and a limit.

use std::path::Path;

/// What is read of an answer at most.
#[cfg(unix)]
const MOST: u64 = 8 << 20;

/// The body of `path`'s answer, when it is 200.
#[cfg(unix)]
pub fn get(socket: &Path, path: &str) -> std::io::Result<Vec<u8>> {
    use std::{
        io::{Error, ErrorKind, Read, Write},
        os::unix::net::UnixStream,
        time::Duration,
    };
    let deadline = Some(Duration::from_secs(10));
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(deadline)?;
    stream.set_write_timeout(deadline)?;
    // Version 1.0: the body ends with the connection and comes in one piece.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    let body = body.ok_or_else(|| Error::new(ErrorKind::InvalidData, "no HTTP answer"))?;
    let head = String::from_utf8_lossy(&answer[..body]).to_lowercase();
    let status = head.split_whitespace().nth(1).unwrap_or("none").to_owned();
    if status != "200" {
        return Err(Error::other(format!("it answers {status}")));
    }
    let rest = answer.split_off(body);
    let chunked = head.lines().any(|line| line.starts_with("transfer-encoding:") && line.contains("chunked"));
    Ok(if chunked { dechunk(&rest) } else { rest })
}

/// There are no such sockets here.
#[cfg(not(unix))]
pub fn get(_socket: &Path, _path: &str) -> std::io::Result<Vec<u8>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Join the pieces of a chunked body; what is damaged is left out.
pub fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end])
            .ok()
            .and_then(|line| usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16).ok());
        let Some(size) = size.filter(|size| *size > 0) else { break };
        let Some(piece) = bytes.get(end + 2..).and_then(|rest| rest.get(..size)) else { break };
        out.extend_from_slice(piece);
        bytes = bytes.get(end + 2 + size + 2..).unwrap_or_default();
    }
    out
}
