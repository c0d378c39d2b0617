//! What a takeover did and found, for people and for programs.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use longshore_layout::distribution::{Finding, Kind, Weight};
use longshore_spec::name::RepoName;
use longshore_store::{Store, Taken};
use serde::Serialize;

/// Where findings come from, so that a million of them need no memory.
#[derive(Debug)]
pub enum Findings {
    /// They are all here.
    Kept(Vec<Finding>),
    /// They are rows.
    Stored(Store),
}

/// What was taken over, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// When it began; `None` when it is only tried.
    pub begun: Option<SystemTime>,
    /// When it ended.
    pub ended: Option<SystemTime>,
    /// Repositories.
    pub repos: u64,
    /// Manifests.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Blobs, once for each repository that holds them.
    pub blobs: u64,
}

impl From<Taken> for Sum {
    fn from(taken: Taken) -> Self {
        Self {
            begun: Some(taken.begun),
            ended: taken.ended,
            repos: taken.repos,
            manifests: taken.manifests,
            tags: taken.tags,
            blobs: taken.blobs,
        }
    }
}

/// How many findings there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Those that mean a loss.
    pub losses: u64,
    /// Of each kind.
    pub kinds: BTreeMap<Kind, u64>,
}

/// What a takeover did and found.
#[derive(Debug)]
pub struct Report {
    data: PathBuf,
    sum: Sum,
    findings: Findings,
}

#[derive(Serialize)]
struct Line<'a> {
    weight: &'static str,
    kind: &'static str,
    repository: Option<&'a str>,
    what: &'a str,
    why: &'a str,
}

impl Report {
    /// A report of what lies in `data`.
    pub fn new(data: &Path, sum: Sum, findings: Findings) -> Self {
        Self {
            data: data.to_owned(),
            sum,
            findings,
        }
    }

    /// Calls `look` for every finding.
    async fn each(&self, mut look: impl FnMut(&Finding) -> io::Result<()>) -> anyhow::Result<()> {
        match &self.findings {
            Findings::Kept(findings) => findings.iter().try_for_each(look)?,
            Findings::Stored(store) => {
                let mut after = None;
                loop {
                    let (findings, last) = store.takeover_findings(after).await?;
                    findings.iter().try_for_each(&mut look)?;
                    if last.is_none() {
                        break;
                    }
                    after = last;
                }
            }
        }
        Ok(())
    }

    /// Counts.
    ///
    /// # Errors
    /// The metadata cannot be read.
    pub async fn totals(&self) -> anyhow::Result<Totals> {
        let mut totals = Totals::default();
        self.each(|finding| {
            *totals.kinds.entry(finding.kind).or_default() += 1;
            totals.losses += u64::from(finding.kind.weight() == Weight::Loss);
            Ok(())
        })
        .await?;
        Ok(totals)
    }

