//! What a repository is found by.

use std::collections::BTreeSet;

use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::artifacts::{self, Artifact};
use longshore_meta::finds::{self, Doc};
use longshore_meta::repos::is_removed;
use longshore_spec::digest::{Algorithm, Digest};

use super::query::named;
use super::words::{self, Parts};
use crate::artifact::About;

/// Which way of making documents this is. Those of another are made anew: raise it with every change of tokens.
pub(crate) const EDITION: &str = "1";

/// How many tags of a repository it is found by: the last in byte order, where versions are mostly the newest.
const TAGS: usize = 1000;
/// How many manifests say what it is found by, beside those that have these tags.
const MANIFESTS: usize = 500;
/// How many manifests of an index are looked at.
const CHILDREN: usize = 32;
/// How much is read of a text, in bytes.
const TEXT: usize = 8 << 10;
/// How many tokens a document has at the most.
const TOKENS: usize = 20_000;

/// The document of a repository; `None` when it holds nothing that could be found.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn doc(tx: &mut Tx<'_>, repo: i64) -> Result<Option<Doc>> {
    let Some((name, 1..)) = finds::find_repo(tx, repo).await? else {
        return Ok(None);
    };
    if is_removed(repo, &name) {
        return Ok(None);
    }
    let said = finds::find_said(tx, repo).await?;
    let mut tokens = Tokens::default();
    let last = name.rsplit('/').next().unwrap_or(&name).to_owned();
    let of_name: BTreeSet<String> = words::words(&name, Parts::Too).into_iter().collect();
    for word in &of_name {
        tokens.add(named(word));
    }
    tokens.text(&name);
    for (end, _) in name.match_indices('/') {
        tokens.add(words::place(name.get(..end).unwrap_or_default()));
    }
    tokens.add(words::place(&name));
    tokens.text(&said.description);
    tokens.text(&said.readme);
    for (label, value) in names(&said.labels) {
        tokens.named("label", &label, &value);
    }
    let mut manifests = BTreeSet::new();
    for (tag, digest) in artifacts::artifact_tags(tx, repo, TAGS).await? {
        tokens.text(&tag);
        tokens.add(words::fact("tag", &tag));
        manifests.insert(digest);
    }
    let more = artifacts::artifact_page(tx, repo, None, MANIFESTS).await?;
    manifests.extend(more.into_iter().map(|(digest, _)| digest));
    let mut described = None;
    for digest in &manifests {
        let Some(known) = artifacts::artifact_get(tx, digest).await? else {
            continue;
        };
        let about = tokens.artifact(&known);
        described = described.or_else(|| description(&about));
        if known.kind == "index" {
            for child in artifacts::artifact_children(tx, repo, digest, CHILDREN).await? {
                if manifests.contains(&child) {
                    continue;
                }
                if let Some(known) = artifacts::artifact_get(tx, &child).await? {
                    let about = tokens.artifact(&known);
                    described = described.or_else(|| description(&about));
                }
            }
        }
    }
    let shown = if said.description.is_empty() {
        described.unwrap_or_default()
    } else {
        said.description
    };
    Ok(Some(tokens.doc(last, of_name, &shown)))
}

/// What an artifact says it is.
fn description(about: &About) -> Option<String> {
    const NAMES: [&str; 3] = [
        "org.opencontainers.image.description",
        "org.opencontainers.image.title",
        "description",
    ];
    if !about.description.is_empty() {
        return Some(about.description.clone());
    }
    NAMES.iter().find_map(|name| {
        about
            .annotations
            .get(*name)
            .or_else(|| about.labels.get(*name))
            .filter(|text| !text.trim().is_empty())
            .cloned()
    })
}

/// Names with values, as JSON that people wrote.
fn names(json: &str) -> Vec<(String, String)> {
    let names: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).unwrap_or_default();
    names
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect()
}

#[derive(Default)]
struct Tokens(BTreeSet<String>);

impl Tokens {
    fn add(&mut self, token: String) {
        if self.0.len() < TOKENS {
            self.0.insert(token);
        }
    }

    fn text(&mut self, text: &str) {
        let mut end = text.len().min(TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for word in words::words(text.get(..end).unwrap_or_default(), Parts::Too) {
            self.add(words::text(&word));
        }
    }

    fn named(&mut self, field: &str, name: &str, value: &str) {
        self.add(words::fact(field, name));
        self.add(words::fact(field, &format!("{name}={value}")));
        // Times, digests and the like are facts, and no text.
        if value.len() <= 512 {
            self.text(value);
        }
    }

    fn artifact(&mut self, known: &Artifact) -> About {
        let about: About = serde_json::from_str(&known.about).unwrap_or_default();
        self.add(words::fact("kind", &known.kind));
        for platform in known.platforms.lines() {
            self.add(words::fact("platform", platform));
            for (end, _) in platform.match_indices('/') {
                self.add(words::fact(
                    "platform",
                    platform.get(..end).unwrap_or_default(),
                ));
            }
            self.text(platform);
        }
        for (name, value) in &about.labels {
            self.named("label", name, value);
        }
        for (name, value) in &about.annotations {
            self.named("annotation", name, value);
        }
        for kind in &about.types {
            self.add(words::fact("type", kind));
        }
        self.text(&about.description);
        self.text(&known.author);
        self.base(&known.base);
        about
    }

    /// A base image is found by its whole name, without its tag, and by what comes last in it.
    fn base(&mut self, base: &str) {
        if base.is_empty() {
            return;
        }
        let name = base.split('@').next().unwrap_or(base);
        let bare = match name.rsplit_once(':') {
            Some((bare, tag)) if !tag.contains('/') => bare,
            _ => name,
        };
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        for way in [
            base.to_owned(),
            name.to_owned(),
            bare.to_owned(),
            last(name),
            last(bare),
        ] {
            self.add(words::fact("base", &way));
        }
        self.text(bare);
    }

    fn doc(self, last: String, words: BTreeSet<String>, description: &str) -> Doc {
        let tokens: Vec<String> = self.0.into_iter().collect();
        let tokens = tokens.join(" ");
        let description: String = description
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .take(256)
            .collect();
        let print = Digest::of(
            Algorithm::Sha256,
            format!("{last}\n{description}\n{tokens}").as_bytes(),
        );
        Doc {
            last,
            words: words.into_iter().collect(),
            description: description.trim().to_owned(),
            tokens,
            print: print.as_bytes().to_vec(),
        }
    }
}
