//! Collection: what it did, what waits, and having it done now.
//!
//! A run can take hours, so nobody waits for it: whoever asks for one is told its number, and asks again how it is.

use longshore_auth::rights::Action;
use longshore_core::past::{self, Amount, GcStats, RunState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, shape};
use crate::words::time;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "gc-get",
        (Way::Get, "/gc"),
        "Say what collection did since the start, what waits, and how the runs are that were asked for",
        Needs::Right(Action::SystemRead, On::System),
        Gives::One(shape::<Gc>()),
        |api, ask| Box::pin(get(api, ask)),
    ),
    line(
        "gc-run",
        (Way::Post, "/gc"),
        "Have collected now what nobody needs, or said what would be",
        Needs::Right(Action::SystemOperate, On::System),
        Gives::Begun(shape::<GcRun>()),
        |api, ask| Box::pin(run(api, ask)),
    )
    .takes(shape::<GcWanted>()),
];

/// What is asked of a run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GcWanted {
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Believe the clock as it is, where collection is paused because it was set.
    #[serde(default)]
    accept_clock: bool,
    /// Work without rests.
    #[serde(default)]
    hurry: bool,
}

/// A number of blobs and their bytes.
#[derive(Serialize, ToSchema)]
struct Blobs {
    /// How many.
    blobs: u64,
    /// How many bytes they have together.
    bytes: u64,
}

impl From<Amount> for Blobs {
    fn from(amount: Amount) -> Self {
        Self {
            blobs: amount.count,
            bytes: amount.bytes,
        }
    }
}

/// What collection did since the start of this node, and what waits.
#[derive(Serialize, ToSchema)]
struct Gc {
    /// Runs that came to their end, whoever asked for them.
    completed: u64,
    /// Runs that broke off.
    broken: u64,
    /// Blobs whose bytes were removed.
    freed: Blobs,
    /// Blobs whose bytes wait to be removed, as of the last run.
    waiting: Blobs,
    /// How many manifests were in the trash, as of the last run.
    trash: u64,
    /// How many things could not be dealt with; the server's log says why.
    failed: u64,
    /// Whether it does nothing because the clock is not believed.
    paused: bool,
    /// The last runs that somebody asked for, the last first.
    runs: Vec<GcRun>,
}

/// A run that somebody asked for.
#[derive(Serialize, ToSchema)]
struct GcRun {
    /// Its number since the start of this node.
    id: u64,
    /// `waiting`, `running`, `done` or `failed`.
    state: &'static str,
    /// Who asked.
    by: String,
    /// When.
    asked: String,
    /// When it came to its end.
    ended: Option<String>,
    /// Whether it only says what would be done.
    dry_run: bool,
    /// Whether it empties the trash first: of a repository, or of `all`; nothing where it does not.
    empties: Option<String>,
    /// Why it broke off.
    failure: Option<String>,
    /// What it did so far, or would do.
    report: GcReport,
}

/// What a run did, or would do.
#[derive(Serialize, ToSchema)]
struct GcReport {
    /// Why nothing was done, where that is so.
    paused: Option<String>,
    /// Blobs whose bytes were removed.
    freed: Blobs,
    /// Blobs that nobody needs and nobody sees from now on.
    taken: Blobs,
    /// Blobs out of sight whose bytes wait for the end of their quarantine, those of earlier runs too.
    waiting: Blobs,
    /// When the last of those is removed.
    waiting_until: Option<String>,
    /// Blobs that stay because somebody who may push was told lately that they are here.
    leased: Blobs,
    /// Until when the last of those is kept.
    leased_until: Option<String>,
    /// Blobs that left a repository and stay because others have them.
    shared: Blobs,
    /// Some of those.
    shared_with: Vec<GcShared>,
    /// Manifests without a tag that were moved into the trash.
    collected: u64,
    /// Manifests that left the trash for good.
    expired: u64,
    /// Files that an unclean stop left behind.
    orphans: Blobs,
    /// Manifests in the trash.
    trash: u64,
    /// When the first of those leaves it.
    trash_until: Option<String>,
    /// Things that could not be dealt with; the server's log says why.
    failed: u64,
}

/// A blob that stays because others have it.
#[derive(Serialize, ToSchema)]
struct GcShared {
    /// The blob.
    digest: String,
    /// How long it is, in bytes.
    bytes: u64,
    /// Repositories that have it, a few of them.
    with: Vec<String>,
}

impl From<past::Report> for GcReport {
    fn from(it: past::Report) -> Self {
        let shared = it.shared_with.into_iter().map(|shared| GcShared {
            digest: shared.digest.to_string(),
            bytes: shared.size,
            with: shared.with,
        });
        Self {
            paused: it.paused,
            freed: it.freed.into(),
            taken: it.taken.into(),
            waiting: it.waiting.into(),
            waiting_until: it.waiting_until.map(time),
            leased: it.leased.into(),
            leased_until: it.leased_until.map(time),
            shared: it.shared.into(),
            shared_with: shared.collect(),
            collected: it.collected,
            expired: it.expired,
            orphans: it.orphans.into(),
            trash: it.trash,
            trash_until: it.trash_until.map(time),
            failed: it.failed,
        }
    }
}

impl From<past::Run> for GcRun {
    fn from(run: past::Run) -> Self {
        let empties = run.ask.empty.map(|it| match it.repo {
            Some(repo) => repo.to_string(),
            None => "all".to_owned(),
        });
        Self {
            id: run.id,
            state: match run.state {
                RunState::Waiting => "waiting",
                RunState::Running => "running",
                RunState::Done => "done",
                RunState::Failed => "failed",
            },
            by: run.by,
            asked: time(run.asked),
            ended: run.ended.map(time),
            dry_run: run.ask.dry_run,
            empties,
            failure: run.failure,
            report: run.report.into(),
        }
    }
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let (stats, runs) = api.hub().collection(&ask.caller).await?;
    let GcStats {
        runs: completed,
        broken,
        failed,
        trash,
        paused,
        ..
    } = stats;
    Reply::json(&Gc {
        completed,
        broken,
        freed: Blobs {
            blobs: stats.freed_blobs,
            bytes: stats.freed_bytes,
        },
        waiting: Blobs {
            blobs: stats.waiting_blobs,
            bytes: stats.waiting_bytes,
        },
        trash,
        failed,
        paused,
        runs: runs.into_iter().map(GcRun::from).collect(),
    })
}

async fn run(api: &Api, ask: Ask) -> Answer {
    let wanted: GcWanted = ask.read()?;
    let wanted = past::Ask {
        dry_run: wanted.dry_run,
        accept_clock: wanted.accept_clock,
        hurry: wanted.hurry,
        empty: None,
    };
    let hub = ask.hub(api.hub());
    let run = hub.collect(&ask.caller, wanted).await?;
    Reply::begun(&GcRun::from(run))
}
