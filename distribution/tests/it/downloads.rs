//! Files that come: bounded, resumed, and compared with what is signed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use distribution::{
    DistributionError as Error, Fetched, FolderTransport, Location, Repository, Transport, TransportError,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

use crate::world::{Host, broken};

/// What is wrong with an answer.
#[derive(Clone, Copy)]
enum Fault {
    /// It goes on for ever.
    Endless,
    /// It ends after so many bytes.
    Cut(usize),
    /// One bit is another.
    Changed,
    /// It begins at the beginning, whatever was asked for.
    Whole,
    /// It begins where nobody asked for.
    Elsewhere,
    /// Nothing comes.
    Silent,
    /// It is refused.
    Refused,
}

/// A transport with faults.
struct Faulty {
    inner: FolderTransport,
    /// By the end of the file's name.
    faults: HashMap<&'static str, Fault>,
    asked: Arc<Mutex<Vec<u64>>>,
}

impl Faulty {
    fn new(inner: FolderTransport, faults: impl IntoIterator<Item = (&'static str, Fault)>) -> Self {
        Self { inner, faults: faults.into_iter().collect(), asked: Arc::default() }
    }
}

impl Transport for Faulty {
    fn fetch<'a>(
        &'a self,
        location: Location<'a>,
        from: u64,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        let (Location::Metadata(name) | Location::Target(name)) = location;
        let fault = self.faults.iter().find(|(end, _)| name.ends_with(*end)).map(|(_, fault)| *fault);
        if matches!(location, Location::Target(_)) {
            self.asked.lock().expect("a list").push(from);
        }
        async move {
            let whole = matches!(fault, Some(Fault::Whole | Fault::Elsewhere));
            let Fetched { mut from, body } = self.inner.fetch(location, if whole { 0 } else { from }).await?;
            let body = match fault {
                None | Some(Fault::Whole) => body,
                Some(Fault::Elsewhere) => {
                    from = 1;
                    body
                }
                Some(Fault::Endless) => stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 4096]))).boxed(),
                Some(Fault::Cut(after)) => {
                    let all: Vec<Bytes> = body.try_collect().await?;
                    let bytes = all.concat();
                    stream::iter([Ok(Bytes::copy_from_slice(&bytes[..after.min(bytes.len())]))]).boxed()
                }
                Some(Fault::Changed) => body
                    .map_ok(|piece| {
                        let mut bytes = piece.to_vec();
                        bytes[0] ^= 1;
                        Bytes::from(bytes)
                    })
                    .boxed(),
                Some(Fault::Silent) => stream::pending().boxed(),
                Some(Fault::Refused) => {
                    let (code, detail) = ("license_required".to_owned(), "Buy a licence.".to_owned());
                    return Err(TransportError::Refused { code, detail });
                }
            };
            Ok(Fetched { from, body })
        }
        .boxed()
    }
}

const PACKAGE: &str = "engines/backup/1.0.0/x86_64-unknown-linux-gnu.engine";
const CONTENT: &[u8] = b"backup 1.0.0";

async fn good() -> (Host, Repository) {
    let host = Host::of("good");
    let repository = host.accepts(1).await;
    (host, repository)
}

async fn file(host: &Host, content: &[u8]) -> File {
    let path = host.folder.path().join("package");
    let mut options = File::options();
    let mut file =
        options.read(true).write(true).create(true).truncate(true).open(path).await.expect("a file");
    file.write_all(content).await.expect("written");
    file.flush().await.expect("written");
    file
}

async fn content(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().await.expect("rewound");
    file.read_to_end(&mut bytes).await.expect("read");
    bytes
}

#[tokio::test]
async fn endless_metadata_are_not_read_to_their_end() {
    for (end, limit) in [
        ("2.root.json", 512 << 10),
        ("timestamp.json", 16 << 10),
        // As long as its parent lists, and no byte more.
        ("1.snapshot.json", 0),
        ("1.targets.json", 0),
    ] {
        let host = Host::of("good");
        let transport = Faulty::new(host.state(1), [(end, Fault::Endless)]);
        // A file that is missing is no file that is endless: the next root must be there.
        if end == "2.root.json" {
            let metadata = host.folder.path().join("mirror/metadata");
            std::fs::create_dir_all(&metadata).expect("a folder");
            std::fs::write(metadata.join(end), b" ").expect("a file");
            let mirror = FolderTransport::new(host.folder.path().join("mirror"));
            let transport = Faulty::new(mirror, [(end, Fault::Endless)]);
            assert_too_long(host.client.refresh(&transport).await.err(), end, limit);
            continue;
        }
        assert_too_long(host.client.refresh(&transport).await.err(), end, limit);
    }
}

fn assert_too_long(error: Option<Error>, file: &str, at_most: u64) {
    match error {
        Some(Error::TooLong { file: told, limit }) => {
            assert_eq!(told, file);
            assert!(if at_most == 0 { limit < 8192 } else { limit == at_most }, "{file}: {limit}");
        }
        other => panic!("{file}: {other:?}"),
    }
}

#[tokio::test]
async fn an_endless_delegation_harms_no_other() {
    let host = Host::of("good");
    let transport = Faulty::new(host.state(1), [("1.acme.json", Fault::Endless)]);
    let repository = host.client.refresh(&transport).await.expect("believed");
    assert_eq!(broken(&repository), [("acme", "endless_data")]);
    assert_eq!(repository.releases().len(), 1);
}

#[tokio::test]
async fn metadata_that_do_not_come_are_not_waited_for_for_ever() {
    let mut host = Host::of("good");
    host.client.limits.metadata_time = Duration::from_millis(50);
    let transport = Faulty::new(host.state(1), [("timestamp.json", Fault::Silent)]);
    assert_eq!(host.client.refresh(&transport).await.err().map(|e| e.code()), Some("stalled"));
}

