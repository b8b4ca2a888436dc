//! Server-rendered pages: no script, forms that post, the console's look. They call the same services as the API.

mod account;
mod advisories;
mod catalogue;
mod downloads;
mod format;
mod invitations;
mod layout;
mod licenses;
mod members;
mod orders;
mod organisation;
mod prose;
mod session;
mod tokens;
mod usage;
mod vendor;
mod vendor_figures;

use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, header};

pub(crate) use layout::failed;

use crate::http::{Access, Routes};

static STYLE: &str = include_str!("pages/style.css");
static ICON: &str = include_str!("pages/icon.svg");

/// The routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = routes.on(Method::GET, "/assets/portal.css", Access::Public, style);
    let routes = routes.on(Method::GET, "/assets/portal.svg", Access::Public, icon);
    let routes = catalogue::routes(routes);
    let routes = session::routes(routes);
    let routes = organisation::routes(routes);
    let routes = members::routes(routes);
    let routes = invitations::routes(routes);
    let routes = tokens::routes(routes);
    let routes = orders::routes(routes);
    let routes = downloads::routes(routes);
    let routes = licenses::routes(routes);
    let routes = usage::routes(routes);
    let routes = account::routes(routes);
    let routes = advisories::routes(routes);
    let routes = vendor_figures::routes(routes);
    vendor::routes(routes)
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

fn asset(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")], content).into_response()
}

/// Where a page is closed to strangers: sign in, then come back.
pub(crate) fn sign_in_first(path: &str) -> Response {
    let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}
