//! Service `http`: requests to the origins of the manifest, and nowhere else.

use std::{net::IpAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt;
use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::fetch::{FetchRequest, FetchResponse},
};
use reqwest::{Client, Method, Url, redirect::Policy};

use super::{Host, failed};

/// Largest answer, in bytes.
const BODY: usize = 16 << 20;
const DEADLINE: Duration = Duration::from_secs(60);
const REDIRECTS: usize = 5;

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "fetch" {
        return Err(EngineError::unknown("http method", method));
    }
    let request: FetchRequest = decode(payload)?;
    let origins = host.manifest.capabilities.origins.clone();
    encode(&fetch(request, &origins).await?)
}

async fn fetch(request: FetchRequest, origins: &[String]) -> Result<FetchResponse, EngineError> {
    let wait = match request.timeout_ms {
        0 => DEADLINE,
        ms => DEADLINE.min(Duration::from_millis(ms.into())),
    };
    let slow = |_| EngineError::new("fetch_timeout", "The origin did not answer in time.");
    tokio::time::timeout(wait, follow(request, origins)).await.map_err(slow)?
}

async fn follow(request: FetchRequest, origins: &[String]) -> Result<FetchResponse, EngineError> {
    let method = match request.method.as_str() {
        "" => Method::GET,
        name => Method::from_bytes(name.as_bytes()).map_err(EngineError::bad_payload)?,
    };
    let body = STANDARD.decode(&request.body_base64).map_err(EngineError::bad_payload)?;
    let mut url = Url::parse(&request.url).map_err(EngineError::bad_payload)?;
    for _ in 0..=REDIRECTS {
        let client = client_for(&url, origins).await?;
        let mut call = client.request(method.clone(), url.clone()).body(body.clone());
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let answer = call.send().await.map_err(|e| EngineError::new("fetch_failed", plain(&e)))?;
        let next = answer.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        match next {
            Some(next) if answer.status().is_redirection() && method == Method::GET => {
                url = url.join(&next).map_err(EngineError::bad_payload)?;
            }
            _ => return read(answer).await,
        }
    }
    Err(EngineError::new("too_many_redirects", format!("The origin redirected more than {REDIRECTS} times.")))
}

/// A client that can reach only the addresses checked here: what is looked up is what is connected to.
async fn client_for(url: &Url, origins: &[String]) -> Result<Client, EngineError> {
    let origin = url.origin().ascii_serialization();
    let allowed =
        origins.iter().any(|o| Url::parse(o).is_ok_and(|o| o.origin().ascii_serialization() == origin));
    if !allowed {
        return Err(EngineError::new(
            "origin_not_granted",
            format!("`{origin}` is not among the manifest's origins."),
        ));
    }
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let unknown = |e| EngineError::new("fetch_failed", format!("`{name}` has no address: {e}."));
    let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), port)).await.map_err(unknown)?.collect();
    if let Some(inside) = addresses.iter().find(|a| !is_public(a.ip())) {
        return Err(EngineError::new(
            "address_refused",
            format!("`{name}` leads to {}, which is inside.", inside.ip()),
        ));
    }
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .resolve_to_addrs(&name, &addresses)
        .connect_timeout(Duration::from_secs(10))
        .build()
        .map_err(|e| failed("make an HTTP client", e))
}

fn plain(error: &reqwest::Error) -> String {
    let kind = if error.is_connect() { "No connection" } else { "The request failed" };
    format!("{kind}: {}.", error.to_string().chars().take(200).collect::<String>())
}

async fn read(answer: reqwest::Response) -> Result<FetchResponse, EngineError> {
    let status = answer.status().as_u16();
    let text = |v: &http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    let headers = answer.headers().iter().map(|(n, v)| (n.to_string(), text(v))).collect();
    let mut body = Vec::new();
    let mut stream = answer.bytes_stream();
    while let Some(piece) = stream.next().await {
        body.extend_from_slice(&piece.map_err(|e| EngineError::new("fetch_failed", plain(&e)))?);
        if body.len() > BODY {
            return Err(EngineError::new(
                "fetch_too_large",
                format!("The answer has more than {BODY} bytes."),
            ));
        }
    }
    Ok(FetchResponse { status, headers, body_base64: STANDARD.encode(body) })
}

/// Whether an address lies outside: no loopback, link-local, private, shared or special ones.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_loopback()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => is_public(v4.into()),
            None => {
                let first = ip.segments()[0];
                !(ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_multicast()
                    || (first & 0xfe00) == 0xfc00
                    || (first & 0xffc0) == 0xfe80
                    || first == 0x64
                    || first == 0x2002)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_granted_origins_outside_are_reached() {
        let origins =
            ["https://api.example.org".to_owned(), "http://127.0.0.1:9".into(), "http://[::1]:9".into()];
        for (url, code) in [
            ("https://evil.example.org/", "origin_not_granted"),
            ("https://api.example.org.evil.org/", "origin_not_granted"),
            ("https://api.example.org@evil.org/", "origin_not_granted"),
            ("http://api.example.org/", "origin_not_granted"),
            ("file:///etc/passwd", "origin_not_granted"),
            ("http://127.0.0.1:9/", "address_refused"),
            ("http://[::1]:9/", "address_refused"),
        ] {
            let request = FetchRequest { url: url.into(), ..FetchRequest::default() };
            assert_eq!(fetch(request, &origins).await.expect_err(url).code, code, "{url}");
        }
    }

    #[test]
    fn inside_addresses_are_known() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
        assert!(is_public("93.184.216.34".parse().expect("an address")));
    }
}
