//! Enrolment: tokens, and agents that ask to join with them.

use std::net::IpAddr;

use agent_protocol::{
    enroll::{EnrollAnswer, EnrollRequest, PollRequest, poll_proof_message},
    session::MachineFacts,
};
use base64::Engine as _;
use chrono::{DateTime, Duration, Utc};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    EnrolmentToken, MachineError, MachineState, Machines, NewEnrolmentToken,
    entity::{machine, token},
    indexing,
    service::{check_tags, facts_row},
    store, tag_store,
};
use crate::{
    audit::Change, ctx::Ctx, events::NewEvent, http::Page, pki::CertificateSigningRequest, selector::Net,
};

/// How long agents wait between polls, in seconds.
const POLL_AFTER_S: u32 = 5;
/// Longest life of a token, in seconds.
const MAX_TOKEN_LIFE_S: u32 = 366 * 86_400;

/// A token to make.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// What it is for.
    pub name: String,
    /// Tags its machines get.
    pub tags: Vec<String>,
    /// Whether its machines need no approval.
    pub auto_approve: bool,
    /// How often it may be used; no limit when absent.
    pub max_uses: Option<u32>,
    /// Seconds until it ends.
    pub expires_in_s: u32,
    /// Networks such as `10.0.0.0/8` from which it approves; from everywhere when empty.
    pub approve_networks: Vec<String>,
}

fn secret() -> Result<String, MachineError> {
    let mut bytes = [0; 32];
    let failed = |_| sea_orm::DbErr::Custom("the system has no random numbers".into());
    SystemRandom::new().fill(&mut bytes).map_err(failed)?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

fn hash(secret: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, secret.as_bytes()).as_ref())
}

impl Machines {
    /// Make a token. Its secret is in the answer and nowhere else. One that approves needs `machines:approve` too.
    pub async fn create_token(
        &self,
        ctx: &Ctx,
        new: TokenRequest,
    ) -> Result<NewEnrolmentToken, MachineError> {
        ctx.require("machines:enrol")?;
        if new.auto_approve {
            ctx.require("machines:approve")?;
        }
        check_tags(&new.tags)?;
        self.by_hand(&new.tags).await?;
        check_networks(&new.approve_networks)?;
        if new.name.len() > 200 {
            return Err(MachineError::Invalid {
                field: "name",
                detail: "A name has at most 200 bytes.".into(),
            });
        }
        let token = format!("smt_{}", secret()?);
        let now = self.core.clock.now();
        let life = new.expires_in_s.clamp(1, MAX_TOKEN_LIFE_S);
        let row = token::Model {
            id: Uuid::now_v7(),
            name: new.name,
            token_hash: hash(&token),
            tags: json!(new.tags),
            auto_approve: new.auto_approve,
            max_uses: new.max_uses.map(|n| n.clamp(1, i32::MAX as u32) as i32),
            uses: 0,
            created_at: now,
            created_by: ctx.actor.to_string(),
            expires_at: now + Duration::seconds(life.into()),
            revoked_at: None,
            approve_networks: Some(json!(new.approve_networks)),
            last_used_at: None,
        };
        let tx = self.core.db.begin().await?;
        token::Entity::insert(token::ActiveModel::from(row.clone())).exec_without_returning(&tx).await?;
        let facts = EnrolmentToken::of(row, now);
        let change = Change::new("enrolment_token.created", "enrolment_token", facts.id).after(&facts);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        let ca_fingerprint = self.core.pki.authority.fingerprint().to_string();
        let url = self.gateway_url();
        let command = format!(
            "sysmanage-agent enroll --server {url} --token {token} --ca-fingerprint {ca_fingerprint}"
        );
        Ok(NewEnrolmentToken { facts, token, ca_fingerprint, command, install_command: String::new() })
    }

