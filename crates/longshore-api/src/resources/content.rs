//! What is in a repository: tags, artifacts, what refers to them, pulls.

use std::collections::BTreeMap;

use longshore_auth::rights::Action;
use longshore_hub::artifact::{About, Layer, Run};
use longshore_hub::views::{ArtifactSeen, ArtifactWhole, ReferrerSeen};
use longshore_meta::pulls::PullDay;
use longshore_spec::digest::Digest;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{
    CURSOR, Endpoint, Gives, Kind, LIMIT, Needs, On, Parameter, Way, line, shape,
};
use crate::page::{after, page};
use crate::words::time;

const SEE: Needs = Needs::Right(Action::RepositoryList, On::Repository);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "repository-tags",
        (Way::Get, "/repositories/{repository}/-/tags"),
        "List the tags of a repository that you may see",
        SEE,
        Gives::Page(shape::<OneTag>()),
        |api, ask| Box::pin(tags(api, ask)),
    ),
    line(
        "repository-pulls",
        (Way::Get, "/repositories/{repository}/-/pulls"),
        "List how often a repository was pulled, by tag and day",
        SEE,
        Gives::Page(shape::<Pulled>()),
        |api, ask| Box::pin(pulls(api, ask)),
    ),
    line(
        "artifact-list",
        (Way::Get, "/repositories/{repository}/-/artifacts"),
        "List the artifacts of a repository",
        SEE,
        Gives::Page(shape::<Artifact>()),
        |api, ask| Box::pin(list(api, ask)),
    )
    .asks(&[
        LIMIT,
        CURSOR,
        Parameter {
            name: "about",
            about: "`another`: only what is about another artifact, as signatures are; `nothing`: only what is not",
            kind: Kind::OneOf(&["another", "nothing"]),
        },
    ]),
    line(
        "artifact-get",
        (Way::Get, "/repositories/{repository}/-/artifacts/{digest}"),
        "Show an artifact",
        SEE,
        Gives::One(shape::<Whole>()),
        |api, ask| Box::pin(get(api, ask)),
    ),
    line(
        "artifact-referrers",
        (
            Way::Get,
            "/repositories/{repository}/-/artifacts/{digest}/referrers",
        ),
        "List what there is about an artifact: signatures, bills of materials and the like",
        SEE,
        Gives::Page(shape::<Referrer>()),
        |api, ask| Box::pin(referrers(api, ask)),
    ),
];

/// A tag.
#[derive(Serialize, ToSchema)]
#[schema(as = Tag)]
struct OneTag {
    /// The tag.
    name: String,
    /// What it points to.
    digest: String,
}

/// Pulls of a tag on a day.
#[derive(Serialize, ToSchema)]
struct Pulled {
    /// The tag; empty for what was pulled by a digest that no tag has.
    tag: String,
    /// The day, in UTC.
    day: String,
    /// How many.
    pulls: u64,
}

/// A manifest and what is known of it.
#[derive(Serialize, ToSchema)]
struct Artifact {
    /// Its digest.
    digest: String,
    /// Its length in bytes.
    size: u64,
    /// What it was pushed as.
    media_type: String,
    /// The first tags that point to it.
    tags: Vec<String>,
    /// The digest of the artifact that it is about, where it is about another one.
    subject: Option<String>,
    /// What was found out about it; nothing while nobody has looked (`[search] content`).
    known: Option<Known>,
}

/// What was found out about an artifact.
#[derive(Serialize, ToSchema)]
struct Known {
    /// What it is, in one word.
    kind: String,
    /// The digest of its config.
    config: Option<String>,
    /// When it was made, as it says itself.
    created: Option<String>,
    /// Who made it, as it says itself.
    author: String,
    /// What it runs on.
    platforms: Vec<String>,
    /// How many layers it has.
    layers: u64,
    /// The bytes of its layers, as they travel.
    layers_size: u64,
    /// The bytes of all of it as they travel: its manifest, its config, its layers, and the same of all that it lists.
    total_size: u64,
    /// The bytes of its layers when unpacked, with those of what it lists. Nothing where that cannot be known: it can for layers that
    /// are not packed, and for those whose maker wrote it down (`io.containers.estargz.uncompressed-size`).
    unpacked_size: Option<u64>,
    /// The name of the image it was made from, as it says itself.
    base: String,
    /// Labels, annotations, history and types.
    #[schema(value_type = Object)]
    about: Map<String, Value>,
    /// Why less is known of it than might be.
    flaw: String,
}

