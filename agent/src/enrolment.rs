//! Becoming a machine of a host: make a key, ask, wait for approval, keep the certificate.

use std::{sync::Arc, time::Duration};

use agent_protocol::enroll::{
    ENROLL_PATH, EnrollAnswer, EnrollRequest, POLL_PATH, PollRequest, poll_proof_message,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    backoff::Backoff,
    facts,
    http_client::{Client, HttpError},
    identity::{self, Certificate, Identity, IdentityError},
    inventory::source::Root,
    server::{Pin, Server, ServerError, enrolment_tls},
    storage::{DataDir, read_optional, write_private},
};

/// A single call may take this long.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_STATE: u64 = 64 << 10;

/// What enrolment settled; written as soon as the host knows this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// Where the host is.
    pub server: Server,
    /// The machine's id on the host.
    pub machine_id: Uuid,
    /// Secret for polling.
    pub handle: String,
    /// Name the machine was enrolled with.
    pub name: String,
}

/// What to enrol with.
pub struct Request {
    /// Where the host is.
    pub server: Server,
    /// Enrolment token.
    pub token: String,
    /// SHA-256 of the authority's certificate; trust on first use without it.
    pub fingerprint: Option<[u8; 32]>,
    /// Name for people; the host name when left out.
    pub name: Option<String>,
}

/// Where enrolment stands.
#[derive(Debug)]
pub enum Standing {
    /// An administrator has to decide.
    Pending {
        /// Poll no sooner than this.
        poll_after: Duration,
    },
    /// The certificate is stored.
    Approved(Certificate),
    /// An administrator said no.
    Rejected,
}

/// Why enrolment failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The host cannot be reached, or refused.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The host cannot be reached.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Key or certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The data folder cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// Nobody decided in time.
    #[error(
        "nobody approved this machine in time; approve it on the host, then start the agent: it keeps asking"
    )]
    NotApproved,
    /// An administrator said no.
    #[error("an administrator rejected this machine")]
    Rejected,
    /// The answer is not complete.
    #[error("the host's answer lacks {0}")]
    Incomplete(&'static str),
    /// There is nothing to go on with.
    #[error("this machine is not enrolled; run `sysmanage-agent enroll` first")]
    NotEnrolled,
}

impl EnrolError {
    /// Whether trying again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Http(e) => e.is_temporary(),
            Self::Server(e) => matches!(e, ServerError::Connect(..) | ServerError::Timeout(_)),
            _ => false,
        }
    }
}

impl Enrolment {
    /// Read what was settled, if anything.
    pub fn load(data: &DataDir) -> Result<Option<Self>, EnrolError> {
        let Some(bytes) = read_optional(&data.enrolment(), MAX_STATE)? else { return Ok(None) };
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Some).map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e).into())
    }

    fn store(&self, data: &DataDir) -> Result<(), EnrolError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        Ok(write_private(&data.enrolment(), &bytes)?)
    }
}

/// A conversation with one host about becoming its machine.
pub struct Enroller {
    data: DataDir,
    identity: Identity,
    pin: Arc<Pin>,
    client: Client,
    server: Server,
}

impl Enroller {
    /// Prepare, making the key if there is none.
    pub fn new(data: &DataDir, server: &Server, pin: Option<[u8; 32]>) -> Result<Self, EnrolError> {
        let pin = Pin::new(pin);
        Ok(Self {
            identity: Identity::load_or_create(data)?,
            client: Client::new(server.clone(), enrolment_tls(&pin)?, CALL_TIMEOUT),
            server: server.clone(),
            data: data.clone(),
            pin,
        })
    }

    /// Prepare to go on with an enrolment, trusting the stored authority only.
    pub fn resume(data: &DataDir) -> Result<(Self, Enrolment), EnrolError> {
        let enrolment = Enrolment::load(data)?.ok_or(EnrolError::NotEnrolled)?;
        let authority = identity::load_authority(data)?.ok_or(EnrolError::NotEnrolled)?;
        let pin = crate::inventory::digest(&authority);
        Ok((Self::new(data, &enrolment.server, Some(pin))?, enrolment))
    }

    /// SHA-256 of the machine's public key.
    pub fn key_fingerprint(&self) -> String {
        self.identity.fingerprint()
    }

    /// SHA-256 of the authority the server showed.
    pub fn authority_fingerprint(&self) -> Option<String> {
        self.pin.seen().map(|authority| crate::inventory::hex_digest(&authority))
    }

