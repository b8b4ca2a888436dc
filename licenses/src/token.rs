//! The token: a compact JWS whose algorithm is EdDSA and nothing else.

use crate::{Claims, Error};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use trust::{Chain, KeyId, Kind, Signature, TrustStore, Usage, VerifiedSigner};

const ALGORITHM: &str = "EdDSA";
const TYPE: &str = "sysmanage-license";

/// The header, exactly: a field more or less is a refusal, so there is no `crit`, `jwk` or `x5u` to be talked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: KeyId,
    chain: Chain,
}

/// What is signed for a licence: `base64url(header).base64url(claims)`. Only the issuer can put a signature after it.
pub fn signing_input(chain: &Chain, key: &KeyId, claims: &Claims) -> String {
    let header =
        Header { alg: ALGORITHM.to_owned(), typ: TYPE.to_owned(), kid: key.clone(), chain: chain.clone() };
    let header = serde_json::to_vec(&header).expect("strings always serialise");
    let claims = serde_json::to_vec(claims).expect("strings and numbers always serialise");
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// A token that was read, and not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedToken {
    header: Header,
    claims: Claims,
    signing_input: String,
    signature: Signature,
}

impl UnverifiedToken {
    /// Longest token, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Read a token. White space around it is ignored. Nothing is verified.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Malformed`], [`Error::WrongAlgorithm`], [`Error::WrongType`],
    /// [`Error::UnsupportedFormat`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(Error::TooLarge(Self::MAX_BYTES));
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or_else(not_three_parts)?;
        let (header, claims) = signing_input.split_once('.').ok_or_else(not_three_parts)?;
        let header = parse_header(&part(header)?)?;
        let claims = parse_claims(&part(claims)?)?;
        let signature = signature.parse().map_err(Error::malformed)?;
        Ok(Self { header, claims, signing_input: signing_input.to_owned(), signature })
    }

    /// What it says. Believe it only after verification.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    fn verify(self, store: &TrustStore) -> Result<License, Error> {
        let signer = store.verify_chain(&self.header.chain, Usage::License, self.claims.iat)?;
        if self.header.kid != signer.key_id {
            let found = self.header.kid;
            return Err(trust::Error::WrongKey { expected: signer.key_id, found }.into());
        }
        signer.key.verify(Kind::License, self.signing_input.as_bytes(), &self.signature)?;
        self.claims.engines.iter().try_for_each(|grant| signer.speaks_for(&grant.id))?;
        let token = format!("{}.{}", self.signing_input, self.signature);
        Ok(License { claims: self.claims, signer, token })
    }
}

fn not_three_parts() -> Error {
    Error::malformed("not `header.claims.signature`")
}

fn part(text: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(Error::malformed)
}

fn parse_header(json: &[u8]) -> Result<Header, Error> {
    // The algorithm is told apart first: a token of another kind should say so, whatever else its header holds.
    #[derive(Deserialize)]
    struct Names {
        alg: String,
        typ: Option<String>,
    }
    let names: Names = serde_json::from_slice(json).map_err(Error::malformed)?;
    if names.alg != ALGORITHM {
        return Err(Error::WrongAlgorithm);
    }
    if names.typ.as_deref() != Some(TYPE) {
        return Err(Error::WrongType);
    }
    serde_json::from_slice(json).map_err(Error::malformed)
}

fn parse_claims(json: &[u8]) -> Result<Claims, Error> {
    #[derive(Deserialize)]
    struct Head {
        v: u32,
    }
    let head: Head = serde_json::from_slice(json).map_err(Error::malformed)?;
    if head.v != Claims::FORMAT {
        return Err(Error::UnsupportedFormat(head.v));
    }
    let claims: Claims = serde_json::from_slice(json).map_err(Error::malformed)?;
    match claims.fault() {
        Some(fault) => Err(Error::malformed(fault)),
        None => Ok(claims),
    }
}

/// A verified licence: made only by [`License::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License {
    claims: Claims,
    signer: VerifiedSigner,
    token: String,
}

impl License {
    /// Read and verify a token: signature, chain (as of the token's `iat`), and that it names only engines that its signer
    /// may speak for. Whether it grants anything now is for [`crate::decide`].
    ///
    /// # Errors
    /// Every refusal of a token.
    pub fn verify(token: &str, store: &TrustStore) -> Result<Self, Error> {
        UnverifiedToken::parse(token)?.verify(store)
    }

    /// What it says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Who signed it.
    pub fn signer(&self) -> &VerifiedSigner {
        &self.signer
    }

    /// The token it was read from. Whoever has it has the licence: do not log it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Why it was revoked, if it or a certificate of its chain was.
    pub fn revoked(&self, revocations: &trust::Revocations) -> Option<String> {
        if let Some(reason) = revocations.license(&self.signer.realm, &self.claims.id) {
            return Some(reason.to_owned());
        }
        revocations.check_signer(&self.signer).err().map(|error| error.to_string())
    }
}
