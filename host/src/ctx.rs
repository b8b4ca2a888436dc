//! Who calls, with which rights, until when. Only front doors (HTTP, CLI socket, agent gateway, engine calls, jobs)
//! create a [`Ctx`]; every service takes it first and authorises on its first line.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::permissions::{Grant, PermissionSet};

/// The context of one call.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// The name to show for the actor.
    pub actor_name: String,
    /// What the actor may do, and where.
    pub grants: Arc<[Grant]>,
    /// Names of the actor's roles: what engines share things with.
    pub roles: Arc<[String]>,
    /// Identifies the request in answers, logs and the audit log.
    pub request_id: String,
    /// When the caller stops waiting.
    pub deadline: Option<DateTime<Utc>>,
    /// The client's address, where there is one.
    pub client_ip: Option<IpAddr>,
    /// The client's program, as it says.
    pub user_agent: Option<String>,
    /// The session behind the request, where a browser signed in.
    pub session: Option<Uuid>,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person with a session.
    User(Uuid),
    /// A program with an API token.
    Token {
        /// The token.
        id: Uuid,
        /// Whose token it is.
        user: Uuid,
    },
    /// The operator on the host's own computer, through the admin socket.
    LocalRoot,
    /// A managed machine, through the agent gateway.
    Machine(Uuid),
    /// An engine, in its own name.
    Engine(String),
    /// A timer of the host.
    Job(String),
    /// The host itself.
    System,
}

impl Actor {
    /// The user behind a session or a token.
    pub fn user_id(&self) -> Option<Uuid> {
        match self {
            Self::User(user) | Self::Token { user, .. } => Some(*user),
            _ => None,
        }
    }
}

/// `user:<uuid>`, `token:<uuid>`, `local:root`, `machine:<uuid>`, `engine:<id>`, `job:<name>`, `system`.
impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Token { id, .. } => write!(f, "token:{id}"),
            Self::LocalRoot => f.write_str("local:root"),
            Self::Machine(id) => write!(f, "machine:{id}"),
            Self::Engine(id) => write!(f, "engine:{id}"),
            Self::Job(name) => write!(f, "job:{name}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// Which machines a permission reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every machine.
    All,
    /// Those a selector (see [`crate::selector`]) matches.
    Selector(String),
}

impl Scope {
    /// The machines that both reach.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, other) => other,
            (this, Self::All) => this,
            (Self::Selector(a), Self::Selector(b)) => Self::Selector(format!("({a}) ({b})")),
        }
    }
}

/// The actor lacks a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("This needs the permission `{permission}`, which {actor_name} does not have.")]
pub struct Forbidden {
    /// The permission that is missing.
    pub permission: String,
    /// Who lacks it.
    pub actor_name: String,
}

impl Ctx {
    /// A context with no rights, for a front door to fill.
    pub fn new(actor: Actor, actor_name: impl Into<String>, grants: Vec<Grant>, request_id: String) -> Self {
        Self {
            actor,
            actor_name: actor_name.into(),
            grants: grants.into(),
            roles: Arc::default(),
            request_id,
            deadline: None,
            client_ip: None,
            user_agent: None,
            session: None,
        }
    }

    /// The host itself, for start-up and housekeeping: all rights.
    pub fn system(why: &str) -> Self {
        Self::new(
            Actor::System,
            "system",
            vec![Grant::everything()],
            format!("{why}-{}", Uuid::now_v7().simple()),
        )
    }

    /// A timer of the host: all rights, under the job's name.
    pub fn job(name: &str) -> Self {
        let request_id = format!("job-{}", Uuid::now_v7().simple());
        Self::new(Actor::Job(name.into()), name, vec![Grant::everything()], request_id)
    }

    /// Whether the actor holds `permission` for at least some machines.
    pub fn allows(&self, permission: &str) -> bool {
        self.grants.iter().any(|g| g.permissions.allows(permission))
    }

    /// Authorise: the first line of every service method.
    pub fn require(&self, permission: &str) -> Result<(), Forbidden> {
        if self.allows(permission) {
            return Ok(());
        }
        Err(Forbidden { permission: permission.into(), actor_name: self.actor_name.clone() })
    }

    /// Authorise, and say which machines the permission reaches.
    pub fn require_scope(&self, permission: &str) -> Result<Scope, Forbidden> {
        self.require(permission)?;
        let mut selectors = BTreeSet::new();
        for grant in self.grants.iter().filter(|g| g.permissions.allows(permission)) {
            match grant.scope.trim() {
                "" => return Ok(Scope::All),
                scope => selectors.insert(format!("({scope})")),
            };
        }
        Ok(Scope::Selector(selectors.into_iter().collect::<Vec<_>>().join(" or ")))
    }

    /// The permissions among `known` that the actor holds.
    pub fn held<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        known.into_iter().filter(|p| self.allows(p)).map(String::from).collect()
    }

    /// Whether the actor may do everything that `wanted` allows on the machines of `scope`: nobody hands out more
    /// than they hold. A scope is covered by no scope or by the same one; wider or narrower is not guessed at.
    pub fn covers(&self, wanted: &PermissionSet, scope: &str) -> bool {
        wanted.patterns().all(|w| self.grants.iter().any(|g| g.covers(w, scope)))
    }
}
