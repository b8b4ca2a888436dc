//! The key ceremony: make keys, certify them, show what a certificate says. See `trust/roots/README.md`.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Duration, Utc};
use clap::Parser;
use license_issuer::{CertificateRequest, Credential, FileSigner, Signer, generate_key, issue_certificate};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use trust::{Certificate, Namespace, PublicKey, Usage};

#[derive(Parser)]
#[command(about = "Make keys and certificates")]
enum Command {
    /// Make a private key, and tell its public half and id.
    Key {
        /// File for the private key; it must not exist.
        private_key: PathBuf,
    },
    /// Tell the public half and id of a private key.
    Public {
        /// The private key.
        private_key: PathBuf,
    },
    /// Certify a public key with the private key of a root or of an authority.
    Certify(Certify),
    /// Show what a certificate says. Nothing is verified.
    Show {
        /// The certificate.
        certificate: PathBuf,
    },
    /// Make every development key and certificate anew, in a folder that holds none.
    Development {
        /// The folder.
        folder: PathBuf,
    },
}

#[derive(clap::Args)]
struct Certify {
    /// Private key of the issuer.
    #[arg(long)]
    issuer: PathBuf,
    /// Chain of the issuer, a certificate a line, when it is an authority.
    #[arg(long)]
    issuer_chain: Option<PathBuf>,
    /// Public key to certify.
    #[arg(long)]
    key: PublicKey,
    /// Whom it belongs to.
    #[arg(long)]
    subject: String,
    /// What it may sign: publisher, license, revocation, portal, authority.
    #[arg(long, value_parser = usage)]
    usage: Usage,
    /// For an authority: the usages it may certify.
    #[arg(long, value_parser = usage)]
    issues: Vec<Usage>,
    /// Engines it may speak for: `*`, `acme` or `acme_*`; may be repeated.
    #[arg(long, required = true)]
    engines: Vec<String>,
    /// Days of validity, from now.
    #[arg(long)]
    days: i64,
    /// File for the chain, a certificate a line; it must not exist.
    #[arg(long)]
    out: PathBuf,
}

fn usage(text: &str) -> Result<Usage, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("`{text}` is not a usage"))
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Key { private_key } => tell_public(&make_key(&private_key)?)?,
        Command::Public { private_key } => tell_public(&FileSigner::open(&private_key)?)?,
        Command::Certify(arguments) => certify(arguments)?,
        Command::Show { certificate } => {
            for line in fs::read_to_string(certificate)?.lines() {
                let body = Certificate::parse(line)?.body().clone();
                writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&body)?)?;
            }
        }
        Command::Development { folder } => development(&folder)?,
    }
    Ok(())
}

fn tell_public(signer: &FileSigner) -> Result<()> {
    let key = signer.public_key();
    Ok(writeln!(std::io::stdout(), "public key {key}\nkey id     {}", key.id())?)
}

/// Create a file that only its owner may read, and that must not exist.
fn write_new(path: &Path, content: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(content.as_bytes())?;
    Ok(file.sync_all()?)
}

fn make_key(path: &Path) -> Result<FileSigner> {
    let pem = generate_key()?;
    write_new(path, &pem)?;
    Ok(FileSigner::parse(pem.as_bytes())?)
}

fn certify(arguments: Certify) -> Result<()> {
    ensure!((1..=36500).contains(&arguments.days), "1 to 36500 days");
    let now = Utc::now();
    let request = CertificateRequest {
        subject: arguments.subject,
        key: arguments.key,
        usage: arguments.usage,
        issues: arguments.issues,
        engines: Namespace::new(arguments.engines)?,
        not_before: now,
        not_after: now + Duration::days(arguments.days),
    };
    let issuer = FileSigner::open(&arguments.issuer)?;
    let chain = match arguments.issuer_chain {
        None => vec![issue_certificate(&issuer, request)?],
        Some(chain) => {
            let chain = fs::read_to_string(chain)?;
            Credential::new(issuer, chain.lines().map(str::to_owned))?.issue_chain(request)?
        }
    };
    write_new(&arguments.out, &(chain.join("\n") + "\n"))
}

/// Names of the development roots; only the first two are trusted.
const ROOTS: [&str; 4] = ["root-1", "root-2", "acme-root", "stranger-root"];

/// Development certificates: name, issuing root, usage, engines.
const CERTIFICATES: [(&str, usize, Usage, &[&str]); 7] = [
    ("publisher", 0, Usage::Publisher, &["*"]),
    ("license", 0, Usage::License, &["*"]),
    ("revocation", 0, Usage::Revocation, &["*"]),
    ("portal", 0, Usage::Portal, &["*"]),
    ("acme-publisher", 2, Usage::Publisher, &["acme", "acme_*"]),
    ("acme-license", 2, Usage::License, &["acme", "acme_*"]),
    ("stranger-publisher", 3, Usage::Publisher, &["*"]),
];

fn development(folder: &Path) -> Result<()> {
    let not_before: DateTime<Utc> = "2025-01-01T00:00:00Z".parse()?;
    let not_after: DateTime<Utc> = "2045-01-01T00:00:00Z".parse()?;
    let key = |name: &str| make_key(&folder.join(format!("{name}.pem")));
    let roots = ROOTS.iter().map(|name| key(name)).collect::<Result<Vec<_>>>()?;
    let mut public = "# Public halves of the development roots that debug builds trust.\n".to_owned();
    for (name, root) in ROOTS.iter().zip(&roots).take(2) {
        public += &format!("development-{name} {}\n", root.public_key());
    }
    write_new(&folder.join("roots.txt"), &public)?;
    for (name, issuer, usage, engines) in CERTIFICATES {
        let request = CertificateRequest {
            subject: format!("DEVELOPMENT ONLY {name}"),
            key: key(name)?.public_key(),
            usage,
            issues: Vec::new(),
            engines: Namespace::new(engines.iter().copied())?,
            not_before,
            not_after,
        };
        let certificate = issue_certificate(&roots[issuer], request)?;
        write_new(&folder.join(format!("{name}.cert")), &(certificate + "\n"))?;
    }
    Ok(())
}
