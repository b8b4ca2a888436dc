//! A private key in a hardware module, by PKCS#11: found by token and label, and never in this program's memory.

use crate::{SignError, Signer};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use trust::{PublicKey, Signature};
use zeroize::Zeroizing;

/// Modules are opened once and stay: closing one ends every session of the program with it.
static MODULES: LazyLock<Mutex<HashMap<PathBuf, Pkcs11>>> = LazyLock::new(Mutex::default);

/// Where a key is.
pub struct Pkcs11Key {
    /// The module's library.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// Label of the key, private and public half alike.
    pub label: String,
    /// PIN of the token's user.
    pub pin: Zeroizing<String>,
}

/// Signs with a key that stays where it is.
pub struct Pkcs11Signer {
    key: Pkcs11Key,
    public: PublicKey,
    /// One signature at a time; a session that broke is opened anew.
    session: Mutex<Option<(Session, ObjectHandle)>>,
}

fn unavailable(what: &str, error: impl std::fmt::Display) -> SignError {
    SignError::Unavailable(format!("{what}: {error}"))
}

impl Pkcs11Signer {
    /// Find the key and its public half.
    ///
    /// # Errors
    /// [`SignError::Unavailable`] where module, token or key does not answer, [`SignError::NotAKey`] where the key is none of
    /// Ed25519.
    pub fn open(key: Pkcs11Key) -> Result<Self, SignError> {
        let (session, private) = key.session()?;
        let public = key.public(&session)?;
        Ok(Self { key, public, session: Mutex::new(Some((session, private))) })
    }
}

impl Signer for Pkcs11Signer {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        let mut held = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signature) = held.as_ref().and_then(|(session, key)| sign(session, *key, bytes).ok()) {
            return Ok(signature);
        }
        // The module was away, or has forgotten this session: once more, from the beginning.
        *held = None;
        let (session, key) = self.key.session()?;
        let signature = sign(&session, key, bytes)?;
        *held = Some((session, key));
        Ok(signature)
    }
}

fn sign(session: &Session, key: ObjectHandle, bytes: &[u8]) -> Result<Signature, SignError> {
    let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
    let signature =
        session.sign(&mechanism, key, bytes).map_err(|e| unavailable("the module does not sign", e))?;
    let bytes: [u8; 64] = signature
        .try_into()
        .map_err(|_| SignError::NotAKey("its signatures are not of 64 bytes".to_owned()))?;
    Ok(Signature::from_bytes(bytes))
}

impl Pkcs11Key {
    fn session(&self) -> Result<(Session, ObjectHandle), SignError> {
        let module = module(&self.module)?;
        let slots = module.get_slots_with_token().map_err(|e| unavailable("the module has no slots", e))?;
        let named = |slot: &cryptoki::slot::Slot| {
            module.get_token_info(*slot).is_ok_and(|info| info.label().trim() == self.token)
        };
        let slot = slots
            .into_iter()
            .find(named)
            .ok_or_else(|| SignError::Unavailable(format!("the module has no token `{}`", self.token)))?;
        let session = module.open_ro_session(slot).map_err(|e| unavailable("the token has no session", e))?;
        let pin = AuthPin::new(self.pin.as_str().into());
        match session.login(UserType::User, Some(&pin)) {
            // One login counts for all of the program's sessions with a token.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(unavailable("the token does not take the PIN", error)),
        }
        let key = self.find(&session, ObjectClass::PRIVATE_KEY)?;
        Ok((session, key))
    }

    fn find(&self, session: &Session, class: ObjectClass) -> Result<ObjectHandle, SignError> {
        let wanted = [Attribute::Class(class), Attribute::Label(self.label.clone().into_bytes())];
        let found = session.find_objects(&wanted).map_err(|e| unavailable("the token does not search", e))?;
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(SignError::Unavailable(format!("token `{}` has no key `{}`", self.token, self.label))),
            _ => Err(SignError::Unavailable(format!(
                "token `{}` has several keys `{}`",
                self.token, self.label
            ))),
        }
    }

    /// The public half: an octet string of 32 bytes, as DER or bare.
    fn public(&self, session: &Session) -> Result<PublicKey, SignError> {
        let key = self.find(session, ObjectClass::PUBLIC_KEY)?;
        let told = session
            .get_attributes(key, &[AttributeType::EcPoint])
            .map_err(|e| unavailable("the token does not tell the public key", e))?;
        let point = told.into_iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(point) => Some(point),
            _ => None,
        });
        let point = point.unwrap_or_default();
        let bare = point.strip_prefix(&[0x04, 0x20]).unwrap_or(&point);
        let bytes: [u8; 32] =
            bare.try_into().map_err(|_| SignError::NotAKey(format!("`{}` is not of Ed25519", self.label)))?;
        Ok(PublicKey::from_bytes(bytes))
    }
}

fn module(path: &Path) -> Result<Pkcs11, SignError> {
    let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = modules.get(path) {
        return Ok(module.clone());
    }
    let named = format!("the module {}", path.display());
    let module = Pkcs11::new(path).map_err(|e| unavailable(&named, e))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(unavailable(&named, error)),
    }
    modules.insert(path.to_owned(), module.clone());
    Ok(module)
}
