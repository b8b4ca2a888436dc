//! Members of an organisation, and whom to invite.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, Redirect},
};
use http::Method;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    format,
    layout::{button, field, section},
};
use crate::{
    accounts::{Invitation, Member, NewInvitation},
    app::App,
    ctx::{Ctx, Permission, Role},
    http::{Access, Form, Path, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (read, manage) =
        (Access::Member(Permission::OrganisationRead), Access::Member(Permission::MembersManage));
    routes
        .on(Method::GET, "/organisations/{org}/members", read, list)
        .on(Method::POST, "/organisations/{org}/invitations", manage, invite)
        .on(Method::POST, "/organisations/{org}/invitations/{id}/withdraw", manage, withdraw)
        .on(Method::POST, "/organisations/{org}/members/{user}/role", manage, set_role)
        .on(Method::POST, "/organisations/{org}/members/{user}/remove", read, remove)
}

#[derive(Deserialize)]
struct InRole {
    role: Role,
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Result<Html<String>, Problem> {
    show(&ctx, &app, org, None).await
}

async fn show(ctx: &Ctx, app: &App, org: Uuid, made: Option<&Invitation>) -> Result<Html<String>, Problem> {
    let manages = ctx.allows(org, Permission::MembersManage);
    let members = app.accounts.members(ctx, org).await?;
    let invitations = if manages { app.accounts.invitations(ctx, org).await? } else { Vec::new() };
    let content = html! {
        @if let Some((made, link)) = made.and_then(|made| Some((made, made.link.as_ref()?))) {
            div.notice role="status" {
                p { "Send this link to " (made.email) ". It works once, until " (format::day(made.expires_at)) "." }
                p { code { (link) } }
            }
        }
        div.scroll {
            table {
                thead { tr { th { "Name" } th { "Address" } th { "Role" } th { span.dimmed { "Change" } } } }
                tbody { @for member in &members { (row(ctx, org, member, manages)) } }
            }
        }
        @if manages {
            h2 { "Invite" }
            form.row method="post" action={ "/organisations/" (org) "/invitations" } {
                (field("Address", html! { input type="email" name="email" required; }))
                (field("Role", roles(Role::Technical)))
                button type="submit" { "Invite" }
            }
            @if !invitations.is_empty() { h2 { "Open invitations" } }
            @for open in &invitations {
                p {
                    (open.email) " as " (open.role) ", until " (format::day(open.expires_at)) " "
                    (button(&format!("/organisations/{org}/invitations/{}/withdraw", open.id), "Withdraw", "light"))
                }
            }
        }
    };
    Ok(section(ctx, org, "/members", "Members", content))
}

fn row(ctx: &Ctx, org: Uuid, member: &Member, manages: bool) -> Markup {
    let path = format!("/organisations/{org}/members/{}", member.user);
    let oneself = ctx.actor.user() == Some(member.user);
    html! {
        tr {
            td { (member.name) }
            td { (member.email) }
            td { (member.role.name()) }
            td {
                @if manages {
                    form.inline method="post" action={ (path) "/role" } {
                        span { (roles(member.role)) } " "
                        button.light type="submit" { "Set role" }
                    } " "
                }
                @if manages || oneself {
                    (button(&format!("{path}/remove"), if oneself { "Leave" } else { "Remove" }, "light"))
                }
            }
        }
    }
}

fn roles(selected: Role) -> Markup {
    html! {
        select name="role" aria-label="Role" {
            @for role in Role::ALL { option value=(role.name()) selected[role == selected] { (role.name()) } }
        }
    }
}

async fn invite(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Form(new): Form<NewInvitation>,
) -> Result<Html<String>, Problem> {
    let made = app.accounts.invite(&ctx, org, new).await?;
    show(&ctx, &app, org, Some(&made)).await
}

async fn withdraw(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<Redirect, Problem> {
    app.accounts.withdraw_invitation(&ctx, org, id).await?;
    Ok(Redirect::to(&format!("/organisations/{org}/members")))
}

async fn set_role(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, user)): Path<(Uuid, Uuid)>,
    Form(new): Form<InRole>,
) -> Result<Redirect, Problem> {
    app.accounts.set_role(&ctx, org, user, new.role).await?;
    Ok(Redirect::to(&format!("/organisations/{org}/members")))
}

async fn remove(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, user)): Path<(Uuid, Uuid)>,
) -> Result<Redirect, Problem> {
    app.accounts.remove_member(&ctx, org, user).await?;
    let left = ctx.actor.user() == Some(user);
    Ok(Redirect::to(&if left { "/organisations".into() } else { format!("/organisations/{org}/members") }))
}
