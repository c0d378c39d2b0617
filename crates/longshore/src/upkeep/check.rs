//! A check in the words of commands and of the control socket.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use longshore_store::check::{CheckOptions, Finding, Grade, Outcome, Report, Summary};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Sparse};

/// What a check is asked to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Asked {
    /// Repair what can be repaired.
    #[serde(default)]
    pub repair: bool,
    /// Do not read the bytes of blobs.
    #[serde(default)]
    pub quick: bool,
    /// How old a file must be to be nobody's, in seconds.
    pub grace: Option<u64>,
}

impl Asked {
    /// The options of a check of a store with this configuration. `settle` is how long to wait before a second look.
    pub fn options(&self, config: &Config, settle: Option<Duration>) -> CheckOptions {
        let defaults = CheckOptions::default();
        CheckOptions {
            hash: !self.quick,
            repair: self.repair,
            settle,
            grace: self.grace.map_or(defaults.grace, Duration::from_secs),
            sparse: config.manifests.sparse == Sparse::All,
            ..defaults
        }
    }
}

/// A finding, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What kind of thing it is, for programs.
    pub code: String,
    /// `damage`, `fault` or `waste`.
    pub grade: String,
    /// Of what.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
    /// What a repair does, or what somebody can do.
    pub remedy: String,
    /// `found`, `repaired` or `failed`.
    pub outcome: String,
    /// Why the repair failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl From<&Finding> for Told {
    fn from(finding: &Finding) -> Self {
        let (outcome, error) = match &finding.outcome {
            Outcome::Found => ("found", None),
            Outcome::Repaired => ("repaired", None),
            Outcome::Failed(why) => ("failed", Some(why.clone())),
        };
        Self {
            code: finding.code.to_owned(),
            grade: finding.grade.word().to_owned(),
            subject: finding.subject.clone(),
            what: finding.what.clone(),
            remedy: finding.remedy.to_owned(),
            outcome: outcome.to_owned(),
            error,
        }
    }
}

/// What a check came to, as it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Whether nothing is wrong that somebody should care about.
    pub clean: bool,
    /// How many things of each kind were looked at.
    pub looked: BTreeMap<String, u64>,
    /// How many findings of each grade there were.
    pub found: BTreeMap<String, u64>,
    /// How many of them were repaired.
    pub repaired: u64,
    /// How many repairs failed.
    pub failed: u64,
}

impl From<Summary> for Sum {
    fn from(summary: Summary) -> Self {
        let grades = [Grade::Damage, Grade::Fault, Grade::Waste];
        let count = |grade| summary.found.get(&grade).copied().unwrap_or(0);
        Self {
            clean: summary.is_clean(),
            found: grades
                .map(|grade| (grade.word().to_owned(), count(grade)))
                .into(),
            looked: summary
                .looked
                .into_iter()
                .map(|(part, count)| (part.to_owned(), count))
                .collect(),
            repaired: summary.repaired,
            failed: summary.failed,
        }
    }
}

/// Gives each finding to a function.
pub struct Each<F>(pub F);

#[async_trait]
impl<F: FnMut(Told) + Send> Report for Each<F> {
    async fn found(&mut self, finding: &Finding) {
        (self.0)(finding.into());
    }

    async fn looked(&mut self, _part: &'static str, _count: u64) {}
}

impl<F> std::fmt::Debug for Each<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Each(..)")
    }
}
