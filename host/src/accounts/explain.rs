//! Why somebody may or may not: role by role, with scopes; and what to add to a refusal so that it helps.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait as _, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Services, UserState,
    entity::{role, user, user_role},
    store,
    views::permissions_of,
};
use crate::{
    ctx::{Ctx, Scope},
    permissions::PermissionSet,
    selector::Selector,
};

/// Names to tell of those who could help.
const HELPERS: u64 = 5;

/// What to explain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessQuestion {
    /// Name or id of a user; oneself when absent.
    #[serde(default)]
    pub user: Option<String>,
    /// The permission.
    pub permission: String,
    /// Where; anywhere when absent.
    #[serde(default)]
    pub machine: Option<Uuid>,
}

/// What one role contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It allows this.
    Allows,
    /// It does not hold the permission.
    LacksPermission,
    /// It holds the permission, but not on this machine.
    OutOfScope,
    /// Its scope is no selector any more, so it reaches nothing.
    BrokenScope,
}

/// One role on the way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Step {
    /// The role.
    pub role: String,
    /// The name or pattern in it that matches the permission.
    pub grant: Option<String>,
    /// Others of its permissions in the same area: how close it comes.
    pub near: Vec<String>,
    /// Selector of the machines it reaches; empty for all.
    pub scope: String,
    /// Whether the machine asked about is among them; absent when none was.
    pub scope_matches: Option<bool>,
    /// What it contributes.
    pub verdict: Verdict,
}

/// Whether somebody may, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessAnswer {
    /// Whether.
    pub allowed: bool,
    /// The user's name.
    pub user: String,
    /// The permission.
    pub permission: String,
    /// Where.
    pub machine: Option<Uuid>,
    /// The answer in a sentence.
    pub reason: String,
    /// Role by role.
    pub path: Vec<Step>,
    /// Roles that hold the permission, on whatever machines.
    pub roles_with_permission: Vec<String>,
}

impl Services {
    /// Explain: oneself always, others with `users:read`.
    pub async fn explain(&self, ctx: &Ctx, question: AccessQuestion) -> Result<AccessAnswer, AccountError> {
        let db = self.core.db.read();
        let user = match &question.user {
            None => {
                let why = "Say whose access to explain: the operator on the host itself may do everything.";
                let id = ctx.actor.user_id().ok_or_else(|| AccountError::Invalid("user", why.into()))?;
                user::Entity::find_by_id(id).one(db).await?
            }
            Some(text) => match text.parse::<Uuid>() {
                Ok(id) => user::Entity::find_by_id(id).one(db).await?,
                Err(_) => store::user_by_name(db, &text.to_lowercase()).await?,
            },
        };
        if user.as_ref().map(|u| u.id) != ctx.actor.user_id() || user.is_none() {
            ctx.require("users:read")?;
        }
        let user = user.ok_or(AccountError::NotFound("user"))?;
        if !self.core.permissions.names().contains(&question.permission) {
            let why = format!(
                "There is no permission `{}`; GET /api/v1/permissions lists them.",
                question.permission
            );
            return Err(AccountError::Invalid("permission", why));
        }
        if let Some(machine) = question.machine {
            let scope = ctx.require_scope("machines:read")?;
            if !within(db, machine, scope.condition(&self.core.selectors.env())).await? {
                return Err(AccountError::NotFound("machine"));
            }
        }
        let mut roles = store::roles_of(db, &[user.id]).await?.remove(&user.id).unwrap_or_default();
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        let mut path = Vec::with_capacity(roles.len());
        for role in &roles {
            path.push(self.step(db, role, &question).await?);
        }
        let active = UserState::of(&user.state) == UserState::Active;
        let allowed = active && path.iter().any(|s| s.verdict == Verdict::Allows);
        let reason = reason(&user.name, active, &question, &path);
        let roles_with_permission = self.roles_with(&question.permission).await?;
        let AccessQuestion { permission, machine, .. } = question;
        Ok(AccessAnswer {
            allowed,
            user: user.name,
            permission,
            machine,
            reason,
            path,
            roles_with_permission,
        })
    }

    async fn step(
        &self,
        db: &impl ConnectionTrait,
        role: &role::Model,
        question: &AccessQuestion,
    ) -> Result<Step, AccountError> {
        let held = permissions_of(role, &self.core.permissions);
        let grant =
            held.patterns().find(|p| PermissionSet::new([*p]).allows(&question.permission)).map(String::from);
        let scope = role.scope.trim();
        let broken = !scope.is_empty() && scope.parse::<Selector>().is_err();
        let scope_matches = match question.machine {
            Some(machine) if scope.is_empty() => Some(within(db, machine, Condition::all()).await?),
            Some(machine) => {
                let reach = Scope::Selector(scope.into()).condition(&self.core.selectors.env());
                Some(within(db, machine, reach).await?)
            }
            None => None,
        };
        let verdict = match (&grant, broken, scope_matches) {
            (None, ..) => Verdict::LacksPermission,
            (Some(_), true, _) => Verdict::BrokenScope,
            (Some(_), false, Some(false)) => Verdict::OutOfScope,
            (Some(_), false, _) => Verdict::Allows,
        };
        Ok(Step {
            role: role.name.clone(),
            near: if grant.is_some() { Vec::new() } else { near(&held, &question.permission) },
            grant,
            scope: scope.into(),
            scope_matches,
            verdict,
        })
    }

