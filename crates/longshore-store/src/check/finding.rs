//! What a check finds, and how it is put right.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use longshore_blob::BlobStore;
use longshore_core::Result;
use longshore_meta::Db;

/// How much somebody should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Content that was acknowledged is lost or wrong.
    Damage,
    /// Records do not fit each other.
    Fault,
    /// Space is taken that nobody needs.
    Waste,
}

impl Grade {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Grade::Damage => "damage",
            Grade::Fault => "fault",
            Grade::Waste => "waste",
        }
    }
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was found; nothing was done, because that was not asked for or there is nothing to be done from here.
    Found,
    /// It was repaired.
    Repaired,
    /// Its repair failed, and why.
    Failed(String),
}

/// What a repair works with.
#[derive(Clone)]
pub struct Fixer {
    pub(crate) db: Db,
    pub(crate) store: Arc<dyn BlobStore>,
}

impl fmt::Debug for Fixer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fixer(..)")
    }
}

type Fix = Box<dyn FnOnce(Fixer) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Something that is wrong.
pub struct Finding {
    /// What kind of thing it is, for programs: it keeps its meaning.
    pub code: &'static str,
    /// How bad that is.
    pub grade: Grade,
    /// Of what: a digest, `repository:tag`, a path in the data directory.
    pub subject: String,
    /// What is wrong with it, in a sentence.
    pub what: String,
    /// What a repair does, or what somebody can do where there is none.
    pub remedy: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    pub(crate) fix: Option<Fix>,
}

impl Finding {
    pub(crate) fn new(
        code: &'static str,
        grade: Grade,
        subject: impl Into<String>,
        what: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self {
            code,
            grade,
            subject: subject.into(),
            what: what.into(),
            remedy,
            outcome: Outcome::Found,
            fix: None,
        }
    }

    /// With what puts it right. It runs later, and must see for itself whether there is still something to do.
    pub(crate) fn fixed_by<W>(
        mut self,
        fix: impl FnOnce(Fixer) -> W + Send + Sync + 'static,
    ) -> Self
    where
        W: Future<Output = Result<()>> + Send + 'static,
    {
        self.fix = Some(Box::new(move |fixer| Box::pin(fix(fixer))));
        self
    }

    /// Whether there is a repair.
    pub fn has_repair(&self) -> bool {
        self.fix.is_some() || self.outcome != Outcome::Found
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("code", &self.code)
            .field("grade", &self.grade)
            .field("subject", &self.subject)
            .field("what", &self.what)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
