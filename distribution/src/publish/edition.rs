//! An edition: what of timestamp, snapshot, targets and publishers' roles must be written anew, given what is published.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroU64,
};

use chrono::{DateTime, TimeDelta, Utc};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tough::{
    TargetName,
    schema::{
        self, DelegatedRole, Delegations, Hashes, Metafile, PathPattern, PathSet, Role, RoleType, Root,
        Signed, Snapshot, Target, Targets, Timestamp,
    },
};

use super::{
    Lifetimes, OnlineKeys, PublishError, SPEC, SignKey,
    keys::{self, sign, tuf_key},
    moment,
};
use crate::{
    metadata::{expiry, parse, signed_by_delegation, signed_by_root},
    names::{check_role, check_target, hex},
};

/// A file that is published.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFile {
    /// Its path.
    pub path: String,
    /// Length in bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: [u8; 32],
    /// What is said of it: an object, or nothing.
    pub custom: Value,
}

/// A publisher with its own role.
#[derive(Debug, Clone, PartialEq)]
pub struct Publisher {
    /// Name of the role: see [`publisher_role`].
    pub role: String,
    /// Engines that it may publish.
    pub engines: Vec<String>,
    /// Its files.
    pub targets: Vec<TargetFile>,
}

/// All that is published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// The vendor's own files.
    pub targets: Vec<TargetFile>,
    /// Publishers, each with a role of its own.
    pub publishers: Vec<Publisher>,
}

/// The metadata that hold now, by role (`timestamp`, `snapshot`, `targets` and the publishers'). Empty at first.
pub type Current = BTreeMap<String, Vec<u8>>;

/// What is new. All of it is to be written in one go, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Role and bytes of what changed; empty when all is as it should be.
    pub roles: Current,
    /// The name that each of them is served under: `7.snapshot.json`, `timestamp.json`.
    pub files: BTreeMap<String, String>,
    /// When something must be signed anew, if nothing is published until then.
    pub renew_at: DateTime<Utc>,
}

/// The name of a publisher's role: readable, and never that of another publisher.
pub fn publisher_role(publisher: &str) -> String {
    let mut words = String::new();
    for c in publisher.chars().take(40) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => words.push(c),
            _ if words.ends_with('-') || words.is_empty() => {}
            _ => words.push('-'),
        }
    }
    let sum = hex(&digest(&SHA256, publisher.as_bytes()).as_ref()[..4]);
    format!("publisher-{}-{sum}", words.trim_end_matches('-'))
}

/// The edition that follows from what is published, from the metadata of now, and from the keys. Metadata that would say
/// the same, are signed as the root wants and hold for half of their life still stay as they are.
///
/// # Errors
/// When keys are too few or a name is one that clients refuse.
pub fn edition(
    root: &[u8],
    current: &Current,
    contents: &Contents,
    keys: &OnlineKeys,
    now: DateTime<Utc>,
    lifetimes: &Lifetimes,
) -> Result<Edition, PublishError> {
    let root: Signed<Root> = parse("root.json", root).map_err(PublishError::Unreadable)?;
    let mut writer = Writer {
        root: root.signed,
        current,
        now,
        new: Current::new(),
        files: BTreeMap::new(),
        renew_at: None,
    };
    let delegations = delegations(contents, keys)?;
    let mut meta = writer.listed_before()?;
    for publisher in &contents.publishers {
        let body = body(&publisher.targets, None)?;
        let file = writer.delegated(&delegations, &publisher.role, body, keys, lifetimes.targets)?;
        meta.insert(format!("{}.json", publisher.role), file);
    }
    let body = body(&contents.targets, Some(delegations))?;
    let file = writer.top("targets", body, &keys.targets, lifetimes.targets)?;
    meta.insert("targets.json".to_owned(), file);
    let snapshot = Snapshot { meta, ..Snapshot::new(SPEC.into(), NonZeroU64::MIN, moment(now)?) };
    let file = writer.top("snapshot", snapshot, &keys.snapshot, lifetimes.snapshot)?;
    let timestamp = Timestamp {
        meta: HashMap::from([("snapshot.json".to_owned(), file)]),
        ..Timestamp::new(SPEC.into(), NonZeroU64::MIN, moment(now)?)
    };
    writer.top("timestamp", timestamp, &keys.timestamp, lifetimes.timestamp)?;
    Ok(Edition { roles: writer.new, files: writer.files, renew_at: writer.renew_at.unwrap_or(now) })
}

/// Whom the vendor delegates to, and which paths.
fn delegations(contents: &Contents, keys: &OnlineKeys) -> Result<Delegations, PublishError> {
    let mut known = HashMap::new();
    let mut keyids = Vec::new();
    for key in &keys.publishers {
        let (id, key) = tuf_key(&key.public_key())?;
        keyids.push(id.clone());
        known.insert(id, key);
    }
    let mut roles = Vec::new();
    for publisher in &contents.publishers {
        check_role(&publisher.role)
            .map_err(|why| PublishError::Name { name: publisher.role.clone(), why })?;
        let patterns =
            publisher.engines.iter().map(|engine| PathPattern::new(format!("engines/{engine}/*/*")));
        let patterns: Result<Vec<_>, _> = patterns.collect();
        roles.push(DelegatedRole {
            name: publisher.role.clone(),
            keyids: keyids.clone(),
            threshold: NonZeroU64::MIN,
            paths: PathSet::Paths(patterns.map_err(|e| PublishError::Write(e.to_string()))?),
            terminating: true,
            targets: None,
        });
    }
    Ok(Delegations { keys: known, roles })
}

