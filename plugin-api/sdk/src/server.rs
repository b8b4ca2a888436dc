//! The server half behind the ABI: requests to the router, calls to the engine's methods.

mod calls;
mod in_flight;

use std::sync::Arc;

use axum::{Router, body::Body};
use http::Request;
use plugin_api::{
    EngineError, Manifest,
    abi::{
        AbiRequest, AbiResponse, AbiResult, FfiFuture, FutureExt, ServerEngine, ServerEngine_TO,
        ServerEngineBox, ServerServices,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RErr, ROk, RString, RVec},
        },
    },
};
use tower::Service;

pub(crate) use in_flight::InFlight;

use crate::{
    engine::{Engine, Exported},
    entitlement::Entitlement,
    export,
    guard::{DropGuarded, Guarded, Panicked},
    instance::Instance,
    problem::Problem,
    services::Host,
    wire,
};

/// A running server half.
struct Server<E: Engine>(Arc<Shared<E>>);

struct Shared<E: Engine> {
    engine: DropGuarded<Arc<E>>,
    router: DropGuarded<Router>,
    entitlement: Entitlement,
    in_flight: in_flight::Counter,
    instance: Arc<Instance>,
}

/// Build the server half; a panic or error of [`Engine::start`] is an error.
pub(crate) async fn create<E: Exported>(services: ServerServices) -> Result<ServerEngineBox, EngineError> {
    let manifest: Manifest = plugin_api::error::decode(&services.manifest)?;
    let instance = Instance::new(&manifest.id, E::RUNTIME, services.log);
    let own = export::manifest::<E>()?;
    let runtime = instance.runtime().clone();
    let (sql, granted) = (services.sql, services.services);
    let start = async move {
        let host = Host::new(manifest, sql, granted, E::entities(), runtime);
        let entitlement = Entitlement::new(&host, &own);
        entitlement.refresh().await;
        let engine = Arc::new(E::start(host).await?);
        let router: Router = Router::from(E::router().with_state(engine.clone()))
            .fallback(async || Problem::new(404, "not_found", "The engine has no such route."))
            .method_not_allowed_fallback(async || {
                Problem::new(405, "method_not_allowed", "The route has no such method.")
            });
        Ok::<_, EngineError>((engine, router, entitlement))
    };
    let (engine, router, entitlement) = Guarded::new(instance.clone(), start)
        .await
        .map_err(|Panicked| EngineError::panicked("its constructor"))??;
    let shared = Shared {
        engine: DropGuarded::new(instance.clone(), engine),
        router: DropGuarded::new(instance.clone(), router),
        entitlement,
        in_flight: in_flight::Counter::default(),
        instance,
    };
    Ok(ServerEngine_TO::from_value(Server(Arc::new(shared)), TD_Opaque))
}

impl<E: Engine> ServerEngine for Server<E> {
    fn handle(&self, request: AbiRequest) -> FfiFuture<AbiResponse> {
        let (context, request) = wire::to_axum(request);
        let request = match request {
            Ok(request) => request,
            Err(problem) => return async move { wire::from_problem(&problem, &context) }.into_ffi(),
        };
        let shared = self.0.clone();
        let in_flight = self.0.in_flight.enter();
        let answer = {
            let context = context.clone();
            async move {
                match shared.route(request).await {
                    Ok(response) => wire::from_axum(response, &context, &shared.instance, in_flight),
                    Err(problem) => wire::from_problem(&problem, &context),
                }
            }
        };
        let guarded = Guarded::new(self.0.instance.clone(), answer);
        async move {
            guarded.await.unwrap_or_else(|Panicked| {
                let e = EngineError::panicked("this request");
                wire::from_problem(&Problem::new(500, &e.code, e.message), &context)
            })
        }
        .into_ffi()
    }

    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>> {
        let shared = self.0.clone();
        let what = format!("`{method}`");
        let in_flight = self.0.in_flight.enter_unless_draining(&method);
        let guarded = Guarded::new(self.0.instance.clone(), async move {
            let _in_flight = in_flight;
            shared.call(&method, &payload).await
        });
        async move {
            match guarded.await {
                Ok(Ok(answer)) => ROk(answer.into()),
                Ok(Err(e)) => RErr(e.into()),
                Err(Panicked) => RErr(EngineError::panicked(&what).into()),
            }
        }
        .into_ffi()
    }
}

impl<E: Engine> Shared<E> {
    async fn route(&self, request: Request<Body>) -> Result<axum::response::Response, Problem> {
        self.entitlement.allow_request(request.method(), request.uri().path()).await?;
        let Some(router) = self.router.get() else {
            return Err(Problem::new(503, "engine_unavailable", "The engine is shutting down."));
        };
        match router.clone().call(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }
}
