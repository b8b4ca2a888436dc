//! `/api/v1`: session, me, organisations, members, invitations, tokens.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    CreatedToken, Enrolment, Invitation, Member, NewInvitation, NewSession, NewToken, Organisation,
    SecondFactor, SignUp, SignedIn as SignedInAs, Token, User, entity::organisation,
};
use crate::{
    app::App,
    ctx::{Ctx, Permission, Role},
    http::{Access, Items, Json, Path, Query, Routes, require_same_origin},
    problem::Problem,
};

type Answer<T> = Result<Json<T>, Problem>;

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    use Access::{Member, Public, SignedIn, Staff};
    let org = "/api/v1/organisations/{org}";
    let members = "/api/v1/organisations/{org}/members/{user}";
    let invitations = "/api/v1/organisations/{org}/invitations";
    let tokens = "/api/v1/organisations/{org}/tokens";
    routes
        .on(Method::POST, "/api/v1/sign-up", Public, sign_up)
        .takes::<SignUp>()
        .on(Method::POST, "/api/v1/session", Public, sign_in)
        .takes::<SignIn>()
        .on(Method::POST, "/api/v1/session/code", Public, sign_in_with_code)
        .takes::<HalfSession>()
        .on(Method::DELETE, "/api/v1/session", SignedIn, sign_out)
        .on(Method::GET, "/api/v1/me", SignedIn, me)
        .on(Method::GET, "/api/v1/me/second-factor", SignedIn, second_factor)
        .answers::<SecondFactor>()
        .on(Method::POST, "/api/v1/me/second-factor", SignedIn, begin_second_factor)
        .takes::<Password>()
        .answers::<Enrolment>()
        .on(Method::POST, "/api/v1/me/second-factor/confirm", SignedIn, confirm_second_factor)
        .takes::<Code>()
        .on(Method::POST, "/api/v1/me/second-factor/codes", SignedIn, renew_recovery_codes)
        .takes::<Password>()
        .on(Method::DELETE, "/api/v1/me/second-factor", SignedIn, disable_second_factor)
        .takes::<Password>()
        .on(Method::GET, "/api/v1/organisations", SignedIn, organisations)
        .on(Method::POST, "/api/v1/organisations", SignedIn, create_organisation)
        .takes::<Named>()
        .on(Method::GET, org, Member(Permission::OrganisationRead), get_organisation)
        .on(Method::PATCH, org, Member(Permission::OrganisationManage), rename)
        .takes::<Named>()
        .on(
            Method::GET,
            "/api/v1/organisations/{org}/members",
            Member(Permission::OrganisationRead),
            list_members,
        )
        .on(Method::PATCH, members, Member(Permission::MembersManage), set_role)
        .takes::<InRole>()
        // Everybody may leave; the service asks who removes others.
        .on(Method::DELETE, members, Member(Permission::OrganisationRead), remove_member)
        .on(Method::GET, invitations, Member(Permission::MembersManage), list_invitations)
        .on(Method::POST, invitations, Member(Permission::MembersManage), invite)
        .takes::<NewInvitation>()
        .on(
            Method::DELETE,
            "/api/v1/organisations/{org}/invitations/{id}",
            Member(Permission::MembersManage),
            withdraw,
        )
        .on(Method::POST, "/api/v1/invitations/-/accept", SignedIn, accept)
        .takes::<Accept>()
        .on(Method::GET, tokens, Member(Permission::OrganisationRead), list_tokens)
        .on(Method::POST, tokens, Member(Permission::OrganisationRead), create_token)
        .takes::<NewToken>()
        .on(
            Method::DELETE,
            "/api/v1/organisations/{org}/tokens/{id}",
            Member(Permission::OrganisationRead),
            revoke_token,
        )
        .on(Method::GET, "/api/v1/vendor/customers", Staff, customers)
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: String,
}