/// A role of targets; version and expiry are given when it is signed.
fn body(files: &[TargetFile], delegations: Option<Delegations>) -> Result<Targets, PublishError> {
    let mut targets = HashMap::new();
    for file in files {
        let name = |why| PublishError::Name { name: file.path.clone(), why };
        check_target(&file.path).map_err(name)?;
        let path = TargetName::new(file.path.as_str()).map_err(|_| name("a path that leads elsewhere"))?;
        let custom = match &file.custom {
            Value::Object(fields) => fields.clone().into_iter().collect(),
            _ => HashMap::new(),
        };
        let hashes = Hashes { sha256: file.sha256.to_vec().into(), _extra: HashMap::new() };
        targets.insert(path, Target { length: file.length, hashes, custom, _extra: HashMap::new() });
    }
    let never = moment(DateTime::<Utc>::UNIX_EPOCH)?;
    Ok(Targets { targets, delegations, ..Targets::new(SPEC.into(), NonZeroU64::MIN, never) })
}

/// A role whose version and expiry can be set.
trait Written: Role + Clone + PartialEq + DeserializeOwned {
    fn at(self, version: NonZeroU64, expires: DateTime<Utc>) -> Result<Self, PublishError>;
    /// The same, at the version and expiry of `other`: equal if they say the same.
    fn like(self, other: &Self) -> Self;
}

macro_rules! written {
    ($($role:ty),*) => {$(
        impl Written for $role {
            fn at(self, version: NonZeroU64, expires: DateTime<Utc>) -> Result<Self, PublishError> {
                Ok(Self { version, expires: moment(expires)?, ..self })
            }

            fn like(self, other: &Self) -> Self {
                let spec_version = other.spec_version.clone();
                Self { version: other.version, expires: other.expires, spec_version, ..self }
            }
        }
    )*};
}
written!(Targets, Snapshot, Timestamp);

struct Writer<'a> {
    root: Root,
    current: &'a Current,
    now: DateTime<Utc>,
    new: Current,
    files: BTreeMap<String, String>,
    renew_at: Option<DateTime<Utc>>,
}

impl Writer<'_> {
    /// What the snapshot lists now: a role that was listed once stays listed, or clients take it for a rollback.
    fn listed_before(&self) -> Result<HashMap<String, Metafile>, PublishError> {
        let Some(bytes) = self.current.get("snapshot") else { return Ok(HashMap::new()) };
        let known: Signed<Snapshot> = parse("snapshot.json", bytes).map_err(PublishError::Unreadable)?;
        Ok(known.signed.meta)
    }

    fn top<T: Written>(
        &mut self,
        role: &str,
        body: T,
        keys: &[Box<dyn SignKey>],
        life: TimeDelta,
    ) -> Result<Metafile, PublishError> {
        let given = self.root.roles.get(&T::TYPE).cloned().unwrap_or_else(|| schema::RoleKeys {
            keyids: Vec::new(),
            threshold: NonZeroU64::MIN,
            _extra: HashMap::new(),
        });
        let root = self.root.clone();
        let vouched = |known: &Signed<T>| signed_by_root(&root, role, known).is_ok();
        self.write(role, body, &given, keys, life, vouched)
    }

    fn delegated(
        &mut self,
        parent: &Delegations,
        role: &str,
        body: Targets,
        keys: &OnlineKeys,
        life: TimeDelta,
    ) -> Result<Metafile, PublishError> {
        let given = parent.roles.iter().find(|given| given.name == role);
        let given = given.ok_or_else(|| PublishError::Write(format!("{role} is delegated by nobody")))?;
        let vouched = |known: &Signed<Targets>| signed_by_delegation(parent, given, known).is_ok();
        self.write(role, body, &given.keys(), &keys.publishers, life, vouched)
    }

    fn write<T: Written>(
        &mut self,
        role: &str,
        body: T,
        given: &schema::RoleKeys,
        keys: &[Box<dyn SignKey>],
        life: TimeDelta,
        vouched: impl Fn(&Signed<T>) -> bool,
    ) -> Result<Metafile, PublishError> {
        let known: Option<Signed<T>> = match self.current.get(role) {
            Some(bytes) => Some(parse(&format!("{role}.json"), bytes).map_err(PublishError::Unreadable)?),
            None => None,
        };
        if let (Some(known), Some(bytes)) = (&known, self.current.get(role)) {
            let renew_at = expiry(&known.signed) - life / 2;
            let same = body.clone().like(&known.signed) == known.signed;
            if same && renew_at > self.now && vouched(known) {
                self.renewed_by(renew_at);
                return Ok(listed(known.signed.version(), bytes));
            }
        }
        let version = match known {
            Some(known) => known.signed.version().checked_add(1),
            None => Some(NonZeroU64::MIN),
        };
        let version = version.ok_or_else(|| PublishError::Write(format!("{role} has no version left")))?;
        let body = body.at(version, self.now + life)?;
        let signed = sign(role, body, given, keys.iter().map(|key| &**key))?;
        let bytes = keys::bytes(&signed)?;
        let listed = listed(version, &bytes);
        let file = match T::TYPE {
            RoleType::Timestamp => "timestamp.json".to_owned(),
            _ => format!("{version}.{role}.json"),
        };
        self.renewed_by(self.now + life / 2);
        self.new.insert(role.to_owned(), bytes);
        self.files.insert(role.to_owned(), file);
        Ok(listed)
    }

    fn renewed_by(&mut self, at: DateTime<Utc>) {
        self.renew_at = Some(self.renew_at.map_or(at, |known| known.min(at)));
    }
}

fn listed(version: NonZeroU64, bytes: &[u8]) -> Metafile {
    let sha256 = digest(&SHA256, bytes).as_ref().to_vec().into();
    Metafile {
        length: Some(bytes.len() as u64),
        hashes: Some(Hashes { sha256, _extra: HashMap::new() }),
        version,
        _extra: HashMap::new(),
    }
}