impl From<ArtifactSeen> for Artifact {
    fn from(seen: ArtifactSeen) -> Self {
        let known = seen.known.map(|row| {
            let about: About = serde_json::from_str(&row.about).unwrap_or_default();
            let about = serde_json::to_value(&about).unwrap_or_default();
            Known {
                kind: row.kind,
                config: row.config.map(|digest| digest.to_string()),
                created: row.created.map(time),
                author: row.author,
                platforms: row.platforms.lines().map(str::to_owned).collect(),
                layers: row.layers,
                layers_size: row.size,
                total_size: row.total,
                unpacked_size: seen.unpacked,
                base: row.base,
                about: match about {
                    Value::Object(about) => about,
                    _ => Map::new(),
                },
                flaw: row.flaw,
            }
        });
        Self {
            digest: seen.digest.to_string(),
            size: seen.size,
            media_type: seen.media_type,
            tags: seen.tags,
            subject: seen.subject.map(|digest| digest.to_string()),
            known,
        }
    }
}

/// An artifact, and what it is made of.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeArtifact)]
struct Whole {
    #[serde(flatten)]
    artifact: Artifact,
    /// How it is run, as its config says: `user`, `env`, `entrypoint`, `cmd`, `working_dir`, `exposed_ports`, `volumes` and `stop_signal`, what is
    /// there of it. Nothing where it is no image, and for those who may not pull it.
    #[schema(value_type = Option<Object>)]
    run: Option<Run>,
    /// Its layers, the lowest first.
    layers: Vec<OneLayer>,
}

/// A layer.
#[derive(Serialize, ToSchema)]
#[schema(as = Layer)]
struct OneLayer {
    /// Its digest.
    digest: String,
    /// Its bytes, as they travel.
    size: u64,
    /// What it is.
    media_type: String,
    /// Which step of the history (`known.about.history`) made it, counted from 0; nothing where that does not tell.
    step: Option<usize>,
    /// What the manifest says of it.
    annotations: BTreeMap<String, String>,
}

impl From<ArtifactWhole> for Whole {
    fn from(whole: ArtifactWhole) -> Self {
        let parts = whole.parts.unwrap_or_default();
        let run: Run = serde_json::from_str(&parts.run).unwrap_or_default();
        let layers: Vec<Layer> = serde_json::from_str(&parts.layers).unwrap_or_default();
        let layer = |layer: Layer| OneLayer {
            digest: layer.digest,
            size: layer.size,
            media_type: layer.media_type,
            step: layer.step,
            annotations: layer.annotations,
        };
        Self {
            artifact: whole.seen.into(),
            run: (run != Run::default()).then_some(run),
            layers: layers.into_iter().map(layer).collect(),
        }
    }
}

/// An artifact that is about another one.
#[derive(Serialize, ToSchema)]
struct Referrer {
    /// Its digest.
    digest: String,
    /// Its artifact type, as far as it says.
    artifact_type: String,
    /// What it is, in one word.
    kind: String,
}

impl From<ReferrerSeen> for Referrer {
    fn from(ReferrerSeen(row): ReferrerSeen) -> Self {
        Self {
            digest: row.digest.to_string(),
            artifact_type: row.artifact_type,
            kind: row.kind,
        }
    }
}

async fn tags(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let found = api
        .hub()
        .repository_tags(&ask.caller, &name, &from, ask.query.limit())
        .await?;
    let show = |(name, digest): (String, Digest)| OneTag {
        name,
        digest: digest.to_string(),
    };
    page(&ask, found, show, Clone::clone)
}

async fn pulls(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let from: Option<(String, i64)> = after(&ask, |key| {
        let (tag, day) = key.split_once(' ')?;
        Some(Some((tag.to_owned(), day.parse().ok()?)))
    })?;
    let (tag, day) = from.unwrap_or((String::new(), i64::MIN));
    let found = api
        .hub()
        .repository_pulls(&ask.caller, &name, (&tag, day), ask.query.limit())
        .await?;
    let show = |row: PullDay| Pulled {
        tag: row.tag,
        day: time(row.day.saturating_mul(86_400_000_000))
            .split('T')
            .next()
            .unwrap_or_default()
            .to_owned(),
        pulls: row.pulls,
    };
    page(&ask, found, show, |(tag, day)| format!("{tag} {day}"))
}

fn digest_after(ask: &Ask) -> Result<Option<Digest>, crate::problem::Problem> {
    after(ask, |key| key.parse().ok().map(Some))
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let (name, from) = (ask.repository()?, digest_after(&ask)?);
    let about = ask.query.get("about").map(|word| word == "another");
    let found = api
        .hub()
        .artifact_list(&ask.caller, &name, (from, about), ask.query.limit())
        .await?;
    page(&ask, found, Artifact::from, ToString::to_string)
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let (name, digest) = (ask.repository()?, ask.digest()?);
    let found = api.hub().artifact_get(&ask.caller, &name, &digest).await?;
    Reply::json(&Whole::from(found))
}

async fn referrers(api: &Api, ask: Ask) -> Answer {
    let (name, subject) = (ask.repository()?, ask.digest()?);
    let from = digest_after(&ask)?;
    let found = api
        .hub()
        .artifact_referrers(&ask.caller, &name, (subject, from), ask.query.limit())
        .await?;
    page(&ask, found, Referrer::from, ToString::to_string)
}
