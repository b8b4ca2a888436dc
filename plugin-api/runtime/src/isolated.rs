//! A server half in a child process behind [`EngineInstance`].

mod answers;
mod calls;
mod child;
mod session;
mod supervisor;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use plugin_api::description::Description;
use plugin_api::{CallContext, EngineError};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::gauge::{Gauge, Running};
use crate::in_process::deadline_of;
use crate::{
    Body, EngineInstance, HostServices, InstanceState, IsolatedOptions, Mode, Package, StartError, Stats,
    Verified, problem,
};
use session::{Session, Template};

/// Start a package's server half in a child process, confined as far as the kernel can.
///
/// # Errors
/// [`StartError`].
pub async fn start_isolated(
    package: &Verified<Package>,
    services: HostServices,
    options: IsolatedOptions,
) -> Result<Arc<dyn EngineInstance>, StartError> {
    let template = Template::new(package, services, options)?;
    let stop = CancellationToken::new();
    let first = session::start(&template, &stop).await?;
    let shared = Arc::new(Shared {
        description: first.session.description(),
        template,
        stop: stop.clone(),
        gauge: Arc::default(),
        state: watch::Sender::new(InstanceState::Running),
        session: RwLock::new(Some(first.session.clone())),
    });
    tokio::spawn(supervisor::supervise(shared.clone(), first));
    Ok(Arc::new(Isolated(shared)))
}

/// What the instance and its supervisor share.
pub(crate) struct Shared {
    template: Template,
    description: Description,
    stop: CancellationToken,
    gauge: Arc<Gauge>,
    state: watch::Sender<InstanceState>,
    session: RwLock<Option<Arc<Session>>>,
}

struct Isolated(Arc<Shared>);

impl Drop for Isolated {
    fn drop(&mut self) {
        self.0.stop.cancel();
    }
}

impl Shared {
    fn set_session(&self, session: Option<Arc<Session>>) {
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = session;
    }

    fn session_now(&self) -> Option<Arc<Session>> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner).clone();
        session.filter(|s| s.is_alive())
    }

    /// The running process, after a wait while it is being restarted.
    async fn session(&self) -> Result<Arc<Session>, EngineError> {
        if let Some(session) = self.session_now() {
            return Ok(session);
        }
        let mut state = self.state.subscribe();
        let ready = async {
            loop {
                match &*state.borrow_and_update() {
                    InstanceState::Quarantined { .. } | InstanceState::Stopped => return None,
                    InstanceState::Running | InstanceState::Restarting { .. } => {}
                }
                if let Some(session) = self.session_now() {
                    return Some(session);
                }
                state.changed().await.ok()?;
            }
        };
        let waited = timeout(self.template.options.wait_for_restart, ready).await;
        waited.ok().flatten().ok_or_else(problem::unavailable)
    }

    fn begin(&self) -> Result<Running, EngineError> {
        self.gauge.begin().ok_or_else(problem::unavailable)
    }

    fn late(&self) -> EngineError {
        self.gauge.timed_out();
        problem::deadline_exceeded()
    }

    async fn serve(
        &self,
        request: Request<Body>,
        context: &CallContext,
    ) -> Result<Response<Body>, EngineError> {
        let running = self.begin()?;
        let deadline = deadline_of(context, self.template.options.default_deadline);
        let served = timeout(deadline, async {
            self.session().await?.request(request, context, running, &self.gauge).await
        });
        served.await.unwrap_or_else(|_| Err(self.late()))
    }
}

impl EngineInstance for Isolated {
    fn handle<'a>(
        &'a self,
        request: Request<Body>,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Response<Body>> {
        Box::pin(async move {
            let answer = self.0.serve(request, context).await;
            answer.unwrap_or_else(|e| problem::from_error(&e, &context.request_id))
        })
    }

    fn call<'a>(
        &'a self,
        method: &'a str,
        payload: Vec<u8>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Vec<u8>, EngineError>> {
        Box::pin(async move {
            let _running = self.0.begin()?;
            let called = timeout(deadline, async { self.0.session().await?.call(method, payload).await });
            called.await.unwrap_or_else(|_| Err(self.0.late()))
        })
    }

    fn description(&self) -> &Description {
        &self.0.description
    }

    fn mode(&self) -> Mode {
        Mode::Isolated
    }

    fn stats(&self) -> Stats {
        self.0.gauge.stats()
    }

    fn state(&self) -> watch::Receiver<InstanceState> {
        self.0.state.subscribe()
    }

    fn shutdown(&self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.0.gauge.drain(grace).await;
            if let Some(session) = self.0.session_now() {
                session.stop().await;
            }
            self.0.stop.cancel();
            let mut state = self.0.state.subscribe();
            let over =
                |s: &InstanceState| !matches!(s, InstanceState::Running | InstanceState::Restarting { .. });
            // The supervisor kills what does not end by itself, so this wait is short.
            let _ = timeout(Duration::from_secs(10), state.wait_for(over)).await;
            self.0.state.send_replace(InstanceState::Stopped);
        })
    }
}
