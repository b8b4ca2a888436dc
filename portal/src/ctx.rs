//! Who calls, with which rights. Only front doors (HTTP, the command line, webhooks, jobs) create a [`Ctx`]; every
//! service takes it first and authorises on its first line.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::hosts::Host;

/// What a member of an organisation may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See the organisation and its members.
    OrganisationRead,
    /// Change its name.
    OrganisationManage,
    /// Invite and remove members, and change their roles.
    MembersManage,
    /// See orders.
    OrdersRead,
    /// Buy, change and cancel.
    OrdersManage,
    /// See licences and download them.
    LicensesRead,
    /// Bind licences to host instances.
    LicensesManage,
    /// Download engines.
    Download,
    /// Read the activity log.
    AuditRead,
}

impl Permission {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::OrganisationRead => "organisation:read",
            Self::OrganisationManage => "organisation:manage",
            Self::MembersManage => "members:manage",
            Self::OrdersRead => "orders:read",
            Self::OrdersManage => "orders:manage",
            Self::LicensesRead => "licenses:read",
            Self::LicensesManage => "licenses:manage",
            Self::Download => "engines:download",
            Self::AuditRead => "audit:read",
        }
    }
}

/// A member's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Orders and money.
    Billing,
    /// Licences and engines.
    Technical,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Billing, Self::Technical];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Billing => "billing",
            Self::Technical => "technical",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What it may.
    pub fn allows(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Owner => true,
            Self::Billing => {
                matches!(permission, P::OrganisationRead | P::OrdersRead | P::OrdersManage | P::LicensesRead)
            }
            Self::Technical => {
                matches!(permission, P::OrganisationRead | P::LicensesRead | P::LicensesManage | P::Download)
            }
        }
    }
}

/// A role in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// The organisation.
    pub organisation: Uuid,
    /// The role there.
    pub role: Role,
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
    /// The vendor's operator on the portal's own computer.
    Operator,
    /// Stripe, by a signed webhook.
    Stripe,
    /// A host, by the id of its instance key.
    Host(trust::KeyId),
    /// A visitor nobody knows.
    Visitor,
    /// A timer of the portal.
    Job(&'static str),
}

impl Actor {
    /// The user behind a session or a token.
    pub fn user(&self) -> Option<Uuid> {
        match self {
            Self::User(user) | Self::Token { user, .. } => Some(*user),
            _ => None,
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Token { id, .. } => write!(f, "token:{id}"),
            Self::Operator => f.write_str("local:operator"),
            Self::Stripe => f.write_str("stripe"),
            Self::Host(id) => write!(f, "host:{id}"),
            Self::Visitor => f.write_str("visitor"),
            Self::Job(name) => write!(f, "job:{name}"),
        }
    }
}

/// The context of one call.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// The name to show for the actor.
    pub actor_name: String,
    /// The actor's organisations.
    pub memberships: Arc<[Membership]>,
    /// Whether the actor works for the vendor, and may see every customer.
    pub staff: bool,
    /// Whether the actor would, and has not set up the second factor that this needs.
    pub unenrolled_staff: bool,
    /// Identifies the request in answers, logs and the audit log.
    pub request_id: String,
    /// The client's address, where there is one.
    pub client_ip: Option<IpAddr>,
    /// The session behind the request, where a browser signed in.
    pub session: Option<Uuid>,
    /// The host that proved itself.
    pub host: Option<Arc<Host>>,
}

/// The actor may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not a member: whether there is such an organisation is not told.
    #[error("There is no such organisation, or you are not a member of it.")]
    NoMember,
    /// A member of another role.
    #[error("This needs `{}`, which your role in this organisation does not have.", .0.name())]
    Lacks(Permission),
    /// Not the vendor's.
    #[error("This is for the vendor's staff.")]
    NotStaff,
    /// The vendor's, without the second factor that they need.
    #[error("The vendor's staff need a second factor: set it up at /account, then come back.")]
    SecondFactorMissing,
    /// Programs may not do this, people may.
    #[error("An API token cannot do this; sign in instead.")]
    NotAPerson,
    /// For hosts.
    #[error("This is for hosts, which prove their instance key and licence.")]
    NotAHost,
}

impl Ctx {
    /// A context without rights, for a front door to fill.
    pub fn new(actor: Actor, actor_name: impl Into<String>, request_id: String) -> Self {
        Self {
            actor,
            actor_name: actor_name.into(),
            memberships: Arc::default(),
            staff: false,
            unenrolled_staff: false,
            request_id,
            client_ip: None,
            session: None,
            host: None,
        }
    }

    /// The portal's operator, on the command line.
    pub fn operator() -> Self {
        let id = format!("cli-{}", Uuid::now_v7().simple());
        Self { staff: true, ..Self::new(Actor::Operator, "operator", id) }
    }

    /// A timer of the portal.
    pub fn job(name: &'static str) -> Self {
        let id = format!("job-{}", Uuid::now_v7().simple());
        Self { staff: true, ..Self::new(Actor::Job(name), name, id) }
    }

    /// The actor's role in an organisation.
    pub fn role_in(&self, organisation: Uuid) -> Option<Role> {
        self.memberships.iter().find(|m| m.organisation == organisation).map(|m| m.role)
    }

    /// Whether the actor may, in this organisation.
    pub fn allows(&self, organisation: Uuid, permission: Permission) -> bool {
        self.role_in(organisation).is_some_and(|role| role.allows(permission))
    }

    /// Authorise: the first line of every service method for customers.
    pub fn require(&self, organisation: Uuid, permission: Permission) -> Result<(), Forbidden> {
        match self.role_in(organisation) {
            None => Err(Forbidden::NoMember),
            Some(role) if role.allows(permission) => Ok(()),
            Some(_) => Err(Forbidden::Lacks(permission)),
        }
    }

    /// Authorise: the first line of every service method for the vendor.
    pub fn require_staff(&self) -> Result<(), Forbidden> {
        match (self.staff, self.unenrolled_staff) {
            (true, _) => Ok(()),
            (false, true) => Err(Forbidden::SecondFactorMissing),
            (false, false) => Err(Forbidden::NotStaff),
        }
    }

    /// Authorise what only a host may do.
    pub fn require_host(&self) -> Result<&Host, Forbidden> {
        self.host.as_deref().ok_or(Forbidden::NotAHost)
    }

    /// Authorise a download for an organisation: by a member whose role has that, or by one of its hosts.
    pub fn require_download(&self, organisation: Uuid) -> Result<(), Forbidden> {
        match &self.host {
            Some(host) if host.organisation == organisation => Ok(()),
            _ => self.require(organisation, Permission::Download),
        }
    }

    /// Authorise what only a person may do, who has a session.
    pub fn require_person(&self) -> Result<Uuid, Forbidden> {
        match self.actor {
            Actor::User(id) => Ok(id),
            _ => Err(Forbidden::NotAPerson),
        }
    }
}
