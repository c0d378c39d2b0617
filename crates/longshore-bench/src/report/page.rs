//! The page `docs/performance.md`: what is measured is written anew, what people wrote is kept.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::goal::Judged;
use crate::line::Line;

use super::{Results, table};

/// A part of the page that a program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The lines beside the peers.
    Measured,
    /// What abuse does.
    Abuse,
}

impl Part {
    fn begin(self) -> &'static str {
        match self {
            Self::Measured => "<!-- measured: begin, written by `cargo xtask bench` -->",
            Self::Abuse => "<!-- abuse: begin, written by `cargo xtask bench abuse` -->",
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Measured => "<!-- measured: end -->",
            Self::Abuse => "<!-- abuse: end -->",
        }
    }

    /// Writes this part of the page at `path` anew; the rest stays as it is.
    ///
    /// # Errors
    /// When the page cannot be read or written, or has lost its markers.
    pub(crate) fn write(self, path: &Path, text: &str) -> Result<()> {
        let old = fs::read_to_string(path).unwrap_or_else(|_| EMPTY.to_owned());
        let new = self.replaced(&old, text)?;
        fs::write(path, new).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn replaced(self, page: &str, text: &str) -> Result<String> {
        let (begin, end) = (self.begin(), self.end());
        let (before, rest) = page
            .split_once(begin)
            .with_context(|| format!("the page has lost its marker {begin}"))?;
        let (_, after) = rest
            .split_once(end)
            .with_context(|| format!("the page has lost its marker {end}"))?;
        Ok(format!("{before}{begin}\n{text}{end}{after}"))
    }
}

/// What a page begins with that does not exist yet.
const EMPTY: &str = "\
# Performance

What Longshore does beside other registries and beside nginx, which serves the same files by sendfile and is the practical limit of
reading, measured on one machine in one run.

<!-- measured: begin, written by `cargo xtask bench` -->
<!-- measured: end -->

## Under abuse

<!-- abuse: begin, written by `cargo xtask bench abuse` -->
<!-- abuse: end -->

## Where the time goes

<!-- counts -->
<!-- counts end -->
";

/// Writes the measured part of the page at `path`.
///
/// # Errors
/// When the page cannot be read or written, or has lost its markers.
pub(crate) fn write(
    path: &Path,
    lines: &[Line],
    results: &Results,
    judged: &[Judged],
) -> Result<()> {
    Part::Measured.write(path, &measured(lines, results, judged))
}

fn measured(lines: &[Line], results: &Results, judged: &[Judged]) -> String {
    let machine = &results.machine;
    let sleep = if machine.awake {
        "are kept awake"
    } else {
        "may sleep"
    };
    let memory = if machine.kept { " that it keeps" } else { "" };
    let mut text = format!(
        "Measured on {}: {}, {} processors that {sleep}, {}{memory}, Linux {}, TCP with `{}`.\n\n",
        machine.date,
        machine.processor,
        machine.processors,
        machine.memory,
        machine.kernel,
        machine.tcp
    );
    for (program, version) in &machine.versions {
        let _ = writeln!(text, "- {program}: {version}");
    }
    let _ = write!(text, "\n{METHOD}\n");
    let _ = writeln!(
        text,
        "Each figure is the median of {} rounds, that of a big pull of {} shorter ones.\n",
        results.rounds,
        results.rounds * lines.iter().map(|line| line.looks).max().unwrap_or(1)
    );
    text.push_str("## Lines\n\n| line | what is done | what limits Longshore |\n|---|---|---|\n");
    for line in lines {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            line.name,
            line.about,
            limit(line, results)
        );
    }
    let _ = write!(
        text,
        "\n## Figures\n\n`[g]`: the load generator had no processor time left, the server had; the figure is a lower bound.\n\n"
    );
    text.push_str(&table(lines, results));
    text.push_str("## Goals\n\n```text\n");
    for goal in judged {
        let _ = writeln!(text, "{goal}");
    }
    text.push_str("```\n");
    text
}

/// What kept Longshore from more, as far as processor time can tell.
fn limit(line: &Line, results: &Results) -> String {
    let samples = results.samples(&line.name, crate::peer::Program::Longshore);
    if let Some(why) = results.skipped(&line.name) {
        return format!("not measured: {why}");
    }
    let half = samples.len();
    let most = |which: &dyn Fn(&crate::line::Sample) -> bool| {
        samples.iter().filter(|sample| which(sample)).count() * 2 > half
    };
    if most(&|sample| sample.server_bound) {
        "its processor"
    } else if most(&|sample| sample.generator_bound) {
        "the load generator's processor"
    } else if line.unit == crate::line::Unit::Nothing {
        "-"
    } else {
        "waiting: for the network's other side, or for the disk"
    }
    .to_owned()
}