    /// Roles that hold a permission.
    async fn roles_with(&self, permission: &str) -> Result<Vec<String>, AccountError> {
        let rows = store::roles(self.core.db.read(), None, 500).await?;
        let holds = |r: &role::Model| permissions_of(r, &self.core.permissions).allows(permission);
        Ok(rows.into_iter().filter(holds).map(|r| r.name).collect())
    }

    /// What makes a refusal helpful: roles of the actor that come close, roles that would do, and who can give them.
    pub async fn help_for(&self, ctx: &Ctx, permission: &str) -> Result<Help, AccountError> {
        let db = self.core.db.read();
        let own = match ctx.actor.user_id() {
            Some(id) => store::roles_of(db, &[id]).await?.remove(&id).unwrap_or_default(),
            None => Vec::new(),
        };
        let mut close_roles: Vec<CloseRole> = own
            .iter()
            .map(|r| CloseRole {
                role: r.name.clone(),
                near: near(&permissions_of(r, &self.core.permissions), permission),
            })
            .filter(|r| !r.near.is_empty())
            .collect();
        close_roles.sort_by(|a, b| a.role.cmp(&b.role));
        Ok(Help {
            close_roles,
            roles_with_permission: self.roles_with(permission).await?,
            ask: self.administrators().await?,
        })
    }

    /// Names of a few users who may give roles with everything in them.
    async fn administrators(&self) -> Result<Vec<String>, AccountError> {
        let db = self.core.db.read();
        let Some(admin) = role::Entity::find().filter(role::Column::Name.eq("admin")).one(db).await? else {
            return Ok(Vec::new());
        };
        let links = user_role::Entity::find()
            .filter(user_role::Column::RoleId.eq(admin.id))
            .limit(HELPERS)
            .all(db)
            .await?;
        let users = user::Entity::find()
            .filter(user::Column::Id.is_in(links.into_iter().map(|l| l.user_id)))
            .filter(user::Column::State.eq("active"))
            .all(db)
            .await?;
        let mut names: Vec<String> = users.into_iter().map(|u| u.display_name).collect();
        names.sort();
        Ok(names)
    }
}

/// A role that comes close.
#[derive(Debug, Clone, Serialize)]
pub struct CloseRole {
    role: String,
    near: Vec<String>,
}

/// What a refusal adds.
#[derive(Debug, Clone, Serialize)]
pub struct Help {
    /// Roles of the actor with other permissions in the same area.
    pub close_roles: Vec<CloseRole>,
    /// Roles that hold the permission.
    pub roles_with_permission: Vec<String>,
    /// Names of people who can give one.
    pub ask: Vec<String>,
}

/// Permissions of a set in the area of another: `machines:read` is near `machines:approve`.
fn near(held: &PermissionSet, permission: &str) -> Vec<String> {
    let area = permission.rsplit_once(':').map_or(permission, |(area, _)| area);
    held.patterns().filter(|p| p.rsplit_once(':').is_some_and(|(a, _)| a == area)).map(String::from).collect()
}

async fn within(db: &impl ConnectionTrait, machine: Uuid, scope: Condition) -> Result<bool, AccountError> {
    let found = Query::select()
        .column("id")
        .from("machines")
        .and_where(Expr::col(("machines", "id")).eq(machine))
        .cond_where(scope)
        .to_owned();
    Ok(db.query_one(&found).await?.is_some())
}

fn reason(name: &str, active: bool, question: &AccessQuestion, path: &[Step]) -> String {
    let permission = &question.permission;
    if !active {
        return format!("{name} is disabled, so nothing is allowed.");
    }
    let with = |v: Verdict| path.iter().find(|s| s.verdict == v);
    if let Some(step) = with(Verdict::Allows) {
        let place = match (step.scope.as_str(), question.machine) {
            ("", _) => "on every machine".to_owned(),
            (scope, Some(_)) => format!("and its scope `{scope}` holds this machine"),
            (scope, None) => format!("on machines in its scope `{scope}`"),
        };
        let grant = step.grant.as_deref().unwrap_or(permission);
        return format!("{name} may: the role `{}` grants `{grant}` {place}.", step.role);
    }
    if let Some(step) = with(Verdict::OutOfScope) {
        return format!(
            "{name} may not here: the role `{}` grants `{permission}`, but its scope `{}` does not hold this machine.",
            step.role, step.scope
        );
    }
    if let Some(step) = with(Verdict::BrokenScope) {
        return format!(
            "{name} may not: the scope `{}` of the role `{}` is no selector any more, so the role reaches nothing.",
            step.scope, step.role
        );
    }
    match path.is_empty() {
        true => format!("{name} may not: no role was given."),
        false => format!("{name} may not: none of the roles grants `{permission}`."),
    }
}
