//! What a machine needs before it has an agent: the authority, the install script, the program. All three are public:
//! none is a secret, and the script's line pins the authority.

use std::{io::SeekFrom, sync::Arc};

use agent_protocol::release::Head;
use axum::{body::Body, extract::State, response::Response};
use http::header;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    http::Path,
    problem::{Problem, ProblemBody},
};

const SCRIPT: &str = include_str!("install.sh");
const UNIT: &str = include_str!("../../../dist/systemd/sysmanage-agent.service");

/// The authority and the script.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(authority)).routes(routes!(script))
}

/// The program.
pub(super) fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(program))
}

/// The one line that installs an agent and enrols it with `token`. It trusts nothing before it has compared the
/// authority's fingerprint, and everything after that comes over TLS under that authority.
pub(crate) fn line(app: &App, token: &str) -> String {
    let base = app.link("");
    let fingerprint = app.pki.authority.fingerprint().to_string();
    let check = format!(
        "[ \"$(sed /-----/d $d/ca|base64 -d|sha256sum|cut -c-64)\" = {fingerprint} ]||{{ echo 'not this host: \
         its authority has another fingerprint' >&2;exit 1; }}"
    );
    format!(
        "sudo sh -c 'set -e;d=$(mktemp -d);curl -fsSk -o $d/ca {base}/install/authority.pem;{}\
         ;curl -fsS --cacert $d/ca -o $d/i {base}/install.sh;sh $d/i --ca $d/ca --token {token}'",
        check.replace('\'', "\"")
    )
}

/// The internal authority's certificate, PEM.
#[utoipa::path(get, path = "/install/authority.pem", tag = "install", operation_id = "get_install_authority",
    responses((status = 200, body = String, content_type = "application/x-pem-file")))]
async fn authority(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let pem = app.pki.authority.pem().to_owned();
    text("application/x-pem-file", pem)
}

/// The install script.
#[utoipa::path(get, path = "/install.sh", tag = "install", operation_id = "get_install_script",
    responses((status = 200, body = String, content_type = "text/x-shellscript")))]
async fn script(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let programs: String = app
        .releases
        .newest()
        .await?
        .into_iter()
        .map(|r| format!("    {}) sum={} version={} ;;\n", r.target, r.program_sha256, r.version))
        .collect();
    let filled = SCRIPT
        .replace("@BASE@", &app.link(""))
        .replace("@GATEWAY@", &app.machines.gateway_url())
        .replace("@FINGERPRINT@", &app.pki.authority.fingerprint().to_string())
        .replace("@PROGRAMS@", programs.trim_end())
        .replace("@UNIT@", UNIT.trim_end());
    text("text/x-shellscript", filled)
}

/// The newest agent for a target, without its signature: the script knows its digest.
#[utoipa::path(get, path = "/install/agent/{target}", tag = "install", operation_id = "get_install_agent",
    params(("target" = String, Path)),
    responses((status = 200, body = String, content_type = "application/octet-stream"), (status = 404, body = ProblemBody)))]
async fn program(State(app): State<Arc<App>>, Path(target): Path<String>) -> Result<Response, Problem> {
    let newest = app.releases.newest().await?.into_iter().find(|release| release.target == target);
    let release = newest.ok_or_else(|| Problem::not_found("agent for this system"))?;
    let file = app.releases.file(&release.version, &release.target).await?;
    let path = file.path.clone();
    let head = tokio::task::spawn_blocking(move || {
        let head = Head::read(std::fs::File::open(path)?).map_err(std::io::Error::other)?;
        std::io::Result::Ok(head.to_bytes().len() as u64)
    });
    let from = head.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let mut reader = tokio::fs::File::open(&file.path).await.map_err(Problem::internal)?;
    reader.seek(SeekFrom::Start(from)).await.map_err(Problem::internal)?;
    let length = file.size.saturating_sub(from);
    let body = Body::from_stream(ReaderStream::with_capacity(reader.take(length), 64 * 1024));
    Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length)
        .body(body)
        .map_err(Problem::internal)
}

fn text(kind: &str, text: String) -> Result<Response, Problem> {
    Response::builder().header(header::CONTENT_TYPE, kind).body(Body::from(text)).map_err(Problem::internal)
}
