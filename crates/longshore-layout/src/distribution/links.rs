//! The links of one repository: its manifests, its tags, the blobs it holds.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};

use super::Tree;
use super::finding::{Finding, Kind};
use super::work::each;

/// The longest link that is read: the longest digest, and some white space.
const LINK: u64 = 256;

/// A link to a digest, and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    pub(super) digest: Digest,
    pub(super) made: SystemTime,
}

/// What a repository says it has.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Its manifests, in the order of their digests.
    pub(super) revisions: Vec<Link>,
    /// Its tags, in byte order.
    pub(super) tags: Vec<(Tag, Link)>,
    /// The blobs it holds, in the order of their digests.
    pub(super) layers: Vec<Link>,
    /// Blobs whose link is broken.
    pub(super) broken: Vec<(Digest, Finding)>,
    pub(super) findings: Vec<Finding>,
}

/// Why a link says nothing.
enum Broken {
    /// There is no file: what was linked was deleted.
    None,
    /// What is wrong with it.
    Wrong(String),
    /// It cannot be read.
    Unreadable(io::Error),
}

impl Tree {
    /// Reads all links of a repository; `None` when the tree has no such repository.
    pub(super) fn links(&self, repo: &RepoName) -> Option<Links> {
        if !self.has(repo) {
            return None;
        }
        let mut reader = Reader {
            repo,
            links: Links::default(),
        };
        let at = self.repository_path(repo);
        let revisions = reader.digests(&at.join("_manifests/revisions"), "manifest");
        for (digest, link) in revisions {
            match link {
                Ok(link) => reader.links.revisions.push(link),
                Err(broken) => reader.revision(&digest, &broken),
            }
        }
        for (digest, link) in reader.digests(&at.join("_layers"), "blob") {
            match link {
                Ok(link) => reader.links.layers.push(link),
                Err(broken) => reader.layer(&digest, &broken),
            }
        }
        reader.tags(&at.join("_manifests/tags"));
        reader.uploads(&at.join("_uploads"));
        let mut links = reader.links;
        links.revisions.sort_unstable();
        links.layers.sort_unstable();
        links.tags.sort_unstable();
        Some(links)
    }
}

struct Reader<'a> {
    repo: &'a RepoName,
    links: Links,
}

