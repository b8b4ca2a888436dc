//! Delegations: each loaded on its own, so that a bad one is told and harms no other.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tough::schema::{DelegatedRole, Delegations, PathSet, Snapshot, Target, Targets};

use crate::{
    BrokenRole, DistributionError, Repository,
    client::{Source, listed, obtain},
    metadata::{of_version, parse_targets, signed_by_delegation, unexpired},
    names::{check_role, check_target},
    patterns,
};

/// A role of targets with what it delegates.
pub(crate) struct Node {
    pub(crate) role: String,
    pub(crate) targets: BTreeMap<String, Target>,
    pub(crate) children: Vec<Child>,
}

/// A delegation.
pub(crate) struct Child {
    paths: PathSet,
    terminating: bool,
    /// Absent when the role is bad.
    pub(crate) node: Option<Node>,
}

/// What a search for a path finds.
enum Search<'a> {
    Found(&'a Node, &'a Target),
    /// Not here; roles of lower priority may have it.
    Nothing,
    /// Not here, and nobody else may have it.
    Stop,
}

impl Node {
    /// The role that may speak for this path and does, in the order that the delegations stand in.
    pub(crate) fn find(&self, name: &str) -> Option<(&Node, &Target)> {
        match self.search(name) {
            Search::Found(node, target) => Some((node, target)),
            Search::Nothing | Search::Stop => None,
        }
    }

    fn search(&self, name: &str) -> Search<'_> {
        if let Some(target) = self.targets.get(name) {
            return Search::Found(self, target);
        }
        for child in self.children.iter().filter(|child| patterns::gives(&child.paths, name)) {
            // Who makes a role unreadable must not thereby hand its paths to a role of lower priority.
            let Some(node) = &child.node else { return Search::Stop };
            match node.search(name) {
                Search::Nothing if !child.terminating => {}
                Search::Nothing => return Search::Stop,
                other => return other,
            }
        }
        Search::Nothing
    }

    /// This role and all below it, in the order of priority.
    pub(crate) fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        for node in self.children.iter().filter_map(|child| child.node.as_ref()) {
            node.each(visit);
        }
    }
}

/// One walk over all delegations.
pub(crate) struct Walk<'a> {
    source: &'a Source<'a>,
    snapshot: &'a Snapshot,
    now: DateTime<Utc>,
    /// Names are one space for all roles: who delegates to a name first (the vendor before publishers) has it.
    claimed: HashSet<String>,
    broken: Vec<BrokenRole>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(source: &'a Source<'a>, snapshot: &'a Snapshot, now: DateTime<Utc>) -> Self {
        Self { source, snapshot, now, claimed: HashSet::new(), broken: Vec::new() }
    }

    /// The vendor's targets and every delegation that is good.
    pub(crate) async fn all(mut self, targets: Targets) -> Result<Repository, DistributionError> {
        let node = self.node("targets".to_owned(), targets, 0).await?;
        Ok(Repository::new(node, self.broken))
    }

    fn node(
        &mut self,
        role: String,
        targets: Targets,
        depth: usize,
    ) -> BoxFuture<'_, Result<Node, DistributionError>> {
        Box::pin(async move {
            let own = own_targets(&role, targets.targets)?;
            let delegations = targets.delegations.unwrap_or_default();
            // All names of this parent before those of its children.
            let allowed: Vec<Result<(), DistributionError>> =
                delegations.roles.iter().map(|given| self.claim(given, depth)).collect();
            let mut children = Vec::with_capacity(delegations.roles.len());
            for (given, allowed) in delegations.roles.iter().zip(allowed) {
                let node = match allowed {
                    Ok(()) => self.child(&delegations, given, depth + 1).await,
                    Err(refused) => Err(refused),
                };
                let node = match node {
                    Ok(node) => Some(node),
                    // Not of this role: the disk does not work.
                    Err(error @ DistributionError::Datastore { .. }) => return Err(error),
                    Err(reason) => {
                        self.broken.push(BrokenRole { role: given.name.clone(), reason });
                        None
                    }
                };
                children.push(Child { paths: given.paths.clone(), terminating: given.terminating, node });
            }
            Ok(Node { role, targets: own, children })
        })
    }

    fn claim(&mut self, given: &DelegatedRole, depth: usize) -> Result<(), DistributionError> {
        let name = || given.name.clone();
        check_role(&given.name).map_err(|why| DistributionError::UnsafeName {
            role: "delegation".to_owned(),
            name: name(),
            why,
        })?;
        if depth >= self.source.limits.depth || self.claimed.len() >= self.source.limits.roles {
            return Err(DistributionError::TooManyRoles(name()));
        }
        if let Some(pattern) = patterns::unknown(&given.paths) {
            return Err(DistributionError::UnknownPattern { role: name(), pattern: pattern.to_owned() });
        }
        // Files of roles lie beside one another, on systems that do not tell upper from lower case too.
        if self.claimed.insert(given.name.to_ascii_lowercase()) {
            Ok(())
        } else {
            Err(DistributionError::DelegatedTwice(name()))
        }
    }

    async fn child(
        &mut self,
        parent: &Delegations,
        given: &DelegatedRole,
        depth: usize,
    ) -> Result<Node, DistributionError> {
        let name = given.name.as_str();
        let meta = listed(&self.snapshot.meta, name)?;
        let (bytes, fresh) = obtain(self.source, name, meta, self.source.limits.targets).await?;
        let role = parse_targets(name, &bytes)?;
        signed_by_delegation(parent, given, &role)?;
        of_version(name, meta, &role.signed)?;
        unexpired(name, &role.signed, self.now)?;
        if fresh {
            self.source.store.write(&format!("{name}.json"), &bytes).await?;
        }
        self.node(name.to_owned(), role.signed, depth).await
    }
}

/// A role's own targets, if every name is one that all systems read the same.
fn own_targets(
    role: &str,
    targets: std::collections::HashMap<tough::TargetName, Target>,
) -> Result<BTreeMap<String, Target>, DistributionError> {
    let mut own = BTreeMap::new();
    let mut lower: BTreeMap<String, String> = BTreeMap::new();
    for (name, target) in targets {
        // The name as it was signed, not what it resolves to.
        let name = name.raw().to_owned();
        check_target(&name).map_err(|why| DistributionError::UnsafeName {
            role: role.to_owned(),
            name: name.clone(),
            why,
        })?;
        if let Some(one) = lower.insert(name.to_ascii_lowercase(), name.clone()) {
            return Err(DistributionError::NamesDifferInCase { role: role.to_owned(), one, other: name });
        }
        own.insert(name, target);
    }
    Ok(own)
}