    /// Tokens, newest first.
    pub async fn list_tokens(
        &self,
        ctx: &Ctx,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<EnrolmentToken>, MachineError> {
        ctx.require("machines:enrol")?;
        let mut query = token::Entity::find();
        if let Some(after) = after {
            query = query.filter(token::Column::Id.lt(after));
        }
        let rows = query.order_by_desc(token::Column::Id).limit(limit + 1).all(self.core.db.read()).await?;
        Ok(Page::cut(rows, limit, |row| row.id.to_string())
            .map(|row| EnrolmentToken::of(row, self.core.clock.now())))
    }

    /// Revoke a token. Machines that joined with it stay.
    pub async fn revoke_token(&self, ctx: &Ctx, id: Uuid) -> Result<(), MachineError> {
        ctx.require("machines:enrol")?;
        let tx = self.core.db.begin().await?;
        let changed = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, Expr::value(self.core.clock.now()))
            .filter(token::Column::Id.eq(id))
            .filter(token::Column::RevokedAt.is_null())
            .exec(&tx)
            .await?;
        if changed.rows_affected == 0 {
            return Err(MachineError::NotFound("enrolment token"));
        }
        let change = Change::new("enrolment_token.revoked", "enrolment_token", id);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// An agent asks to join. The same key again answers the machine's present state, with a new handle.
    pub(crate) async fn enroll(
        &self,
        ctx: &Ctx,
        request: EnrollRequest,
    ) -> Result<EnrollAnswer, MachineError> {
        let wrong = |field| MachineError::Invalid { field, detail: "The facts break a limit.".into() };
        request.facts.within_limits().map_err(wrong)?;
        if request.agent_version.len() > 100 || request.token.len() > 200 {
            return Err(wrong("agent_version"));
        }
        let csr = CertificateSigningRequest::from_pem(&request.csr_pem)?;
        let handle = secret()?;
        let now = self.core.clock.now();
        // Looked at before the writer is taken: strangers must not be able to hold it.
        usable_token(self.core.db.read(), &request.token, now).await?;
        let tx = self.core.db.begin().await?;
        let token = usable_token(&tx, &request.token, now).await?;
        let known = store::by_key(&tx, csr.fingerprint().as_str()).await?;
        let id = match known {
            Some(row) => {
                let set = machine::ActiveModel { poll_handle_hash: Set(hash(&handle)), ..Default::default() };
                store::update(&tx, row.id, set).await?;
                row.id
            }
            None => self.join(ctx, &tx, &request, &csr, &token, &handle).await?,
        };
        let row = store::get(&tx, id).await?.ok_or(MachineError::NotFound("machine"))?;
        tx.commit().await?;
        if row.created_at == now {
            let data = json!({"machine_id": id, "name": row.name, "state": row.state});
            self.core.events.publish(NewEvent::new("machine.enrolled", "machines:read", data).machine(id));
        }
        self.answer(row, Some(handle))
    }

    async fn join(
        &self,
        ctx: &Ctx,
        tx: &sea_orm::DatabaseTransaction,
        request: &EnrollRequest,
        csr: &CertificateSigningRequest,
        token: &token::Model,
        handle: &str,
    ) -> Result<Uuid, MachineError> {
        if token.max_uses.is_some_and(|most| token.uses >= most) {
            return Err(MachineError::BadToken);
        }
        let now = self.core.clock.now();
        let id = Uuid::now_v7();
        token::Entity::update_many()
            .col_expr(token::Column::Uses, Expr::col(token::Column::Uses).add(1))
            .col_expr(token::Column::LastUsedAt, Expr::value(now))
            .filter(token::Column::Id.eq(token.id))
            .exec(tx)
            .await?;
        // A licence that is full leaves the machine for an administrator to decide.
        let admitted =
            token.auto_approve && may_approve(token, ctx.client_ip) && self.admits(tx).await.is_ok();
        let state = if admitted { MachineState::Approved } else { MachineState::Pending };
        let row = machine::ActiveModel {
            id: Set(id),
            name: Set(name_of(&request.facts, id)),
            state: Set(state.name().into()),
            key_fingerprint: Set(csr.fingerprint().as_str().into()),
            public_key: Set(csr.public_key().to_vec()),
            poll_handle_hash: Set(hash(handle)),
            notes: Set(String::new()),
            online: Set(false),
            last_seen_at: Set(None),
            last_ip: Set(ctx.client_ip.map(|ip| ip.to_string())),
            enrolment_token_id: Set(Some(token.id)),
            created_at: Set(now),
            updated_at: Set(now),
            decided_at: Set(admitted.then_some(now)),
            decided_by: Set(admitted.then(|| format!("enrolment_token:{}", token.id))),
            ..facts_row(&request.facts, &request.agent_version)
        };
        machine::Entity::insert(row).exec_without_returning(tx).await?;
        indexing::set_addresses(tx, id, &request.facts.addresses).await?;
        indexing::set_hardware(tx, id, &request.facts.hardware).await?;
        let mut tags: Vec<String> = serde_json::from_value(token.tags.clone()).unwrap_or_default();
        // A tag may have got a rule since the token was made.
        let automatic = tag_store::automatic(tx).await?;
        tags.retain(|tag| !automatic.contains_key(tag));
        store::set_tags(tx, id, &tags).await?;
        let change = Change::new("machine.enrolled", "machine", id).after(json!({
            "hostname": request.facts.hostname, "key_fingerprint": csr.fingerprint().as_str(),
            "state": state, "token": token.name, "tags": tags,
        }));
        self.core.audit.record_in(ctx, tx, change).await?;
        Ok(id)
    }

    /// An agent asks whether it may come in. It shows the handle, and that it holds the key.
    pub(crate) async fn poll(&self, request: PollRequest) -> Result<EnrollAnswer, MachineError> {
        if request.handle.len() > 200 || request.proof.len() > 400 {
            return Err(MachineError::BadProof);
        }
        let row = store::by_handle(self.core.db.read(), &hash(&request.handle)).await?;
        let row = row.ok_or(MachineError::BadProof)?;
        let proof = base64::engine::general_purpose::STANDARD
            .decode(&request.proof)
            .map_err(|_| MachineError::BadProof)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &row.public_key)
            .verify(&poll_proof_message(&request.handle), &proof)
            .map_err(|_| MachineError::BadProof)?;
        self.answer(row, None)
    }

