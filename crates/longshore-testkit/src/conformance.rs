//! The distribution specification, asked of a running server point by point.
//!
//! The points are those of the specification's own conformance program, version `dev` with everything enabled: each
//! pair of an API and a data set that it looks at is a [`Point`] here, with requests and expectations written from the
//! specification. They go over the wire to an address, so they run against a finished binary, with or without a login.
//! `docs/conformance.md` is made from this list ([`page()`]) and maps one to the other.
//!
//! Points run in order and build on each other, as the life of content does: pushed, listed, read, deleted.

mod api;
mod blob_delete;
mod blob_mount;
mod blob_pull;
mod blob_push;
mod chunks;
mod data;
mod discover;
mod expect;
mod made;
mod manifest_delete;
mod manifest_pull;
mod manifest_push;
mod page;
mod plan;
mod talk;

use std::fmt;
use std::net::SocketAddr;

use crate::wire::{Login, Wire};

pub use api::Api;
pub use page::page;
use plan::Act;
pub use plan::points;
use talk::Talk;

/// A server to be asked.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it listens, without TLS.
    pub address: SocketAddr,
    /// Who asks; needs to pull, push and delete in both repositories.
    pub login: Login,
    /// A repository nobody has pushed to yet.
    pub repo: String,
    /// Another one, from which blobs are mounted.
    pub other: String,
}

impl Target {
    /// A server, asked by nobody in particular, in two repositories of its own.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            login: Login::Nobody,
            repo: "conformance/one".to_owned(),
            other: "conformance/two".to_owned(),
        }
    }

    /// The same server, asked by somebody.
    #[must_use]
    pub fn asked_by(self, login: Login) -> Self {
        Self { login, ..self }
    }
}

/// One thing that the server must do.
#[derive(Debug, Clone)]
pub struct Point {
    /// The data set it is about: a name of the conformance program, or `errors` and the like where there is none.
    pub set: &'static str,
    /// What it is, in words: unique within its data set.
    pub name: String,
    /// The APIs of the conformance program that it belongs to.
    pub apis: Vec<Api>,
    act: Act,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.set, self.name)
    }
}

/// What became of all points.
#[derive(Debug, Clone)]
pub struct Report {
    /// The points that hold.
    pub passed: Vec<Point>,
    /// Those that do not, each with the reason and everything that was said.
    pub failed: Vec<(Point, String)>,
}

impl Report {
    /// # Panics
    /// When a point failed, with all that is known of each.
    pub fn expect_all(&self) {
        assert!(self.failed.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (point, why) in &self.failed {
            writeln!(f, "FAILED {point}\n{why}")?;
        }
        write!(
            f,
            "conformance: {} points hold, {} do not",
            self.passed.len(),
            self.failed.len()
        )
    }
}

/// Asks every point, in order. A point that fails does not stop the others.
pub async fn run(target: &Target) -> Report {
    let mut wire = Wire::new(target.address, target.login.clone());
    let mut report = Report {
        passed: Vec::new(),
        failed: Vec::new(),
    };
    for point in points() {
        let mut talk = Talk::new(&mut wire, &target.repo, &target.other);
        match ask(&mut talk, &point.act).await {
            Ok(()) => report.passed.push(point),
            Err(why) => {
                let why = format!("{why}\n{}", talk.transcript());
                report.failed.push((point, why));
            }
        }
    }
    report
}

async fn ask(talk: &mut Talk<'_>, act: &Act) -> expect::Held {
    match act {
        Act::Ping => discover::ping(talk).await,
        Act::TagsOfNothing => discover::tags_of_nothing(talk).await,
        Act::ReferrersOfNothing(subject) => discover::referrers_of_nothing(talk, subject).await,
        Act::Tags(tags) => discover::tags(talk, tags).await,
        Act::Referrers(expected) => discover::referrers(talk, expected).await,
        Act::PushBlob { piece, way, to } => blob_push::push(talk, piece, *way, *to).await,
        Act::PushBadBlob { piece, way } => blob_push::refuse(talk, piece, *way).await,
        Act::Cancel => blob_push::cancel(talk).await,
        Act::Mount { piece, named } => blob_mount::mount(talk, piece, *named).await,
        Act::MountMissing(piece) => blob_mount::missing(talk, piece).await,
        Act::BlobAbsent(digest) => blob_pull::absent(talk, digest).await,
        Act::HeadBlob(piece) => blob_pull::head(talk, piece).await,
        Act::GetBlob(piece) => blob_pull::get(talk, piece).await,
        Act::GetRange { piece, asked, gets } => {
            blob_pull::range(talk, piece, asked, gets.as_ref()).await
        }
        Act::DeleteBlob {
            digest,
            from,
            there,
        } => blob_delete::delete(talk, digest, *from, *there).await,
        Act::BlobGone { digest, from } => blob_delete::gone(talk, digest, *from).await,
        Act::PutManifest {
            piece,
            at,
            tags,
            subject,
        } => manifest_push::put(talk, piece, at, tags, subject.as_ref()).await,
        Act::PutOtherBytes { digest, piece } => {
            manifest_push::refuse_other_bytes(talk, digest, piece).await
        }
        Act::PutMalformed(piece) => manifest_push::refuse_malformed(talk, piece).await,
        Act::GetMalformed => manifest_pull::malformed(talk).await,
        Act::HeadManifest { piece, at } => manifest_pull::head(talk, piece, at).await,
        Act::GetManifest { piece, at } => manifest_pull::get(talk, piece, at).await,
        Act::ManifestAbsent(at) => manifest_pull::absent(talk, at).await,
        Act::DeleteManifest { at, there } => manifest_delete::delete(talk, at, *there).await,
        Act::ManifestGone(at) => manifest_delete::gone(talk, at).await,
    }
}
