//! Which host sent a request: its proof, its licence, and that the licence is for it.

use licenses::{HostProof, License, SignedRequest};

use super::{Host, HostError, Hosts};

impl Hosts {
    /// The host behind the `Authorization` header of a request. The newest edition of its licence says which instance the
    /// licence is for, not the one that the host has.
    pub async fn identify(&self, header: &str, request: &SignedRequest<'_>) -> Result<Host, HostError> {
        let proof = HostProof::verify(header, request, self.core.clock.now())?;
        let license = License::verify(&proof.license, self.licensing.keys().trust())?;
        let (id, edition) = (license.claims().id.clone(), license.claims().iat);
        let organisation = self.licensing.owner(&id).await?.ok_or(HostError::UnknownLicense)?;
        let newest = self.licensing.newest(&id).await?.ok_or(HostError::UnknownLicense)?;
        let instance = proof.instance_id();
        match newest.instance {
            Some(bound) if bound != instance => Err(HostError::WrongInstance),
            _ => Ok(Host { instance, license: id, edition, organisation }),
        }
    }
}
