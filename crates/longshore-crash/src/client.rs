//! One client: what it owns, how it asks, and what it makes of the answers.

use bytes::Bytes;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::content::{Maker, Piece};
use longshore_testkit::wire::{Answer, Ask};

use crate::ledger::{Open, Repo};
use crate::tally::Tally;
use crate::way::Way;

/// How many pieces of content all clients push, so that they share blobs.
const SHARED: usize = 6;

/// A client with repositories of its own, and what is owed to it.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a circumstance of its own, under which less is promised"
)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) repos: Vec<Repo>,
    pub(crate) maker: Maker,
    pub(crate) shared: Vec<Piece>,
    pub(crate) tally: Tally,
    /// Whether its content is small.
    pub(crate) small: bool,
    /// Whether a failure of the server is something to be reported. It is not while faults are injected.
    pub(crate) strict: bool,
    /// Whether the disk failed in this life of the server, so that a session may be held until its lease ends.
    pub(crate) hindered: bool,
    /// Whether collection is fast, so that blobs which nothing needs are not promised.
    pub(crate) collected: bool,
    /// How many requests were answered.
    pub(crate) answered: u64,
    /// How many requests changed something and were acknowledged.
    pub(crate) acknowledged: u64,
    /// Whether the connection broke.
    pub(crate) gone: bool,
}

