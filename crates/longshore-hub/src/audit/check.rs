//! Checking the audit log from end to end.

use longshore_core::Result;
use longshore_meta::audit::{AuditRow, Checkpoint, audit_first, chain, checkpoint_list};
use longshore_meta::time::span;

use super::head::{Head, Kept, State};
use super::{SIGNED_WITHIN, Sign, Verified, WINDOW, accepted, signed};
use crate::hub::Hub;

/// How many sentences are told at most.
const TOLD: usize = 100;

/// A check under way.
struct Check<'a> {
    sign: &'a dyn Sign,
    head: Option<&'a Head>,
    found: Verified,
    /// The last row whose signature is in the database, and right.
    signed_to: i64,
    /// The last row that something signed vouches for.
    vouched: i64,
    /// When that was signed.
    at: i64,
    /// When the first row after it was written.
    since: Option<i64>,
}

impl Hub {
    /// Checks each row against the one before it, each signature, and what is remembered outside the database.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_verify(&self, sign: &dyn Sign, now: i64) -> Result<Verified> {
        let mut state = self.ledger.state().await;
        let broken = self.anchor(&mut state, sign, now).await?.err();
        self.check(&state, broken, sign, now).await
    }

    /// The same, for who has the ledger. `broken` is what is known to be wrong.
    pub(super) async fn check(
        &self,
        state: &State,
        broken: Option<String>,
        sign: &dyn Sign,
        now: i64,
    ) -> Result<Verified> {
        let mut check = Check {
            sign,
            head: state.head.as_ref(),
            found: Verified::default(),
            signed_to: 0,
            vouched: 0,
            at: 0,
            since: None,
        };
        let first = self
            .db
            .read(&(), |tx, ()| Box::pin(audit_first(tx)))
            .await?;
        let start = first.unwrap_or(1) - 1;
        let signs = self
            .db
            .read(&start, |tx, start| {
                Box::pin(checkpoint_list(tx, *start, usize::MAX))
            })
            .await?;
        let mut signs = signs.into_iter().peekable();
        let mut before = (start == 0).then(Vec::new);
        // Where rows were forgotten, the signed hash of the last of them is where the check begins.
        if let Some(point) = signs.next_if(|it| it.seq == start) {
            check.signature(&point);
            before = Some(point.hash);
        }
        if before.is_none() {
            check.wrong(format!(
                "the rows up to {start} are gone, and no signed hash says what they were"
            ));
        }
        if check.head.is_some_and(|head| head.base < start) {
            check.wrong(format!(
                "the rows up to {start} are gone, and were not forgotten for their age"
            ));
        }
        let mut at = start;
        loop {
            let window = self.audit_rows(at, WINDOW).await?;
            if window.is_empty() {
                break;
            }
            for row in window {
                check.row(at, before.as_deref(), &row);
                while let Some(point) = signs.next_if(|it| it.seq <= row.seq) {
                    if point.seq != row.seq || point.hash != row.hash {
                        let seq = point.seq;
                        check.wrong(format!("row {seq} has not the hash that was signed"));
                    }
                    check.signature(&point);
                }
                (at, before) = (row.seq, Some(row.hash));
            }
        }
        for point in signs {
            check.wrong(format!("row {} was signed and is missing", point.seq));
        }
        check.end(at, now);
        if let Some(why) = broken {
            check.wrong(why);
        }
        self.check_file(&mut check, state).await?;
        Ok(check.found)
    }

    /// Whether the file still says what this process wrote into it.
    async fn check_file(&self, check: &mut Check<'_>, state: &State) -> Result<()> {
        let (Some(file), Some(head)) = (self.ledger.file(), &state.head) else {
            return Ok(());
        };
        match self.ledger.load().await? {
            Kept::Nothing => check.wrong(format!("the file `{}` is gone", file.display())),
            Kept::Head(kept) if kept == *head || !state.saved => {}
            Kept::Head(_) | Kept::Garbage => check.wrong(format!(
                "the file `{}` is not what was written into it",
                file.display()
            )),
        }
        Ok(())
    }
}

impl Check<'_> {
    fn wrong(&mut self, text: String) {
        let wrong = &mut self.found.wrong;
        if wrong.len() < TOLD && !wrong.contains(&text) {
            wrong.push(text);
        }
    }

    /// A row, after the one numbered `at` of the hash `before`.
    fn row(&mut self, at: i64, before: Option<&[u8]>, row: &AuditRow) {
        self.found.rows += 1;
        if row.seq != at + 1 {
            let (from, to) = (at + 1, row.seq - 1);
            self.wrong(format!("the rows from {from} to {to} are missing"));
        } else if before.is_some_and(|before| chain(before, row.seq, &row.entry) != row.hash) {
            self.wrong(format!("row {} is not what was written", row.seq));
        }
        self.found.unsigned += 1;
        self.since.get_or_insert(row.entry.at);
        if let Some(head) = self.head.filter(|head| head.seq == row.seq) {
            if head.hash() == row.hash {
                self.vouch(head.seq, head.at);
            } else {
                self.wrong(format!("row {} is not the one that was signed", row.seq));
            }
        }
    }

    /// What is signed at a row, which is the last one that was looked at.
    fn signature(&mut self, point: &Checkpoint) {
        let says = |bytes: &[u8]| self.sign.verify(&point.kid, bytes, &point.signature);
        match says(&signed(point.seq, &point.hash)) {
            Some(true) => {}
            Some(false) if says(&accepted(point.seq, &point.hash)) == Some(true) => {
                let before = std::mem::take(&mut self.found.wrong);
                self.found.accepted.extend(before);
                self.found.accepted.truncate(TOLD);
            }
            Some(false) => {
                self.wrong(format!("the signature at row {} is wrong", point.seq));
                return;
            }
            None => {
                self.found.unknown_keys += 1;
                self.wrong(format!(
                    "the signature at row {} is by a key that this index does not have",
                    point.seq
                ));
                return;
            }
        }
        self.found.signatures += 1;
        self.signed_to = self.signed_to.max(point.seq);
        self.vouch(point.seq, point.at);
    }

    fn vouch(&mut self, seq: i64, at: i64) {
        if seq >= self.vouched {
            (self.vouched, self.at) = (seq, self.at.max(at));
            (self.found.unsigned, self.since) = (0, None);
        }
    }

    /// What can be said when all rows were seen, of which `last` is the last.
    fn end(&mut self, last: i64, now: i64) {
        if let Some(head) = self.head.filter(|head| head.seq > last) {
            self.wrong(format!("row {} was signed and is missing", head.seq));
        }
        let signed_to = self.signed_to;
        if let Some(head) = self.head.filter(|head| head.seq > signed_to) {
            self.wrong(format!("the signature at row {} is gone", head.seq));
        }
        let late = |at: i64| now.saturating_sub(at) > span(SIGNED_WITHIN);
        if late(self.at) && self.since.is_some_and(late) {
            let unsigned = self.found.unsigned;
            self.wrong(format!(
                "the last {unsigned} rows are not signed, though the first of them is older than ten minutes"
            ));
        }
    }
}