    /// Writes the counts, for people.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn summary(&self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let sum = &self.sum;
        let (would, done) = match (sum.begun, sum.ended) {
            (Some(_), Some(_)) => ("", "taken over"),
            (Some(_), None) => ("so far ", "taken over"),
            (None, _) => ("would be ", "taken over"),
        };
        writeln!(out, "Distribution registry in {}", self.data.display())?;
        if let (Some(begun), Some(ended)) = (sum.begun, sum.ended) {
            writeln!(out, "begun {}, ended {}", shown(begun), shown(ended))?;
        }
        writeln!(
            out,
            "{would}{done}: {} repositories, {} manifests, {} tags, {} blobs",
            sum.repos, sum.manifests, sum.tags, sum.blobs
        )?;
        for (weight, words) in [
            (Weight::Loss, "cannot be pulled"),
            (Weight::Left, "left over or odd, nothing is missing"),
        ] {
            let of = |(kind, _): &(&Kind, &u64)| kind.weight() == weight;
            let kinds: Vec<_> = totals.kinds.iter().filter(of).collect();
            let all: u64 = kinds.iter().map(|(_, count)| **count).sum();
            if all > 0 {
                let kinds = kinds.iter().map(|(kind, count)| format!("{count} {kind}"));
                let kinds = kinds.collect::<Vec<_>>().join(", ");
                writeln!(out, "{words}: {all} ({kinds})")?;
            }
        }
        if totals.kinds.is_empty() {
            writeln!(out, "nothing is broken, nothing is left over")?;
        }
        Ok(())
    }

    /// Writes all of it, for people: the counts, then a line for each finding.
    ///
    /// # Errors
    /// The metadata cannot be read, or `out` not written to.
    pub async fn text(&self, totals: &Totals, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        self.summary(totals, out)?;
        if !totals.kinds.is_empty() {
            writeln!(out)?;
        }
        self.each(|finding| writeln!(out, "{finding}")).await
    }

    /// Writes all of it as one JSON object.
    ///
    /// # Errors
    /// The metadata cannot be read, or `out` not written to.
    pub async fn json(&self, totals: &Totals, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let sum = &self.sum;
        let head = serde_json::json!({
            "data": self.data.to_string_lossy(),
            "dry_run": sum.begun.is_none(),
            "begun": sum.begun.map(shown),
            "ended": sum.ended.map(shown),
            "repositories": sum.repos,
            "manifests": sum.manifests,
            "tags": sum.tags,
            "blobs": sum.blobs,
            "losses": totals.losses,
        });
        let head = head.to_string();
        write!(out, "{},\"findings\":[", head.trim_end_matches('}'))?;
        let mut first = true;
        self.each(|finding| {
            let line = Line {
                weight: finding.kind.weight().as_str(),
                kind: finding.kind.as_str(),
                repository: finding.repo.as_ref().map(RepoName::as_str),
                what: &finding.what,
                why: &finding.why,
            };
            if !std::mem::take(&mut first) {
                out.write_all(b",")?;
            }
            writeln!(out)?;
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)
        })
        .await?;
        writeln!(out, "]}}")?;
        Ok(())
    }

    /// Writes the text to a file, in place of one that is there.
    ///
    /// # Errors
    /// The metadata cannot be read, or the file not written.
    pub async fn keep(&self, totals: &Totals, path: &Path) -> anyhow::Result<()> {
        let named = || format!("the report {} cannot be written", path.display());
        let new = path.with_extension("new");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .with_context(named)?;
        let mut out = BufWriter::new(file);
        self.text(totals, &mut out).await?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&new, path))
            .with_context(named)
    }
}

fn shown(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| format!("{time:.0}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>) -> Report {
        let sum = Sum {
            repos: 2,
            manifests: 3,
            tags: 4,
            blobs: 5,
            ..Sum::default()
        };
        Report::new(Path::new("/srv"), sum, Findings::Kept(findings))
    }

    #[tokio::test]
    async fn a_report_counts_and_then_names_each_finding() {
        let repo = "acme/app".parse().unwrap();
        let report = report(vec![
            Finding::new(Kind::DanglingTag, &repo, "tag 1.0", "it points nowhere"),
            Finding::outside(Kind::Strange, "repositories/x\n", "no file belongs here"),
        ]);
        let totals = report.totals().await.unwrap();
        assert_eq!(totals.losses, 1);
        let mut text = Vec::new();
        report.text(&totals, &mut text).await.unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "Distribution registry in /srv\n\
             would be taken over: 2 repositories, 3 manifests, 4 tags, 5 blobs\n\
             cannot be pulled: 1 (1 dangling-tag)\n\
             left over or odd, nothing is missing: 1 (1 strange)\n\n\
             loss  dangling-tag       acme/app  tag 1.0: it points nowhere\n\
             left  strange            -  repositories/x\\n: no file belongs here\n"
        );
        let mut json = Vec::new();
        report.json(&totals, &mut json).await.unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["dry_run"], true);
        assert_eq!(json["losses"], 1);
        assert_eq!(json["findings"][0]["kind"], "dangling-tag");
        assert_eq!(json["findings"][1]["repository"], serde_json::Value::Null);
    }

    #[tokio::test]
    async fn a_report_without_findings_says_so_and_is_json_all_the_same() {
        let report = report(Vec::new());
        let totals = report.totals().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.txt");
        report.keep(&totals, &path).await.unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.ends_with("nothing is broken, nothing is left over\n"),
            "{text}"
        );
        let mut json = Vec::new();
        report.json(&totals, &mut json).await.unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["findings"], serde_json::json!([]));
    }
}
