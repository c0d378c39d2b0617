//! How an upload session comes to be: in memory when it is opened, with a row and a stage when bytes come.

use std::time::SystemTime;

use longshore_core::error::Chain;
use longshore_core::{Actor, Cx, Result, Upload};
use longshore_meta::time::{micros, span};
use longshore_meta::uploads::UploadKey;
use longshore_meta::{Durability, uploads};
use longshore_spec::digest::Algorithm;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use crate::fresh::{Room, Start};
use crate::store::Inner;
use crate::uploads::{Held, owner, unknown};

impl Inner {
    pub(crate) async fn start_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        algorithm: Algorithm,
    ) -> Result<Upload> {
        let repo = self.repo_or_new(repo, cx).await?;
        let id = UploadId::from_u128(uuid::Uuid::new_v4().as_u128());
        let key = UploadKey {
            repo: repo.id,
            id,
            actor: owner(&cx.actor),
        };
        let options = &self.options;
        let rows = self.fresh.rows_at_most();
        let room = Room {
            of_repo: options.sessions,
            of_actor: (cx.actor != Actor::Anonymous).then_some(options.sessions_of_one),
            rows_of_repo: rows,
            rows_of_actor: rows,
        };
        let now = micros(cx.now);
        let mut opened = self.fresh.open(&key, algorithm, now, room);
        if opened.is_err() && rows > 0 {
            // There is no room if all sessions that hold bytes are of this repository and this actor: how many are?
            let (rows_of_repo, rows_of_actor) = self.rows_of(&key).await?;
            let room = Room {
                rows_of_repo,
                rows_of_actor,
                ..room
            };
            opened = self.fresh.open(&key, algorithm, now, room);
        }
        opened?;
        Ok(Upload {
            id,
            offset: 0,
            min_chunk: 0,
        })
    }

    /// How many sessions that hold bytes are open in the repository and of the actor.
    async fn rows_of(&self, key: &UploadKey) -> Result<(usize, usize)> {
        let args = (key, self.options.sessions, self.options.sessions_of_one);
        self.db
            .read(&args, |tx, (key, of_repo, of_actor)| {
                Box::pin(async move {
                    Ok((
                        uploads::upload_count(tx, key.repo, *of_repo).await?,
                        uploads::upload_count_of(tx, &key.actor, *of_actor).await?,
                    ))
                })
            })
            .await
    }

    /// Makes a row and a stage of a session for which bytes come, and holds it.
    pub(crate) async fn begin(&self, start: Start, now: SystemTime) -> Result<Held> {
        let stage = self.blobs.stage(start.algorithm, now).await?;
        let now = micros(now);
        let lease = now.saturating_add(span(self.options.session_lease));
        let args = (start.key.clone(), stage.encode(), lease, now);
        self.fresh.row_comes();
        let begun = self
            .db
            .write(Durability::Process, args, |tx, (key, stage, lease, now)| {
                Box::pin(async move {
                    uploads::upload_insert(tx, key, stage, 0, *now).await?;
                    uploads::upload_take(tx, key, *lease, *now).await
                })
            })
            .await;
        match begun {
            Ok(Some(fence)) => {
                let key = start.key.clone();
                start.end();
                Ok(Held { key, fence, stage })
            }
            begun => {
                self.fresh.row_left();
                // No row will ever lead to the stage again.
                if let Err(left) = self.blobs.discard(&stage).await {
                    tracing::warn!(error = %Chain(&left), "the empty file of an upload that was refused stays on disk");
                }
                begun.and(Err(unknown(&start.key.id)))
            }
        }
    }
}