#[derive(Serialize)]
struct CodeWanted {
    next: &'static str,
    half_session: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct HalfSession {
    half_session: String,
    code: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Password {
    password: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct InRole {
    role: Role,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Accept {
    token: String,
}

#[derive(Deserialize)]
struct After {
    after: Option<Uuid>,
}

#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    user: User,
    organisations: Vec<Organisation>,
}

async fn sign_up(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: http::HeaderMap,
    Json(new): Json<SignUp>,
) -> Result<Response, Problem> {
    require_same_origin(&headers)?;
    Ok(with_cookie(&app, app.accounts.sign_up(&ctx, new).await?))
}

async fn sign_in(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: http::HeaderMap,
    Json(who): Json<SignIn>,
) -> Result<Response, Problem> {
    require_same_origin(&headers)?;
    Ok(match app.accounts.sign_in(&ctx, &who.email, &who.password).await? {
        SignedInAs::Session(session) => with_cookie(&app, session),
        SignedInAs::CodeWanted(half_session) => {
            (StatusCode::ACCEPTED, Json(CodeWanted { next: "code", half_session })).into_response()
        }
    })
}

async fn sign_in_with_code(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: http::HeaderMap,
    Json(half): Json<HalfSession>,
) -> Result<Response, Problem> {
    require_same_origin(&headers)?;
    let session = app.accounts.sign_in_with_code(&ctx, &half.half_session, &half.code).await?;
    Ok(with_cookie(&app, session))
}

async fn second_factor(ctx: Ctx, State(app): State<Arc<App>>) -> Answer<SecondFactor> {
    Ok(Json(app.accounts.own_second_factor(&ctx).await?))
}

async fn begin_second_factor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Password>,
) -> Result<(StatusCode, Json<Enrolment>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.begin_second_factor(&ctx, &body.password).await?)))
}

async fn confirm_second_factor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Code>,
) -> Answer<Items<String>> {
    Ok(Json(Items { items: app.accounts.confirm_second_factor(&ctx, &body.code).await? }))
}

async fn renew_recovery_codes(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Password>,
) -> Answer<Items<String>> {
    Ok(Json(Items { items: app.accounts.renew_recovery_codes(&ctx, &body.password).await? }))
}

async fn disable_second_factor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<Password>,
) -> Result<StatusCode, Problem> {
    app.accounts.disable_second_factor(&ctx, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn with_cookie(app: &App, new: NewSession) -> Response {
    let cookie = [(header::SET_COOKIE, app.cookie_of(&new))];
    (StatusCode::CREATED, cookie, Json(new.user)).into_response()
}

async fn sign_out(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    app.accounts.sign_out(&ctx).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, app.no_cookie())]).into_response())
}

async fn me(ctx: Ctx, State(app): State<Arc<App>>) -> Answer<Me> {
    let user = app.accounts.me(&ctx).await?;
    Ok(Json(Me { user, organisations: app.accounts.organisations(&ctx).await? }))
}

async fn organisations(ctx: Ctx, State(app): State<Arc<App>>) -> Answer<Items<Organisation>> {
    Ok(Json(Items { items: app.accounts.organisations(&ctx).await? }))
}

async fn create_organisation(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(new): Json<Named>,
) -> Result<(StatusCode, Json<organisation::Model>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.create_organisation(&ctx, &new.name).await?)))
}

async fn get_organisation(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Answer<Organisation> {
    Ok(Json(app.accounts.organisation(&ctx, org).await?))
}

async fn rename(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Json(new): Json<Named>,
) -> Answer<organisation::Model> {
    Ok(Json(app.accounts.rename_organisation(&ctx, org, &new.name).await?))
}

async fn list_members(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Answer<Items<Member>> {
    Ok(Json(Items { items: app.accounts.members(&ctx, org).await? }))
}

async fn set_role(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, user)): Path<(Uuid, Uuid)>,
    Json(new): Json<InRole>,
) -> Result<StatusCode, Problem> {
    app.accounts.set_role(&ctx, org, user, new.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_member(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, user)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    app.accounts.remove_member(&ctx, org, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_invitations(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Answer<Items<Invitation>> {
    Ok(Json(Items { items: app.accounts.invitations(&ctx, org).await? }))
}

async fn invite(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Json(new): Json<NewInvitation>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.invite(&ctx, org, new).await?)))
}

async fn withdraw(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    app.accounts.withdraw_invitation(&ctx, org, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn accept(ctx: Ctx, State(app): State<Arc<App>>, Json(body): Json<Accept>) -> Answer<Organisation> {
    Ok(Json(app.accounts.accept_invitation(&ctx, &body.token).await?))
}

async fn list_tokens(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Answer<Items<Token>> {
    Ok(Json(Items { items: app.accounts.tokens(&ctx, org).await? }))
}

async fn create_token(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.create_token(&ctx, org, new).await?)))
}

async fn revoke_token(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    app.accounts.revoke_token(&ctx, org, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn customers(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<After>,
) -> Answer<Items<organisation::Model>> {
    Ok(Json(Items { items: app.accounts.customers(&ctx, page.after).await? }))
}
