//! The root keys: compiled in, or added by an administrator for one namespace.

use crate::{Error, KeyId, Namespace, PublicKey, is_engine_id};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Production roots: one `name key` a line. See `trust/roots/README.md` for the ceremony.
const PRODUCTION: &str = include_str!("../roots/production.txt");

/// Development roots, whose private keys are public. A release build does not contain them.
#[cfg(any(debug_assertions, feature = "development-keys"))]
const DEVELOPMENT: &str = include_str!("../roots/development.txt");
#[cfg(not(any(debug_assertions, feature = "development-keys")))]
const DEVELOPMENT: &str = "";

/// Whose word it is: revocation lists and their sequence numbers are kept by realm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Realm(String);

impl Realm {
    const VENDOR: &'static str = "sysmanage";

    /// The realm of the compiled-in roots.
    pub fn vendor() -> Self {
        Self(Self::VENDOR.to_owned())
    }

    /// Whether this is the realm of the compiled-in roots.
    pub fn is_vendor(&self) -> bool {
        self.0 == Self::VENDOR
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A trusted root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Root {
    /// Name, for people and errors.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// Engines that certificates under it may speak for.
    pub engines: Namespace,
    /// The realm it belongs to.
    pub realm: Realm,
}

impl Root {
    /// A root of a third party, confined to `engines`. Two roots of one third party are added under one `realm`.
    ///
    /// # Errors
    /// [`Error::RefusedRoot`] when it is not confined, or takes the vendor's name.
    pub fn third_party(realm: &str, key: PublicKey, engines: Namespace) -> Result<Self, Error> {
        let refuse = |why| Err(Error::RefusedRoot { name: realm.chars().take(80).collect(), why });
        if !is_engine_id(realm) {
            return refuse("its name is not lower-case letters, digits and `_`");
        }
        if realm == Realm::VENDOR {
            return refuse("that name is the vendor's");
        }
        if engines.is_all() {
            return refuse("a third party's root must be confined to its engines, not `*`");
        }
        Ok(Self { name: realm.to_owned(), key, engines, realm: Realm(realm.to_owned()) })
    }
}

/// The trusted roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots(Vec<Root>);

impl Roots {
    /// No root: nothing verifies.
    pub fn none() -> Self {
        Self::default()
    }

    /// Read vendor roots from text: `name key` a line, `#` begins a comment.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(parse_line).collect::<Result<_, _>>().map(Self)
    }

    /// Add a root.
    ///
    /// # Errors
    /// [`Error::RefusedRoot`] when the key is trusted already: one key in two realms would be confined to neither.
    pub fn add(&mut self, root: Root) -> Result<(), Error> {
        if self.0.iter().any(|known| known.key == root.key) {
            return Err(Error::RefusedRoot { name: root.name, why: "the key is trusted already" });
        }
        self.0.push(root);
        Ok(())
    }

    /// The root with this key.
    pub fn find(&self, key: &KeyId) -> Option<&Root> {
        self.0.iter().find(|root| root.key.id() == *key)
    }

    /// Every root.
    pub fn iter(&self) -> impl Iterator<Item = &Root> {
        self.0.iter()
    }
}

fn parse_line(line: &str) -> Result<Root, Error> {
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some(key), None) => Ok(Root {
            name: name.to_owned(),
            key: key.parse()?,
            engines: Namespace::all(),
            realm: Realm::vendor(),
        }),
        _ => Err(Error::malformed("root", "a line is `name key`")),
    }
}

/// The compiled-in roots: the production roots, and in debug builds (or with the feature `development-keys`) the
/// development roots. A root that is to be retired stays until nothing signed under it is in use, then leaves with a release.
pub fn roots() -> Roots {
    let mut all = Roots::parse(PRODUCTION).expect("a test reads roots/production.txt");
    let development = Roots::parse(DEVELOPMENT).expect("a test reads roots/development.txt");
    all.0.extend(development.0);
    all
}