impl Client {
    /// A client whose choices come from `seed`.
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        Self::of_size(name, seed, 160_000)
    }

    /// A client whose content is all small, for a registry that takes what is not tiny for large.
    pub(crate) fn small(name: &str, seed: u64) -> Self {
        Self {
            small: true,
            ..Self::of_size(name, seed, 2000)
        }
    }

    fn of_size(name: &str, seed: u64, large: usize) -> Self {
        let mut common = Maker::new(77);
        let mut shared: Vec<_> = (0..SHARED - 1).map(|n| common.blob(50 << n)).collect();
        shared.push(common.blob(large));
        Self {
            name: name.to_owned(),
            repos: ["a", "b"].map(|r| Repo::new(format!("{name}/{r}"))).into(),
            maker: Maker::new(seed),
            shared,
            tally: Tally::default(),
            small: false,
            strict: false,
            hindered: false,
            collected: false,
            answered: 0,
            acknowledged: 0,
            gone: false,
        }
    }

    /// Asks. `None` when nobody knows what came of it: the connection broke, or the server failed.
    pub(crate) async fn hear(&mut self, wire: &mut impl Way, ask: &Ask) -> Option<Answer> {
        match wire.ask(ask).await {
            Ok(answer) if answer.status < 500 => {
                self.answered += 1;
                if (200..300).contains(&answer.status) && !matches!(ask.method, "GET" | "HEAD") {
                    self.acknowledged += 1;
                }
                Some(answer)
            }
            Ok(answer) => {
                self.answered += 1;
                if self.strict {
                    self.tally.err(format!("{}\n{ask}{answer}", self.name));
                }
                None
            }
            Err(error) => {
                self.gone = true;
                if self.strict {
                    self.tally.err(format!("{}: {error}\n{ask}", self.name));
                }
                None
            }
        }
    }

    /// An answer that a correct server never gives to this request.
    pub(crate) fn wrong(&mut self, ask: &Ask, answer: &Answer, why: &str) {
        self.tally.lose(format!("{why}\n{ask}{answer}"));
    }

    /// Makes sure that `repo` has the blob, as far as the server says.
    pub(crate) async fn push_blob(
        &mut self,
        wire: &mut impl Way,
        repo: usize,
        piece: &Piece,
    ) -> bool {
        let blob = self.repos[repo].blobs.entry(piece.digest).or_default();
        blob.bytes = piece.bytes.clone();
        if blob.there.surely().is_some() && !self.collected {
            return true;
        }
        let name = self.repos[repo].name.clone();
        if self.maker.draw.below(3) == 0 || self.collected {
            let head = Ask::new("HEAD", format!("/v2/{name}/blobs/{}", piece.digest));
            let Some(answer) = self.hear(wire, &head).await else {
                return false;
            };
            if answer.status == 200 {
                return self.settle_blob(repo, piece, Some(()), &head, &answer);
            }
        }
        self.ask_blob(repo, &piece.digest);
        let way = self.maker.draw.below(4);
        let put = if way == 0 {
            let target = format!("/v2/{name}/blobs/uploads/?digest={}", piece.digest);
            Ask::new("POST", target).sized(piece.bytes.clone())
        } else {
            let Some(at) = self.start(wire, repo).await else {
                return false;
            };
            let mut sent = 0;
            while way > 1 && sent < piece.bytes.len() / 2 {
                let end = piece.bytes.len().min(sent + 1 + piece.bytes.len() / 3);
                let part = piece.bytes.slice(sent..end);
                let patch = Ask::new("PATCH", at.clone());
                let patch = if way == 2 {
                    let range = format!("{sent}-{}", end - 1);
                    patch.sized(part).header("content-range", range)
                } else {
                    patch.chunked(part)
                };
                let Some(answer) = self.hear(wire, &patch).await else {
                    return false;
                };
                if answer.status != 202 {
                    if !self.is_held(&answer) {
                        self.wrong(&patch, &answer, "a chunk in order was refused");
                    }
                    return false;
                }
                sent = end;
            }
            let target = format!("{at}?digest={}", piece.digest);
            Ask::new("PUT", target).sized(piece.bytes.slice(sent..))
        };
        let Some(answer) = self.hear(wire, &put).await else {
            return false;
        };
        if self.is_held(&answer) {
            return false;
        }
        let there = (answer.status == 201).then_some(());
        self.settle_blob(repo, piece, there, &put, &answer) && there.is_some()
    }

    /// Whether a session could not be let go while the server could not write; a restart or the end of its lease frees it.
    fn is_held(&self, answer: &Answer) -> bool {
        answer.status == 409 && self.hindered
    }

    /// Nobody knows any more whether the blob is there.
    pub(crate) fn ask_blob(&mut self, repo: usize, digest: &Digest) {
        if let Some(blob) = self.repos[repo].blobs.get_mut(digest) {
            blob.there.asked(Some(()));
        }
    }

    fn settle_blob(
        &mut self,
        repo: usize,
        piece: &Piece,
        there: Option<()>,
        ask: &Ask,
        answer: &Answer,
    ) -> bool {
        if there.is_none() {
            self.wrong(ask, answer, "a whole blob was refused");
            return false;
        }
        if let Some(blob) = self.repos[repo].blobs.get_mut(&piece.digest) {
            blob.there.is(there);
        }
        true
    }

    /// Opens a session; gives where it is.
    pub(crate) async fn start(&mut self, wire: &mut impl Way, repo: usize) -> Option<String> {
        let post = Ask::new(
            "POST",
            format!("/v2/{}/blobs/uploads/", self.repos[repo].name),
        );
        let answer = self.hear(wire, &post).await?;
        if answer.status != 202 {
            self.wrong(&post, &answer, "a session was refused");
            return None;
        }
        answer.location().map(str::to_owned)
    }

    /// Leaves an upload half done.
    pub(crate) async fn push_part(&mut self, wire: &mut impl Way, repo: usize) {
        let Some(at) = self.start(wire, repo).await else {
            return;
        };
        let length = 3000 << self.maker.draw.below(if self.small { 1 } else { 7 });
        let bytes = self.maker.draw.bytes(length);
        self.repos[repo].uploads.push(Open {
            at,
            bytes,
            least: 0,
            most: 0,
            doubtful: false,
            ending: false,
        });
        let last = self.repos[repo].uploads.len() - 1;
        self.extend(wire, repo, last).await;
    }

    /// Sends the next chunk of an upload that stands somewhere for sure.
    pub(crate) async fn extend(&mut self, wire: &mut impl Way, repo: usize, upload: usize) {
        let open = &mut self.repos[repo].uploads[upload];
        let from = open.least;
        let end = open.bytes.len().min(from + open.bytes.len() / 3 + 1);
        if open.most != from || from == end {
            return;
        }
        open.most = end;
        let patch = Ask::new("PATCH", open.at.clone()).sized(open.bytes.slice(from..end));
        let Some(answer) = self.hear(wire, &patch).await else {
            return;
        };
        if answer.status == 202 {
            self.repos[repo].uploads[upload].least = end;
        } else if !self.is_held(&answer) {
            self.wrong(&patch, &answer, "a chunk in order was refused");
        }
    }

    /// Asks where an upload stands and finishes it, or gives it up.
    pub(crate) async fn finish(
        &mut self,
        wire: &mut impl Way,
        repo: usize,
        upload: usize,
        give_up: bool,
    ) {
        let open = self.repos[repo].uploads[upload].clone();
        let get = Ask::new("GET", open.at.clone());
        let Some(answer) = self.hear(wire, &get).await else {
            return;
        };
        let stands = match answer.header("range") {
            Some(range) if answer.status == 204 => offset(range),
            _ if answer.status == 404 && (open.least == 0 || open.doubtful || open.ending) => {
                // A session that holds nothing acknowledged does not outlive its process, and one in doubt may be gone.
                self.repos[repo].uploads.remove(upload);
                return;
            }
            _ => None,
        };
        let Some(stands) = stands.filter(|at| (open.least..=open.most).contains(at)) else {
            let why = format!(
                "an upload must stand between {} and {}",
                open.least, open.most
            );
            self.wrong(&get, &answer, &why);
            self.repos[repo].uploads.remove(upload);
            return;
        };
        (
            self.repos[repo].uploads[upload].least,
            self.repos[repo].uploads[upload].most,
        ) = (stands, stands);
        if give_up {
            self.repos[repo].uploads[upload].ending = true;
            let delete = Ask::new("DELETE", open.at.clone());
            if let Some(answer) = self.hear(wire, &delete).await {
                self.repos[repo].uploads.remove(upload);
                let held = self.is_held(&answer);
                if answer.status != 204 && !held {
                    self.wrong(&delete, &answer, "a session cannot be given up");
                }
            }
            return;
        }
        let digest = Digest::of(Algorithm::Sha256, &open.bytes);
        let blob = self.repos[repo].blobs.entry(digest).or_default();
        blob.bytes = open.bytes.clone();
        blob.there.asked(Some(()));
        let put = Ask::new("PUT", format!("{}?digest={digest}", open.at))
            .sized(open.bytes.slice(stands..));
        let Some(answer) = self.hear(wire, &put).await else {
            // It may be finished or stand anywhere; nothing more can be said of it.
            self.repos[repo].uploads.remove(upload);
            return;
        };
        if self.is_held(&answer) && answer.header("range").and_then(offset) == Some(stands) {
            // A session that could not be let go while its database failed is held until its lease ends, or a restart.
            return;
        }
        self.repos[repo].uploads.remove(upload);
        if answer.status == 201 {
            if let Some(blob) = self.repos[repo].blobs.get_mut(&digest) {
                blob.there.is(Some(()));
            }
        } else if !open.doubtful || answer.status != 404 {
            self.wrong(
                &put,
                &answer,
                "resumed at an acknowledged offset, the upload is refused",
            );
        }
    }

    /// Sends bytes under the digest of others, which must be refused and leave nothing.
    pub(crate) async fn lie(&mut self, wire: &mut impl Way, repo: usize) {
        let length = 100 << self.maker.draw.below(if self.small { 6 } else { 12 });
        let (sent, named) = (self.maker.blob(length), self.maker.blob(length));
        let name = self.repos[repo].name.clone();
        if self.maker.draw.below(2) == 0 {
            let target = format!("/v2/{name}/blobs/uploads/?digest={}", named.digest);
            let post = Ask::new("POST", target).sized(sent.bytes);
            return self.deny(wire, post, &name, &named).await;
        }
        let Some(at) = self.start(wire, repo).await else {
            return;
        };
        let half = sent.bytes.len() / 2;
        let patch = Ask::new("PATCH", at.clone()).sized(sent.bytes.slice(..half));
        if self.hear(wire, &patch).await.is_some() {
            let put = Ask::new("PUT", format!("{at}?digest={}", named.digest));
            let put = put.sized(sent.bytes.slice(half..));
            self.deny(wire, put, &name, &named).await;
        }
    }

    async fn deny(&mut self, wire: &mut impl Way, put: Ask, name: &str, named: &Piece) {
        let Some(answer) = self.hear(wire, &put).await else {
            return;
        };
        if answer.status != 400 {
            self.wrong(&put, &answer, "bytes of another digest were taken");
        }
        let head = Ask::new("HEAD", format!("/v2/{name}/blobs/{}", named.digest));
        if let Some(answer) = self.hear(wire, &head).await
            && answer.status != 404
        {
            self.wrong(&head, &answer, "a refused blob is there");
        }
    }
}

/// The offset of a `Range` of an upload, `0-99`; `0--1` and `0-0` of an empty one are told apart by nobody, so 0 is taken
/// where no byte is there.
pub(crate) fn offset(range: &str) -> Option<usize> {
    let end = range.strip_prefix("0-")?;
    if end == "-1" {
        return Some(0);
    }
    let end: usize = end.parse().ok()?;
    Some(if end == 0 { 0 } else { end + 1 })
}

/// Whether these are the bytes of `digest`.
pub(crate) fn is_whole(digest: &Digest, bytes: &Bytes) -> bool {
    Digest::of(digest.algorithm(), bytes) == *digest
}
