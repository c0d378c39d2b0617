//! Requests that a registry must answer in one particular way, however odd they are.
//!
//! A row is data: a request, its answer, and what must hold after. Each has an id of its own that never changes, by which
//! issues and commits speak of it: A names and routes, B pulls, C uploads, D manifests, E lists, F deletes. The rows are
//! run against anything that answers HTTP ([`Target`]): an edge in the same process, or the real server over a socket.
//!
//! After each row that is to change nothing, the registry is looked at again and must be as it was. Every answer that
//! is a failure must be one for the wire: JSON of the specification's shape with one of its codes, a request id,
//! `nosniff`, nothing of the inside.

mod check;
mod deletes;
mod fixture;
mod lists;
mod manifests;
mod names;
mod pull;
mod rights;
mod uploads;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;

use crate::wire::{Answer, Ask, Wire};
use fixture::Fixture;

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Somebody who may do everything.
    Owner,
    /// Somebody else who may do everything.
    Colleague,
    /// Somebody without credentials.
    Stranger,
    /// Somebody with a token that is good for another repository.
    Outsider,
}

/// Something that answers HTTP.
pub trait Target: Send {
    /// Whether it can send as `who`. Rows of callers it does not know are left out.
    fn knows(&self, who: Who) -> bool;

    /// Sends one request as `who`, adding nothing but `Host`, credentials and the framing of the body.
    ///
    /// # Errors
    /// There was no answer.
    fn send(&mut self, who: Who, ask: &Ask) -> impl Future<Output = io::Result<Answer>> + Send;
}

/// Callers over sockets: a client for each that the server knows. A client that answers challenges by itself hides
/// them from the table, so give it [`Login::Always`](crate::wire::Login::Always) or nothing.
#[derive(Debug)]
pub struct Callers(pub HashMap<Who, Wire>);

impl Target for Callers {
    fn knows(&self, who: Who) -> bool {
        self.0.contains_key(&who)
    }

    async fn send(&mut self, who: Who, ask: &Ask) -> io::Result<Answer> {
        match self.0.get_mut(&who) {
            Some(wire) => wire.ask(ask).await,
            None => Err(io::Error::other(format!("nobody here is {who:?}"))),
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its id.
    pub id: &'static str,
    /// Who sends it.
    pub who: Who,
    /// What is sent, one after the other, with the answer to each.
    pub steps: &'static [Step],
    /// Whether what the registry holds may be different after.
    pub changes: bool,
}

/// One request and its answer.
///
/// Texts may hold the fixture's names in angle brackets, `<D>` for the digest of a blob that is there, and repetitions,
/// `<ab*3>` for `ababab`; see `fixture`.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub target: &'static str,
    /// Headers beside `Host`, credentials and those of the body.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body.
    pub body: Body,
    /// Statuses that will do.
    pub status: &'static [u16],
    /// The error code in the body; `None` where there is none, or any.
    pub code: Option<&'static str>,
    /// What must hold of the answer's headers.
    pub expect: &'static [(&'static str, Has)],
    /// What the body must be, where that matters.
    pub answer: Option<&'static str>,
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// None, and no header that speaks of one.
    Absent,
    /// A text with `Content-Length`.
    Sized(&'static str),
    /// A text in chunks.
    Chunked(&'static str),
    /// Bytes that are no text, with `Content-Length`.
    Bytes(&'static [u8]),
}

/// What must hold of a header.
#[derive(Debug, Clone, Copy)]
pub enum Has {
    /// Its first line is this.
    Is(&'static str),
    /// Some line of it has this in it.
    Part(&'static str),
    /// It is there.
    Any,
    /// It is not there.
    None,
}

impl Row {
    /// A row that changes nothing.
    const fn new(id: &'static str, steps: &'static [Step]) -> Self {
        Self {
            id,
            who: Who::Owner,
            steps,
            changes: false,
        }
    }

    /// Sent by somebody else.
    const fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    /// Changes what the registry holds.
    const fn changing(mut self) -> Self {
        self.changes = true;
        self
    }
}

impl Step {
    /// A request without a body; its answer has one of these statuses.
    const fn new(method: &'static str, target: &'static str, status: &'static [u16]) -> Self {
        Self {
            method,
            target,
            headers: &[],
            body: Body::Absent,
            status,
            code: None,
            expect: &[],
            answer: None,
        }
    }

    const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    const fn with(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        self.headers = headers;
        self
    }

    const fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    const fn has(mut self, expect: &'static [(&'static str, Has)]) -> Self {
        self.expect = expect;
        self
    }

    const fn answers(mut self, answer: &'static str) -> Self {
        self.answer = Some(answer);
        self
    }
}

/// All rows, by id.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        names::ROWS,
        pull::ROWS,
        uploads::ROWS,
        manifests::ROWS,
        lists::ROWS,
        deletes::ROWS,
        rights::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// What a run of the table showed.
#[derive(Debug, Default)]
pub struct Report {
    /// The ids of the rows that were run.
    pub ran: Vec<&'static str>,
    /// The ids of the rows whose caller the target does not know.
    pub left_out: Vec<&'static str>,
    /// What went wrong, one text for each row that failed.
    pub failures: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} rows ran, {} were left out, {} failed",
            self.ran.len(),
            self.left_out.len(),
            self.failures.len()
        )?;
        self.failures
            .iter()
            .try_for_each(|failure| writeln!(f, "{failure}"))
    }
}

/// Runs every row. The registry behind `target` must be empty before, and is not after.
///
/// # Errors
/// The target did not answer, or could not even be filled.
pub async fn run(target: &mut impl Target) -> io::Result<Report> {
    let mut fixture = Fixture::push(target).await?;
    let mut report = Report::default();
    for row in rows() {
        let callers = [row.who, Who::Owner];
        if !callers.iter().all(|who| target.knows(*who)) {
            report.left_out.push(row.id);
            continue;
        }
        report.ran.push(row.id);
        if let Err(failure) = check::row(target, &mut fixture, row).await? {
            report.failures.push(format!("{}: {failure}", row.id));
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_there_once_and_begins_with_its_tables_letter() {
        let mut seen = BTreeSet::new();
        for row in rows() {
            assert!(seen.insert(row.id), "{} is there twice", row.id);
            assert!(
                row.id.starts_with(['A', 'B', 'C', 'D', 'E', 'F', 'G']),
                "{}",
                row.id
            );
            assert!(!row.steps.is_empty(), "{} asks nothing", row.id);
        }
    }
}
