//! Package archives as an attacker would write them.

use anyhow::Result;
use e2e::packages;
use license_issuer::development;
use plugin_packager::{SealedPackage, write_archive};

/// Files of a signed package, in order: `plugin.toml`, `plugin.sig`, the rest.
pub struct Parts(Vec<(String, Vec<u8>)>);

impl Parts {
    /// Of a good package.
    pub fn of(package: &SealedPackage) -> Result<Self> {
        let signature = package.signed_by(&development::publisher_signer())?.to_bytes();
        let mut parts =
            vec![("plugin.toml".into(), package.manifest_toml().to_vec()), ("plugin.sig".into(), signature)];
        parts.extend(package.files().map(|(path, content)| (path.to_owned(), content.to_vec())));
        Ok(Self(parts))
    }

    /// Flip one bit in the middle of the file whose path ends so.
    pub fn flip(mut self, ending: &str) -> Self {
        for (_, content) in self.0.iter_mut().filter(|(path, _)| path.ends_with(ending)) {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        }
        self
    }

    /// Replace the signature file.
    pub fn sign(mut self, signature: Vec<u8>) -> Self {
        self.0[1].1 = signature;
        self
    }

    /// Add a file.
    pub fn add(mut self, path: &str, content: &[u8]) -> Self {
        self.0.push((path.into(), content.to_vec()));
        self
    }

    /// Leave a file out.
    pub fn without(mut self, path: &str) -> Self {
        self.0.retain(|(p, _)| p != path);
        self
    }

    /// The archive.
    pub fn pack(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        write_archive(self.0.iter().map(|(path, content)| (path.as_str(), &content[..])), 1, &mut out)?;
        Ok(out)
    }
}

/// The example engine's package.
pub fn example() -> Result<SealedPackage> {
    packages::read("example")
}

/// An archive with one entry whose name no writer would make.
pub fn with_raw_path(path: &str) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_size(4);
    header.set_mode(0o644);
    header.set_cksum();
    let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1)?);
    tar.append(&header, &b"evil"[..])?;
    Ok(tar.into_inner()?.finish()?)
}

/// A small archive that unpacks to `size` zero bytes.
pub fn bomb(size: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut header = tar::Header::new_ustar();
    header.set_path("plugin.toml")?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1)?);
    tar.append(&header, std::io::repeat(0).take(size))?;
    Ok(tar.into_inner()?.finish()?)
}