impl Reader<'_> {
    fn found(&mut self, kind: Kind, what: impl Into<String>, why: impl Into<String>) {
        let finding = Finding::new(kind, self.repo, what, why);
        self.links.findings.push(finding);
    }

    /// The directories in `dir`, by name; anything else there is a finding.
    fn directories(&mut self, dir: &Path) -> Vec<String> {
        let shown = below(dir);
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.found(
                    Kind::Unreadable,
                    shown,
                    format!("it cannot be read: {error}"),
                );
                return Vec::new();
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name())));
            match entry {
                Ok((kind, name)) => {
                    let name = name.to_string_lossy().into_owned();
                    if kind.is_dir() {
                        names.push(name);
                    } else if kind.is_symlink() {
                        let what = format!("{shown}/{name}");
                        self.found(
                            Kind::SymbolicLink,
                            what,
                            "it is a symbolic link, which is not followed",
                        );
                    } else {
                        let what = format!("{shown}/{name}");
                        self.found(
                            Kind::Strange,
                            what,
                            "no file belongs here; it is left where it is",
                        );
                    }
                }
                Err(error) => {
                    self.found(
                        Kind::Unreadable,
                        shown.clone(),
                        format!("it cannot be read: {error}"),
                    );
                    break;
                }
            }
        }
        names
    }

    /// All links in `<dir>/<algorithm>/<hex>/link`, by the digest that the names say.
    fn digests(&mut self, dir: &Path, what: &str) -> Vec<(Digest, Result<Link, Broken>)> {
        let mut all = Vec::new();
        for algorithm in self.directories(dir) {
            let at = dir.join(&algorithm);
            if let Err(error) = algorithm.parse::<Algorithm>() {
                let why = format!("{error}; no {what} below it is taken over");
                self.found(Kind::BadEntry, below(&at), why);
                continue;
            }
            for hex in self.directories(&at) {
                match format!("{algorithm}:{hex}").parse::<Digest>() {
                    Ok(digest) => all.push((digest, at.join(hex).join("link"))),
                    Err(error) => {
                        self.found(Kind::BadEntry, below(&at.join(hex)), error.to_string());
                    }
                }
            }
        }
        let read = each(&all, |(digest, path)| {
            let link = read(path)?;
            if link.digest == *digest {
                Ok(link)
            } else {
                Err(Broken::Wrong(format!("it says {}", link.digest)))
            }
        });
        let digests = all.into_iter().map(|(digest, _)| digest);
        digests.zip(read).collect()
    }

    fn revision(&mut self, digest: &Digest, broken: &Broken) {
        let what = format!("manifest {digest}");
        match broken {
            Broken::None => self.found(
                Kind::Deleted,
                what,
                "it was deleted; its directory remained",
            ),
            Broken::Wrong(why) => {
                let why = format!("its link is broken: {why}; the manifest is not taken over");
                self.found(Kind::BrokenRevision, what, why);
            }
            Broken::Unreadable(error) => {
                self.found(
                    Kind::Unreadable,
                    what,
                    format!("its link cannot be read: {error}"),
                );
            }
        }
    }

    /// Whether a broken link to a blob matters is known when all manifests were read.
    fn layer(&mut self, digest: &Digest, broken: &Broken) {
        let what = format!("blob {digest}");
        let (kind, why) = match broken {
            Broken::None => {
                self.found(
                    Kind::Deleted,
                    what,
                    "it was deleted; its directory remained",
                );
                return;
            }
            Broken::Wrong(why) => (Kind::BrokenLink, format!("its link is broken: {why}")),
            Broken::Unreadable(error) => (
                Kind::Unreadable,
                format!("its link cannot be read: {error}"),
            ),
        };
        let finding = Finding::new(kind, self.repo, what, why);
        self.links.broken.push((*digest, finding));
    }

    fn tags(&mut self, dir: &Path) {
        let mut all: Vec<(Tag, PathBuf)> = Vec::new();
        for name in self.directories(dir) {
            match name.parse() {
                Ok(tag) => all.push((tag, dir.join(name).join("current/link"))),
                Err(error) => {
                    let why = format!("{error}; it cannot be pulled as a tag");
                    self.found(Kind::BadEntry, below(&dir.join(name)), why);
                }
            }
        }
        let read = each(&all, |(_, path)| read(path));
        for ((tag, _), link) in all.into_iter().zip(read) {
            let why = match link {
                Ok(link) => {
                    self.links.tags.push((tag, link));
                    continue;
                }
                Err(Broken::None) => "it has no link that says what it points to".to_owned(),
                Err(Broken::Wrong(why)) => format!("its link is broken: {why}"),
                Err(Broken::Unreadable(error)) => format!("its link cannot be read: {error}"),
            };
            self.found(Kind::BrokenTag, format!("tag {tag}"), why);
        }
    }

    fn uploads(&mut self, dir: &Path) {
        for id in self.directories(dir) {
            let bytes = fs::metadata(dir.join(&id).join("data")).map_or(0, |data| data.len());
            let why = format!("it was not finished ({bytes} bytes); it is left where it is");
            self.found(Kind::Upload, format!("upload {id}"), why);
        }
    }
}

/// A path from the repository's own directories on.
fn below(path: &Path) -> String {
    let text = path.to_string_lossy();
    let at = ["/_manifests", "/_layers", "/_uploads"]
        .iter()
        .filter_map(|own| text.rfind(own))
        .max();
    at.and_then(|at| text.get(at + 1..))
        .unwrap_or(&text)
        .to_owned()
}

fn read(path: &Path) -> Result<Link, Broken> {
    let mut text = Vec::with_capacity(80);
    let opened = File::open(path).and_then(|file| {
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        file.take(LINK).read_to_end(&mut text)?;
        found.modified()
    });
    let made = match opened {
        Ok(made) => made,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Broken::None),
        Err(error) => return Err(Broken::Unreadable(error)),
    };
    if text.is_empty() {
        return Err(Broken::Wrong("it is empty".to_owned()));
    }
    let text = String::from_utf8_lossy(&text);
    match text.trim_end().parse() {
        Ok(digest) => Ok(Link { digest, made }),
        Err(_) => Err(Broken::Wrong("it holds no digest".to_owned())),
    }
}
