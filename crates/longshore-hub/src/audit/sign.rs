//! Signing the audit log: what goes on from what was signed before, and nothing else.

use std::time::{Duration, SystemTime};

use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Durability;
use longshore_meta::audit::{
    LOG, audit_first, audit_last, audit_put, chain, checkpoint_drop, checkpoint_last,
    checkpoint_put,
};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::signing_keys::signing_key_list;
use longshore_meta::time::span;
use serde_json::json;

use super::head::{Head, Kept, State};
use super::{Sign, Verified, WINDOW, accepted, checkpoint, holds, signed};
use crate::caller::Caller;
use crate::hub::{Done, Hub, entry};
use crate::permit::Permit;

/// How long what was written into the audit log may stay unsigned. It is signed much sooner while a server runs.
pub const SIGNED_WITHIN: Duration = Duration::from_mins(10);
/// How far apart signed hashes are that are kept.
const APART: Duration = Duration::from_hours(1);
const OPERATE: u8 = Action::SystemOperate as u8;

/// A row of which something is known, or the place before the first.
pub(super) type Anchor = (i64, Vec<u8>);

impl Hub {
    /// Signs the log as it is, unless nothing was added since the last time. Gives the number of its last row.
    ///
    /// Where it does not go on from what was signed before, nothing is signed, now and later: that is told in the log of the server and
    /// in a row.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_sign(&self, sign: &dyn Sign, now: i64) -> Result<i64> {
        let mut state = self.ledger.state().await;
        let from = match self.anchor(&mut state, sign, now).await? {
            Ok(from) => from,
            Err(why) => return self.broke(&mut state, why, now).await,
        };
        let forgotten = state.head.as_ref().map(|head| head.base);
        let (seq, hash) = match self.follow(from.clone(), forgotten).await? {
            Ok(end) => end,
            Err(why) => return self.broke(&mut state, why, now).await,
        };
        if (seq, &hash) != (from.0, &from.1) {
            let point = checkpoint((seq, &hash), &signed(seq, &hash), sign, now)?;
            // On disk with all rows before it, before anything says so elsewhere.
            self.db
                .write(Durability::Power, point, |tx, point| {
                    Box::pin(checkpoint_put(tx, point, span(APART)))
                })
                .await?;
        } else if state.saved {
            return Ok(seq);
        }
        let base = match forgotten {
            Some(base) => base,
            None => self.base().await?,
        };
        self.remember(&mut state, sign, (seq, hash, base), now)
            .await?;
        Ok(seq)
    }

    /// Tells in the log of the server what was signed last.
    pub async fn audit_tell(&self) {
        if let Some(head) = &self.ledger.state().await.head {
            tell(head);
        }
    }

    /// Whether the log was found not to be what was signed, so that nothing is signed any more.
    pub fn audit_is_broken(&self) -> bool {
        self.ledger.is_broken()
    }

    /// Goes on from the log as it is, although it was found broken: what is wrong is written into a row, and that row is signed in a
    /// way that says so. Gives what was found.
    ///
    /// # Errors
    /// `Denied`, `ConditionFailed` when nothing is wrong, or `Unavailable`.
    pub async fn audit_accept(
        &self,
        caller: &Caller,
        sign: &dyn Sign,
        why: &str,
    ) -> Result<Verified> {
        let mut state = self.ledger.state().await;
        let now = caller.micros();
        let broken = self.anchor(&mut state, sign, now).await?.err();
        let found = self.check(&state, broken, sign, now).await?;
        if found.wrong.is_empty() {
            let what = "nothing is wrong with the audit log, so there is nothing to accept";
            return Err(Error::new(Code::ConditionFailed, what));
        }
        let told = json!({ "accepted": found.wrong, "why": why });
        self.act(caller, Object::System, told, |_, permit, told| {
            Box::pin(std::future::ready(Ok(taken(permit, told))))
        })
        .await?;
        let (seq, hash) = self.db.read(&(), |tx, ()| Box::pin(audit_last(tx))).await?;
        let point = checkpoint((seq, &hash), &accepted(seq, &hash), sign, now)?;
        self.db
            .write(Durability::Power, point, |tx, point| {
                Box::pin(async move {
                    // Of rows that are no more; what was known of them is in the row.
                    checkpoint_drop(tx, point.seq).await?;
                    checkpoint_put(tx, point, 0).await
                })
            })
            .await?;
        let base = self.base().await?;
        state.broken = None;
        self.ledger.set_broken(false);
        self.remember(&mut state, sign, (seq, hash, base), now)
            .await?;
        Ok(found)
    }

    /// Remembers what was signed, outside the database too.
    pub(super) async fn remember(
        &self,
        state: &mut State,
        sign: &dyn Sign,
        (seq, hash, base): (i64, Vec<u8>, i64),
        now: i64,
    ) -> Result<()> {
        let head = Head {
            base,
            seq,
            at: now,
            hash: hex::encode(hash),
            ..Head::default()
        };
        let head = head.signed_by(sign)?;
        state.saved = false;
        state.head = Some(head.clone());
        self.ledger.save(&head).await?;
        state.saved = true;
        // Once more outside the database, for whoever keeps what servers log; not each time, which would be most of it.
        if now.saturating_sub(state.told).abs() >= span(APART) {
            state.told = now;
            tell(&head);
        }
        Ok(())
    }

    /// Up to which row the log was forgotten.
    async fn base(&self) -> Result<i64> {
        let first = self
            .db
            .read(&(), |tx, ()| Box::pin(audit_first(tx)))
            .await?;
        Ok(first.map_or(0, |seq| seq - 1))
    }

    /// From where the log is to go on. The inner error says why that cannot be known.
    pub(super) async fn anchor(
        &self,
        state: &mut State,
        sign: &dyn Sign,
        now: i64,
    ) -> Result<std::result::Result<Anchor, String>> {
        if let Some(why) = &state.broken {
            return Ok(Err(why.clone()));
        }
        if let Some(head) = &state.head {
            return Ok(Ok((head.seq, head.hash())));
        }
        let file = || {
            let file = self.ledger.file();
            file.map_or_else(String::new, |it| it.display().to_string())
        };
        match self.ledger.load().await? {
            Kept::Head(head) if head.holds(sign) => {
                let from = (head.seq, head.hash());
                (state.head, state.saved) = (Some(head), true);
                Ok(Ok(from))
            }
            Kept::Head(_) | Kept::Garbage => Ok(Err(format!(
                "the file `{}` is not what was written into it",
                file()
            ))),
            Kept::Nothing => self.unremembered(sign, &file(), now).await,
        }
    }

    /// From where it is to go on where nothing is remembered: at the first start, after a restore, where no file is wanted.
    async fn unremembered(
        &self,
        sign: &dyn Sign,
        file: &str,
        now: i64,
    ) -> Result<std::result::Result<Anchor, String>> {
        let (last, point, keys) = self
            .db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    let last = audit_last(tx).await?.0;
                    let keys = signing_key_list(tx, i64::MIN).await?;
                    Ok((last, checkpoint_last(tx).await?, keys))
                })
            })
            .await?;
        if let Some(point) = point {
            if !holds(&point, sign) {
                return Ok(Err(format!("the signature at row {} is wrong", point.seq)));
            }
            if !file.is_empty() {
                tracing::warn!(
                    file,
                    row = point.seq,
                    "what was signed last of the audit log is remembered nowhere but in the database; if this is a restored backup, that is as it must be"
                );
                let told = json!({ "unremembered": file, "goes_on_from": point.seq, "last": last });
                self.about_log("done", &told, now).await?;
            }
            return Ok(Ok((point.seq, point.hash)));
        }
        // What is young enough may just not have been signed yet.
        let born = keys.iter().map(|key| key.created).min().unwrap_or(now);
        if file.is_empty() || now.saturating_sub(born) < span(SIGNED_WITHIN) {
            return Ok(Ok((0, Vec::new())));
        }
        Ok(Err(if last == 0 {
            "it is empty, though this index is not new".to_owned()
        } else {
            "nothing in it is signed, though this index is not new".to_owned()
        }))
    }

    /// Goes through the rows after one of which something is known, to the last. The inner error says what does not follow.
    /// `forgotten`: up to which row that was by time, where that is known.
    async fn follow(
        &self,
        from: Anchor,
        forgotten: Option<i64>,
    ) -> Result<std::result::Result<Anchor, String>> {
        let (mut at, mut hash) = from;
        if at > 0 {
            let first = self.audit_rows(at - 1, 1).await?;
            match first.first() {
                Some(row) if row.seq == at && row.hash == hash => {}
                Some(row) if row.seq == at => {
                    return Ok(Err(format!("row {at} has not the hash that was signed")));
                }
                // The hash that is remembered says what it was.
                Some(row) if row.seq == at + 1 && forgotten.is_none_or(|base| at <= base) => {}
                _ => return Ok(Err(format!("row {at} was signed and is missing"))),
            }
        }
        loop {
            let window = self.audit_rows(at, WINDOW).await?;
            if window.is_empty() {
                return Ok(Ok((at, hash)));
            }
            for row in window {
                if row.seq != at + 1 {
                    let (from, to) = (at + 1, row.seq - 1);
                    return Ok(Err(format!("the rows from {from} to {to} are missing")));
                }
                if chain(&hash, row.seq, &row.entry) != row.hash {
                    return Ok(Err(format!("row {} is not what was written", row.seq)));
                }
                (at, hash) = (row.seq, row.hash);
            }
        }
    }

    /// Says that the log is broken, where that is new, and gives its last row.
    async fn broke(&self, state: &mut State, why: String, now: i64) -> Result<i64> {
        if state.broken.is_none() {
            tracing::error!(
                why,
                "the audit log is not what was signed: somebody changed the database, or put an older one in its place. Nothing more is signed until `longshore admin audit verify` was looked at and `longshore admin audit accept` says to go on"
            );
            self.ledger.set_broken(true);
            let told = json!({ "broken": why });
            state.broken = Some(why);
            self.about_log("broken", &told, now).await?;
        }
        self.audit_last().await
    }

    /// Writes a row about the log itself.
    async fn about_log(&self, result: &str, told: &serde_json::Value, now: i64) -> Result<()> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_micros(now.try_into().unwrap_or(0));
        let caller = Caller::program("audit", at);
        let action = Action::SystemOperate.name();
        let none = NamespaceId(0);
        let row = entry(
            &caller,
            action,
            LOG.to_owned(),
            none,
            result,
            told.to_string(),
        );
        self.db
            .write(Durability::Power, row, |tx, row| {
                Box::pin(async move { audit_put(tx, row).await.map(drop) })
            })
            .await
    }
}

fn tell(head: &Head) {
    tracing::info!(row = head.seq, hash = %head.hash, "the audit log is signed up to this row");
}

fn taken(_: &Permit<OPERATE>, told: &serde_json::Value) -> Done<()> {
    Done {
        value: (),
        object: LOG.to_owned(),
        namespace: NamespaceId(0),
        detail: told.clone(),
    }
}