#[tokio::test]
async fn a_resumed_download_equals_the_whole() {
    let (host, repository) = good().await;
    let mut told = Vec::new();
    let mut whole = file(&host, b"").await;
    let saved = repository.save(&host.state(1), PACKAGE, &mut whole, 0, |received| told.push(received)).await;
    saved.expect("saved");
    assert_eq!((told.first(), told.last()), (Some(&0), Some(&(CONTENT.len() as u64))));
    assert_eq!(content(whole).await, CONTENT);

    let cut = Faulty::new(host.state(1), [(".engine", Fault::Cut(5))]);
    let mut part = file(&host, b"").await;
    let error = repository.save(&cut, PACKAGE, &mut part, 0, |_| {}).await.expect_err("cut");
    assert!(matches!(error, Error::TargetCut { received: 5, length: 12, .. }), "{error}");
    let rest = Faulty::new(host.state(1), []);
    repository.save(&rest, PACKAGE, &mut part, 5, |_| {}).await.expect("the rest");
    assert_eq!(*rest.asked.lock().expect("a list"), [5]);
    assert_eq!(content(part).await, CONTENT);
    // All of it is there already: nothing is asked for.
    let mut all = file(&host, CONTENT).await;
    let none = Faulty::new(host.state(1), []);
    repository.save(&none, PACKAGE, &mut all, 12, |_| {}).await.expect("nothing to do");
    assert!(none.asked.lock().expect("a list").is_empty());
}

#[tokio::test]
async fn a_transport_that_cannot_resume_begins_again() {
    let (host, repository) = good().await;
    let whole = Faulty::new(host.state(1), [(".engine", Fault::Whole)]);
    let mut part = file(&host, b"backu").await;
    repository.save(&whole, PACKAGE, &mut part, 5, |_| {}).await.expect("saved");
    assert_eq!(content(part).await, CONTENT);
    let elsewhere = Faulty::new(host.state(1), [(".engine", Fault::Elsewhere)]);
    let mut part = file(&host, b"backu").await;
    let error = repository.save(&elsewhere, PACKAGE, &mut part, 5, |_| {}).await.expect_err("elsewhere");
    assert_eq!(error.code(), "target_cut");
    // Less is there than the caller says, or more than is signed.
    for (held, claimed) in [(&b"ba"[..], 5), (b"backup 1.0.0 and more", 21)] {
        let mut part = file(&host, held).await;
        repository.save(&host.state(1), PACKAGE, &mut part, claimed, |_| {}).await.expect("saved");
        assert_eq!(content(part).await, CONTENT);
    }
}

#[tokio::test]
async fn a_package_that_is_not_what_is_signed_is_thrown_away() {
    let (host, repository) = good().await;
    for (fault, code) in [(Fault::Changed, "target_digest"), (Fault::Endless, "endless_data")] {
        let transport = Faulty::new(host.state(1), [(".engine", fault)]);
        let mut kept = file(&host, b"").await;
        let error = repository.save(&transport, PACKAGE, &mut kept, 0, |_| {}).await.expect_err("refused");
        assert_eq!(error.code(), code);
        assert_eq!(content(kept).await, b"");
        assert!(repository.read(&transport, PACKAGE).await.is_err());
    }
    // What an earlier try has left was wrong.
    let mut kept = file(&host, b"bacKu").await;
    let error = repository.save(&host.state(1), PACKAGE, &mut kept, 5, |_| {}).await.expect_err("refused");
    assert_eq!(error.code(), "target_digest");
    assert_eq!(content(kept).await, b"");
}

#[tokio::test]
async fn what_the_portal_says_is_told() {
    let (host, repository) = good().await;
    let transport = Faulty::new(host.state(1), [(".engine", Fault::Refused)]);
    let mut kept = file(&host, b"").await;
    let error = repository.save(&transport, PACKAGE, &mut kept, 0, |_| {}).await.expect_err("refused");
    assert!(error.to_string().contains("Buy a licence."), "{error}");
    assert!(
        matches!(error, Error::Unreachable { source: TransportError::Refused { code, .. }, .. } if code == "license_required")
    );
}

#[tokio::test]
async fn a_download_that_stands_still_ends_and_keeps_what_came() {
    let mut host = Host::of("good");
    host.client.limits.stall = Duration::from_millis(50);
    let repository = host.accepts(1).await;
    let transport = Faulty::new(host.state(1), [(".engine", Fault::Silent)]);
    let mut kept = file(&host, b"backu").await;
    let error = repository.save(&transport, PACKAGE, &mut kept, 5, |_| {}).await.expect_err("stalled");
    assert_eq!(error.code(), "stalled");
    assert_eq!(content(kept).await, b"backu");
}

#[tokio::test]
async fn what_is_not_listed_or_too_large_is_not_fetched() {
    let mut host = Host::of("good");
    host.client.limits.read = 11;
    host.client.limits.save = 11;
    let repository = host.accepts(1).await;
    let transport = Faulty::new(host.state(1), []);
    let mut kept = file(&host, b"").await;
    for (path, code) in [("engines/other/1.0.0/x.engine", "unknown_target"), (PACKAGE, "endless_data")] {
        let error = repository.save(&transport, path, &mut kept, 0, |_| {}).await.expect_err("refused");
        assert_eq!(error.code(), code);
        assert_eq!(repository.read(&transport, path).await.expect_err("refused").code(), code);
    }
    assert!(transport.asked.lock().expect("a list").is_empty());
}
