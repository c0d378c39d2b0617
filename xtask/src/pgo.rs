//! `cargo xtask pgo`: finds out what runs often in the program that is shipped, so that the compiler makes that fast and the rest small.
//!
//! The program is built such that it counts, the benchmark's lines of small requests and of transfers run on it, and what was counted
//! is merged into a file of the source. The code that changes afterwards is built without, so the file grows old and never wrong
//! (`docs/decisions/0037-built-by-a-profile.md`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::build;
use crate::guide;
use crate::process;
use crate::workspace::Workspace;

/// What is counted: each kind of request that comes by the thousand, and transfers both ways. Lines of rare requests are left out, so that
/// what they need is made small.
const LINES: [&str; 17] = [
    "blob-",
    "manifest-c",
    "manifest-digest",
    "manifest-head",
    "manifest-304",
    "range",
    "pull-1m",
    "pull-100m-c8-tls",
    "pull-100m-c8-h2",
    "push-100m-c4",
    "push-20m",
    "image-c8",
    "mount",
    "storm-different",
    "index-manifest-anonymous",
    "index-tokens",
    "tags",
];
/// From how many counters on, which are about as many as branches, a function is large.
const LARGE: usize = 16;
const RUN_LIMIT: Duration = Duration::from_mins(40);

/// Builds, counts, and writes the counts anew.
///
/// # Errors
/// When something does not build, the component `llvm-tools` is missing, or a line of the benchmark fails.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let merger = merger()?;
    let counts = workspace.scratch("pgo")?;
    let folder = build::counting(workspace, &counts)?;
    // The scripts that ran while it was built have counted as well.
    fs::remove_dir_all(&counts).context("old counts cannot be removed")?;
    let counts = workspace.scratch("pgo")?;
    let mut bench =
        Command::new(build::release(workspace, "longshore-bench")?.join("longshore-bench"));
    // Shorter, and no goal is judged: it is slow while it counts. What is void still fails.
    bench.args(["run", "--quick", "--longshore"]);
    bench.arg(folder.join("longshore"));
    bench.arg("--dir").arg(workspace.scratch("bench")?);
    for line in LINES {
        bench.args(["--only", line]);
    }
    let logs = workspace.scratch("log")?;
    let log = logs.join("pgo.log");
    let ended = process::run(&bench, RUN_LIMIT, &log, true)?;
    ensure!(ended.ok(), "the benchmark {ended}: {}", log.display());
    let counted = counted(&counts)?;
    ensure!(
        !counted.is_empty(),
        "nothing was counted: {}",
        log.display()
    );
    let (all, log) = (logs.join("pgo-counts.txt"), logs.join("pgo-merge.log"));
    merge(&merger, &["--text"], &counted, (&all, &log))?;
    let text = fs::read_to_string(&all).context("the counts cannot be read")?;
    fs::write(&all, worth(&text)).context("the counts cannot be written")?;
    let to = guide::path(workspace);
    merge(&merger, &[], &[all], (&to, &log))?;
    guide::is_of_this(workspace)?;
    println!("written: {}", to.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes one file of what was counted.
fn merge(merger: &Path, how: &[&str], from: &[PathBuf], (to, log): (&Path, &Path)) -> Result<()> {
    let mut command = Command::new(merger);
    command.arg("merge").args(how).arg("--output").arg(to);
    command.args(from);
    let ended = process::run(&command, RUN_LIMIT, log, false)?;
    ensure!(
        ended.ok(),
        "the counts cannot be merged ({ended}):\n{}",
        process::tail(log, 30)
    );
    Ok(())
}

/// What of the counts, as text, is worth its place in the source: what ran, which is made fast, and what is large and did not, which is
/// made small. Names are most of the file, and there are 35,000 small functions that did not run.
fn worth(text: &str) -> String {
    let kept: Vec<_> = text
        .split("\n\n")
        .enumerate()
        // The first has the head of the file before it.
        .filter(|(at, record)| *at == 0 || is_worth(record))
        .map(|(_, record)| record)
        .collect();
    kept.join("\n\n")
}

/// Whether a function ran or is large. Its lines are the name, the hash, the number of counters and the counters, and comments.
fn is_worth(record: &str) -> bool {
    let mut lines = record.lines().filter(|line| !line.starts_with('#')).skip(2);
    let counters = lines.next().and_then(|count| count.parse().ok());
    counters.is_none_or(|counters: usize| {
        counters >= LARGE || lines.take(counters).any(|count| count != "0")
    })
}

/// `llvm-profdata` of the toolchain in use: its counts are of its own version.
fn merger() -> Result<PathBuf> {
    let told = guide::rustc()
        .args(["--print", "target-libdir"])
        .output()
        .context("rustc cannot be asked where it is")?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&told.stdout).trim());
    let tool = libraries.with_file_name("bin").join("llvm-profdata");
    ensure!(
        tool.is_file(),
        "{} is missing: rustup component add llvm-tools",
        tool.display()
    );
    Ok(tool)
}

fn counted(counts: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(counts).context("the counts cannot be listed")? {
        let path = entry.context("the counts cannot be listed")?.path();
        if path.extension().is_some_and(|kind| kind == "profraw") {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn what_ran_and_what_is_large_is_worth_its_place() {
        let record = |name: &str, counts: &[u8]| {
            let counters: Vec<_> = counts.iter().map(u8::to_string).collect();
            let (many, counters) = (counts.len(), counters.join("\n"));
            format!(
                "{name}\n# Func Hash:\n7\n# Num Counters:\n{many}\n# Counter Values:\n{counters}"
            )
        };
        let ran = record("ran", &[0, 2]);
        let large = record("large", &[0; LARGE]);
        let head = format!(":ir\n{}", record("first", &[0]));
        let small = record("small", &[0; LARGE - 1]);
        let text = [head.as_str(), &small, &ran, &small, &large].join("\n\n");
        assert_eq!(worth(&text), [head, ran, large].join("\n\n"));
    }

    /// What a compiler cannot read would be found out by whoever builds what is shipped.
    #[test]
    fn the_counts_of_the_source_are_read_by_this_compiler() {
        let counts = guide::path(&Workspace::find().unwrap());
        let mut rustc = guide::rustc()
            .args(["-", "--crate-type=lib", "--emit=asm", "-Copt-level=1"])
            .arg(format!("-Cprofile-use={}", counts.display()))
            .args(["-o", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let source = b"pub fn nothing(n: u8) -> u8 { n + 1 }";
        rustc.stdin.take().unwrap().write_all(source).unwrap();
        let told = rustc.wait_with_output().unwrap();
        assert!(
            told.status.success() && told.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&told.stderr)
        );
    }
}
