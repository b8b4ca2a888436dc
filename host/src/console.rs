//! The web console: its files are part of the program, and every page address that is no file's is its one page.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderMap, Method, StatusCode, header};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

use crate::{
    http::{access::session_cookie, problems},
    problem::Problem,
};

mod files {
    //! Written by `build.rs`.

    /// A file of the console.
    pub struct File {
        /// Its address, e.g. `/assets/index-1a2b.js`.
        pub url: &'static str,
        /// Its bytes.
        pub plain: &'static [u8],
        /// The same, compressed.
        pub brotli: Option<&'static [u8]>,
    }

    include!(concat!(env!("OUT_DIR"), "/console.rs"));
}
use files::{FILES, File};

/// The page, in which every answer writes its own nonce.
const PAGE: &str = "/index.html";
const NONCE: &str = "__STYLE_NONCE__";

/// What a host says that was built without the console.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><title>SysManage</title><body><h1>SysManage</h1>\
    <p>This host was built without its console. Build it with <code>cargo xtask console</code>, then build the host \
    again. The API and the command line work without it.</p></body></html>";

/// Answers what no route of the API does: a file of the console, its page, or a problem.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || path.starts_with("/api/") {
        return problems::not_found().await.into_response();
    }
    if path != PAGE
        && let Some(file) = find(path)
    {
        return asset(file, request.headers());
    }
    if wants_page(request.headers()) && !path.starts_with("/assets/") {
        return page(request.headers());
    }
    problems::not_found().await.into_response()
}

fn find(url: &str) -> Option<&'static File> {
    FILES.binary_search_by(|f| f.url.cmp(url)).ok().map(|at| &FILES[at])
}

/// Browsers ask for pages as HTML; programs that meet a wrong address shall get a problem.
fn wants_page(headers: &HeaderMap) -> bool {
    text(headers, header::ACCEPT).contains("text/html")
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// Names of assets hold a hash of their content, so a browser may keep them for ever.
fn asset(file: &'static File, headers: &HeaderMap) -> Response {
    let brotli = file.brotli.filter(|_| accepts_brotli(text(headers, header::ACCEPT_ENCODING)));
    let cache = if file.url.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=3600"
    };
    let head = [
        (header::CONTENT_TYPE, content_type(file.url)),
        (header::CACHE_CONTROL, cache),
        (header::VARY, "accept-encoding"),
    ];
    let mut response = (head, Body::from(Bytes::from_static(brotli.unwrap_or(file.plain)))).into_response();
    if brotli.is_some() {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static("br"));
    }
    response
}

fn accepts_brotli(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "br" && weight.trim() != "q=0"
    })
}

fn content_type(url: &str) -> &'static str {
    match url.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        _ => "application/octet-stream",
    }
}

/// What the page will ask for first when somebody is signed in: the browser fetches it beside the scripts.
const WHO: &str = "</api/v1/me>; rel=preload; as=fetch; crossorigin";

fn hint(headers: &HeaderMap) -> Option<&'static str> {
    session_cookie(headers).map(|_| WHO)
}

fn page(asked: &HeaderMap) -> Response {
    let Some(file) = find(PAGE) else {
        let head = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
        return (StatusCode::SERVICE_UNAVAILABLE, head, NOT_BUILT).into_response();
    };
    let Some(nonce) = nonce() else {
        return Problem::internal("the system gives no random bytes").into_response();
    };
    let text = String::from_utf8_lossy(file.plain);
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".into()),
        (header::CONTENT_SECURITY_POLICY, policy(&nonce, &import_map(&text))),
    ];
    let mut response = (head, text.replace(NONCE, &nonce)).into_response();
    if let Some(link) = hint(asked) {
        response.headers_mut().insert(header::LINK, header::HeaderValue::from_static(link));
    }
    response
}

fn nonce() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(BASE64.encode(&bytes))
}

/// The source that allows the page's import map by its hash: browsers read a map from no file. Empty without one.
fn import_map(page: &str) -> String {
    let rest = page.split_once("<script type=\"importmap\">").map(|(_, rest)| rest);
    let Some((map, _)) = rest.and_then(|rest| rest.split_once("</script>")) else { return String::new() };
    format!(" 'sha256-{}'", BASE64.encode(digest(&SHA256, map.as_bytes()).as_ref()))
}

/// Scripts are files of this host and its import map, nothing else; style elements carry the page's nonce.
fn policy(nonce: &str, import_map: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'{import_map}; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_sent_to_whom_takes_it() {
        assert!(accepts_brotli("gzip, deflate, br, zstd"));
        assert!(accepts_brotli("br;q=0.5"));
        assert!(!accepts_brotli("gzip") && !accepts_brotli("br;q=0, gzip") && !accepts_brotli(""));
    }

    #[test]
    fn only_a_session_hints_at_who_it_is_of() {
        let mut headers = HeaderMap::new();
        assert_eq!(hint(&headers), None);
        let cookie = format!("other=1; {}=secret", crate::accounts::COOKIE);
        headers.insert(header::COOKIE, cookie.parse().expect("a header"));
        assert_eq!(hint(&headers), Some(WHO));
    }

    #[test]
    fn the_import_map_and_no_other_inline_script_is_allowed() {
        let page =
            "<head><script type=\"importmap\">{}</script><script type=\"module\" src=\"/a.js\"></script>";
        let policy = policy("n", &import_map(page));
        assert!(
            policy.contains("script-src 'self' 'sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o='; "),
            "{policy}"
        );
        assert_eq!(import_map("<head></head>"), "");
    }

    #[test]
    fn every_file_is_found_by_its_address() {
        assert!(FILES.is_sorted_by(|a, b| a.url < b.url));
        for file in FILES.iter().filter(|f| f.url != PAGE) {
            assert_ne!(content_type(file.url), "application/octet-stream", "{}", file.url);
        }
    }
}