const METHOD: &str = "\
## Method

- All programs run on this machine and are reached over loopback. The server has processor 0 to itself, the load generator
  processor 1; lines whose names end in `-free` leave both to use all of them.
- Each round asks every program in turn, and the one that was first is last in the next round; lines that are compared with each
  other take turns as well. Figures are medians, and a goal's ratio is the median of what each round says by itself, because the
  machine is not as fast in each. Any error (a status, a length or a digest that is not as expected, a connection that breaks)
  makes a line void.
- Longshore runs as it comes, with bearer tokens, access log and metrics on. The others run without logins, access log and traces;
  both Distributions have their in-memory cache of blob descriptors.
- Processors do not sleep while something is measured, where that may be asked for (`/dev/cpu_dma_latency`): to wake one is an interrupt,
  in a virtual machine the host's work as well, and whoever sends to a client that waits would be measured by how often it has to.
  On `manifest-beside-pushes` they may: a client that is woken at once asks 22,000 times a second on its one connection.
- TCP uses what the kernel takes by itself (`cubic`), where that may be asked for: BBR, which some machines have, spreads what is sent
  over time by what it believes of the way, and over loopback that is something else each few seconds. The machine gets back what it had,
  unless the run is killed (`net.ipv4.tcp_congestion_control`).
- The load generator drops big bodies in the kernel, so that it is the server that is measured; lengths are always checked, digests
  on a sample.
- Lines that end in `-few` and `-many` work on stores that were filled, not pushed: 1,000 tags and repositories against
  1,000,000 tags, manifests and blobs in 100,000 repositories. Everybody may pull there, because a catalog has what its reader may
  pull and no token names 100,000 repositories; requests carry a token all the same. Distribution has a store of its own layout
  with 100,000 tags. Each page is fetched and its entries are counted before it is measured. The blobs there have no files, so
  nothing is read again to find damage (`storage.scrub_every` is 0). What is stored is in memory when a line begins.
- `only sendfile`, `only splice` and `only copying` are servers of the benchmark's own that do nothing but send files. A goal of pulls
  or ranges that the best of them does not reach either is short without failing the run, if Longshore is as close to that one as it
  must be to nginx ([0019](decisions/0019-goals-nobody-reaches.md)).
- nginx and the servers that only send serve Longshore's own files by other names: a copy lies elsewhere in memory and on the disk, and how a
  file lies there is part of the rate at which it is sent.
- Where connections work in repositories of their own, each has a token for its own.
- Free memory stays the machine's own: a virtual machine gives blocks of 2 MiB and more back to its host, and a page that comes from
  there costs more than all else that a push does. So what is free is touched at first, and one page of each 2 MiB of it is kept until the
  end. Where that is not needed or not possible, and for what is read from the disk, each round begins with a look that is not counted.
- Pushes begin on an empty store each time. `durability` is Longshore's default: an image survives a power cut once its manifest is answered.

## How to repeat

```sh
cargo xtask bench                     # all of it; ZOT=path adds zot
cargo xtask bench --quick             # Debian's docker-registry and nginx only, a few minutes
cargo xtask bench --only pull-100m    # lines whose names begin so; `--list` names them
cargo xtask bench --profile image-c8  # a flame graph of one line
cargo xtask bench abuse               # what bad clients do, below
cargo xtask bench search              # searches among 100,000 repositories
```
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::all;

    #[test]
    fn what_people_wrote_around_the_measured_part_is_kept() {
        let once = Part::Measured.replaced(EMPTY, "one\n").unwrap();
        let edited = once.replace("<!-- counts -->\n", "<!-- counts -->\nTwo copies.\n");
        let twice = Part::Measured.replaced(&edited, "two\n").unwrap();
        assert!(
            twice.contains("Two copies.")
                && twice.contains("\ntwo\n")
                && !twice.contains("\none\n")
        );
    }

    #[test]
    fn a_page_without_markers_is_not_overwritten() {
        for part in [Part::Measured, Part::Abuse] {
            assert!(part.replaced("# By hand", "x").is_err());
            assert!(part.replaced(EMPTY, "x").is_ok());
        }
    }

    #[test]
    fn the_page_says_where_and_how_it_was_measured() {
        let results = Results::new(
            super::super::Machine {
                date: "2026-01-31".to_owned(),
                ..Default::default()
            },
            3,
        );
        let text = measured(&all(), &results, &[]);
        for part in [
            "Measured on 2026-01-31",
            "## How to repeat",
            "| storm-same |",
            "median of 3 rounds, that of a big pull of 9 ",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }
}