    fn answer(&self, row: machine::Model, handle: Option<String>) -> Result<EnrollAnswer, MachineError> {
        let machine_id = row.id;
        Ok(match MachineState::parse(&row.state) {
            MachineState::Pending => EnrollAnswer::Pending { machine_id, handle, poll_after_s: POLL_AFTER_S },
            MachineState::Rejected => EnrollAnswer::Rejected { machine_id },
            MachineState::Approved => {
                let issued = self.certificate(machine_id, &row.public_key)?;
                EnrollAnswer::Approved {
                    machine_id,
                    handle,
                    chain_pem: issued.chain_pem,
                    not_after: issued.not_after.timestamp_millis(),
                }
            }
        })
    }
}

/// Whether a token approves machines that come from this address.
fn may_approve(token: &token::Model, address: Option<IpAddr>) -> bool {
    let networks: Vec<String> =
        token.approve_networks.clone().and_then(|n| serde_json::from_value(n).ok()).unwrap_or_default();
    let holds = |net: &String| address.is_some_and(|a| Net::parse(net).is_some_and(|net| net.holds(a)));
    networks.is_empty() || networks.iter().any(holds)
}

fn check_networks(networks: &[String]) -> Result<(), MachineError> {
    if networks.len() <= 50 && networks.iter().all(|net| Net::parse(net).is_some()) {
        return Ok(());
    }
    let detail = "Networks are written as `10.0.0.0/8` or `fd00::/8`, at most 50 of them.".into();
    Err(MachineError::Invalid { field: "approve_networks", detail })
}

async fn usable_token(
    db: &impl ConnectionTrait,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<token::Model, MachineError> {
    let row = token::Entity::find().filter(token::Column::TokenHash.eq(hash(secret))).one(db).await?;
    row.filter(|t| t.revoked_at.is_none() && t.expires_at > now).ok_or(MachineError::BadToken)
}

fn name_of(facts: &MachineFacts, id: Uuid) -> String {
    match facts.hostname.trim() {
        "" => format!("machine-{}", &id.simple().to_string()[20..]),
        name => name.to_owned(),
    }
}
