//! What a registry of many teams holds: names, tags and labels as people give them, some words everywhere and most seldom.

use longshore_meta::artifacts::Artifact;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::manifest::{Limits, View};

use anyhow::Result;
use longshore_meta::manifests::ManifestRow;

/// Words that many names have.
const COMMON: [&str; 40] = [
    "web", "api", "app", "service", "worker", "base", "nginx", "postgres", "redis", "auth",
    "gateway", "proxy", "batch", "cron", "frontend", "backend", "admin", "mail", "search",
    "report", "ingest", "export", "import", "cache", "queue", "metrics", "logs", "agent", "runner",
    "build", "tools", "cli", "docs", "demo", "test", "stage", "jobs", "data", "model", "chart",
];
/// What the seldom ones are made of.
const SYLLABLES: [&str; 24] = [
    "ba", "ko", "ri", "ta", "mo", "ne", "lu", "si", "va", "de", "fo", "gi", "pra", "ste", "kru",
    "ond", "ell", "arn", "ix", "um", "ast", "orb", "int", "ax",
];
const SYSTEMS: [&str; 4] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "windows/amd64",
];
const TEAMS: [&str; 12] = [
    "payments",
    "checkout",
    "logistics",
    "identity",
    "platform",
    "research",
    "mobile",
    "billing",
    "support",
    "data",
    "security",
    "infrastructure",
];

/// Numbers that look random (SplitMix64).
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % end.max(1) as u64).unwrap_or(0)
    }

    /// One of them; the first ones far more often.
    fn skewed<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let (one, other) = (self.below(from.len()), self.below(from.len()));
        from.get(one.min(other)).copied().unwrap_or("")
    }

    /// A word that few have.
    pub(super) fn seldom(&mut self) -> String {
        let mut word = String::new();
        for _ in 0..3 {
            word.push_str(self.skewed(&SYLLABLES));
        }
        word
    }

    pub(super) fn common(&mut self) -> &'static str {
        self.skewed(&COMMON)
    }

    pub(super) fn team(&mut self) -> &'static str {
        self.skewed(&TEAMS)
    }

    pub(super) fn system(&mut self) -> &'static str {
        self.skewed(&SYSTEMS)
    }
}

/// A repository, ready to be written.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) tags: Vec<String>,
    pub(super) row: ManifestRow,
    pub(super) bytes: Vec<u8>,
    pub(super) known: Artifact,
}

/// The `i`th repository, with as many tags.
///
/// # Errors
/// When what it makes is no manifest.
pub(super) fn repository(i: usize, tags: usize) -> Result<Made> {
    let mut draw = Draw(i as u64);
    let name = format!(
        "{}{:03}/{}-{}-{i:x}",
        draw.team(),
        draw.below(800),
        draw.common(),
        draw.seldom()
    );
    let config = Digest::of(Algorithm::Sha256, name.as_bytes());
    let bytes = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[]}}"#
    )
    .into_bytes();
    let view = View::parse(&bytes, None, &Limits::default())?;
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let about = serde_json::json!({
        "labels": {
            "team": draw.team(),
            "maintainer": format!("{}@{}.example", draw.seldom(), draw.team()),
            "org.opencontainers.image.description": format!("The {} {} of {}, written in {}", draw.common(), draw.common(), draw.team(), draw.seldom()),
            "org.opencontainers.image.revision": config.to_string().get(7..47),
            "org.opencontainers.image.version": format!("{}.{}.{}", draw.below(9), draw.below(40), draw.below(100)),
        },
        "types": ["application/vnd.oci.image.config.v1+json"],
    });
    let known = Artifact {
        kind: "image".to_owned(),
        config: Some(config),
        created: None,
        author: String::new(),
        platforms: draw.system().to_owned(),
        layers: 5,
        size: 50_000_000,
        total: 50_000_000,
        base: format!("docker.io/library/{}:12", draw.common()),
        about: about.to_string(),
        flaw: String::new(),
    };
    let first = draw.below(5);
    let tag = |at: usize| match at {
        0 => "latest".to_owned(),
        at => format!("{}.{}.{}", first + at / 10, at % 10, draw_of(i, at)),
    };
    Ok(Made {
        name,
        tags: (0..tags).map(tag).collect(),
        row: ManifestRow::of(&view, digest, bytes.len() as u64)?,
        bytes,
        known,
    })
}

fn draw_of(i: usize, at: usize) -> usize {
    Draw((i * 1000 + at) as u64).below(60)
}