    /// Ask once. The enrolment is stored when the host knows this machine.
    pub async fn ask(&self, request: &Request, root: &Root) -> Result<(Enrolment, Standing), EnrolError> {
        let mut facts = facts::collect(root);
        if let Some(name) = &request.name {
            facts.hostname.clone_from(name);
        }
        let name = facts.hostname.clone();
        let body = EnrollRequest {
            token: request.token.clone(),
            csr_pem: self.identity.request(&name)?.pem().map_err(IdentityError::Key)?,
            agent_version: facts::VERSION.into(),
            facts,
        };
        let answer: EnrollAnswer = self.client.post(ENROLL_PATH, &body).await.map_err(|e| self.explain(e))?;
        let (machine_id, handle) = match &answer {
            EnrollAnswer::Pending { machine_id, handle, .. }
            | EnrollAnswer::Approved { machine_id, handle, .. } => (*machine_id, handle.clone()),
            EnrollAnswer::Rejected { .. } => return Err(EnrolError::Rejected),
        };
        let handle = handle.ok_or(EnrolError::Incomplete("the handle"))?;
        let enrolment = Enrolment { server: self.server.clone(), machine_id, handle, name };
        let authority = self.pin.seen().ok_or(EnrolError::Incomplete("the authority"))?;
        identity::store_authority(&self.data, &authority)?;
        enrolment.store(&self.data)?;
        Ok((enrolment, self.take(answer)?))
    }

    /// Ask whether it was approved; gets a new certificate for an approved machine, too.
    pub async fn poll(&self, enrolment: &Enrolment) -> Result<Standing, EnrolError> {
        let proof = self.identity.sign(&poll_proof_message(&enrolment.handle))?;
        let body =
            PollRequest { handle: enrolment.handle.clone(), proof: data_encoding::BASE64.encode(&proof) };
        let answer = self.client.post(POLL_PATH, &body).await.map_err(|e| self.explain(e))?;
        self.take(answer)
    }

    /// Poll until somebody decides, at most until `deadline`.
    pub async fn wait(
        &self,
        enrolment: &Enrolment,
        mut standing: Standing,
        deadline: Option<Instant>,
    ) -> Result<Certificate, EnrolError> {
        let mut backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(60));
        loop {
            let pause = match standing {
                Standing::Approved(certificate) => return Ok(certificate),
                Standing::Rejected => return Err(EnrolError::Rejected),
                Standing::Pending { poll_after } => poll_after + backoff.next_wait() / 2,
            };
            self.pause(pause, deadline).await?;
            standing = loop {
                match self.poll(enrolment).await {
                    Ok(standing) => break standing,
                    Err(error) if error.is_temporary() => {
                        tracing::warn!(%error, "cannot ask for approval; trying again");
                        self.pause(backoff.next_wait(), deadline).await?;
                    }
                    Err(error) => return Err(error),
                }
            };
        }
    }

    async fn pause(&self, pause: Duration, deadline: Option<Instant>) -> Result<(), EnrolError> {
        if deadline.is_some_and(|deadline| Instant::now() + pause > deadline) {
            return Err(EnrolError::NotApproved);
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn take(&self, answer: EnrollAnswer) -> Result<Standing, EnrolError> {
        match answer {
            EnrollAnswer::Pending { poll_after_s, .. } => Ok(Standing::Pending {
                // A host cannot make us ask in a circle, nor sleep for ever.
                poll_after: Duration::from_secs(u64::from(poll_after_s.clamp(1, 300))),
            }),
            EnrollAnswer::Rejected { .. } => Ok(Standing::Rejected),
            EnrollAnswer::Approved { chain_pem, .. } => {
                let authority = identity::load_authority(&self.data)?
                    .or_else(|| self.pin.seen())
                    .ok_or(EnrolError::Incomplete("the authority"))?;
                let chain = identity::parse_chain(chain_pem.as_bytes())?;
                let certificate = self.identity.check(chain, &authority)?;
                certificate.store(&self.data)?;
                Ok(Standing::Approved(certificate))
            }
        }
    }

    /// A wrong authority shows as a failed handshake; say what it was.
    fn explain(&self, error: HttpError) -> HttpError {
        match (&error, self.pin.mismatch()) {
            (HttpError::Server(_), Some(mismatch)) => mismatch.into(),
            _ => error,
        }
    }
}
