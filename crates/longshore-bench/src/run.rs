//! `longshore-bench run`: all lines against all programs, in one run.
//!
//! The servers of a stage are all up while its lines are measured, and each round asks every program in turn, so that whatever else
//! happens on the machine happens to all of them. What is printed goes to standard output as it becomes known.

mod held;
mod stores;
mod turns;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::awake::Awake;
use crate::line::{self, Line, Sample, Scene, Stage, Store};
use crate::peer::{Certificate, Ground, Issuer, Paths, Peer, Program};
use crate::plain::Way;
use crate::profile::Look;
use crate::report::{self, Results};
use crate::seed::{Content, Set};
use held::Held;
pub(crate) use stores::{LOAD, SERVER, Scratch, files};
use stores::{cores, start_of};
use turns::together;

/// The `--quick` run makes measurements shorter.
const QUICK_SCALE: f64 = 0.35;

/// What is measured, and where the programs are.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The program that is built here.
    #[arg(long)]
    longshore: PathBuf,
    /// Debian's docker-registry.
    #[arg(long)]
    docker_registry: Option<PathBuf>,
    /// Distribution, version 3.
    #[arg(long)]
    distribution: Option<PathBuf>,
    #[arg(long)]
    nginx: Option<PathBuf>,
    #[arg(long)]
    zot: Option<PathBuf>,
    /// Where stores are made, and removed again. On a disk, not in memory.
    #[arg(long)]
    dir: PathBuf,
    /// Only the lines that CI measures, shorter; short goals are reported and do not fail.
    #[arg(long)]
    quick: bool,
    /// Only lines whose names begin so; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Print the names of the lines and end.
    #[arg(long)]
    list: bool,
    /// How often each is measured; 3, with --quick 1.
    #[arg(long)]
    rounds: Option<u32>,
    /// Where the page is written.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Look at Longshore with perf while it does this line, alone.
    #[arg(long, value_name = "NAME", requires = "svg")]
    profile: Option<String>,
    /// Where the flame graph of --profile is written.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Measures, prints, judges.
///
/// # Errors
/// When a program cannot be started, something cannot be stored, or a line cannot be measured at all.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let lines = chosen(options)?;
    if options.list {
        for line in &lines {
            say(&format!("{:<28} {}", line.name, line.about))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let usual = if options.quick || options.profile.is_some() {
        1
    } else {
        3
    };
    let rounds = options.rounds.unwrap_or(usual);
    ensure!(rounds > 0, "without rounds nothing is measured");
    let dir = Scratch::new(&options.dir)?;
    // What the machine can do is no news in CI.
    let this = (!options.quick && options.profile.is_none())
        .then(std::env::current_exe)
        .transpose()
        .context("this program cannot find itself")?;
    let ground = Ground {
        paths: Paths::new([
            (Program::Longshore, Some(options.longshore.clone())),
            (Program::Distribution, options.distribution.clone()),
            (Program::Debian, options.docker_registry.clone()),
            (Program::Nginx, options.nginx.clone()),
            (Program::Zot, options.zot.clone()),
            (Program::Plain(Way::Sendfile), this.clone()),
            (Program::Plain(Way::Splice), this.clone()),
            (Program::Plain(Way::Copy), this),
        ]),
        dir: dir.0.clone(),
        issuer: Issuer::new()?,
        certificate: Certificate::new(&dir.0)?,
    };
    let begun = Instant::now();
    let held = Held::new(&lines, options.quick)?;
    let machine = held.machine(&ground.paths);
    let mut results = Results::new(machine, rounds);
    Run {
        ground: &ground,
        content: Content::default(),
        rounds,
        quick: options.quick,
        kept: held.keeps_memory(),
        svg: options.svg.as_deref().filter(|_| options.profile.is_some()),
        pass: 0,
    }
    .all(&lines, &mut results)?;
    drop((dir, held));
    let judged = results.judge(&lines);
    say(&format!("\n{}", report::table(&lines, &results)))?;
    for goal in &judged {
        say(&goal.to_string())?;
    }
    let short = judged.iter().filter(|goal| !goal.verdict.is_ok()).count();
    let open = judged
        .iter()
        .filter(|goal| !goal.verdict.is_settled())
        .count();
    say(&format!(
        "\n{} goals, {short} short, {} of them beyond what a server that only sends files reaches here, {} s",
        judged.len(),
        short - open,
        begun.elapsed().as_secs()
    ))?;
    if let Some(page) = &options.page {
        report::write(page, &lines, &results, &judged)?;
        say(&format!("written: {}", page.display()))?;
    }
    let void = results.void();
    for (line, program, error) in &void {
        say(&format!("void: {line} {program}: {error}"))?;
    }
    let failed = if options.quick || options.profile.is_some() {
        !void.is_empty()
    } else {
        open > 0 || !void.is_empty()
    };
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn chosen(options: &Options) -> Result<Vec<Line>> {
    let wanted = |line: &Line| {
        if let Some(name) = &options.profile {
            return line.name == *name;
        }
        let named = options
            .only
            .iter()
            .any(|name| line.name.starts_with(name.as_str()));
        named || (options.only.is_empty() && (line.quick || !options.quick))
    };
    let lines: Vec<Line> = line::all().into_iter().filter(wanted).collect();
    if lines.is_empty() {
        bail!("there is no such line; `--list` names them");
    }
    Ok(lines)
}

/// The servers that are up, by the folders of their stores.
type Fleet = BTreeMap<String, Peer>;

struct Run<'a> {
    ground: &'a Ground,
    content: Content,
    rounds: u32,
    quick: bool,
    /// The machine keeps the memory that is free.
    kept: bool,
    /// Where a flame graph of what is measured goes.
    svg: Option<&'a Path>,
    pass: u32,
}

impl Run<'_> {
    fn all(&mut self, lines: &[Line], results: &mut Results) -> Result<()> {
        self.seed(lines)?;
        for stage in [Stage::Pinned, Stage::Tls, Stage::Free] {
            let lines: Vec<&Line> = lines.iter().filter(|line| line.stage == stage).collect();
            if !lines.is_empty() {
                self.stage(stage, &lines, results)?;
            }
        }
        Ok(())
    }

    /// The programs that take part in a line.
    fn peers(&self, line: &Line) -> Vec<Program> {
        line.peers
            .iter()
            .copied()
            .filter(|program| self.ground.paths.has(*program))
            .collect()
    }

    /// Stores what the lines need, program by program; nothing is measured yet, so they may use all processors.
    fn seed(&mut self, lines: &[Line]) -> Result<()> {
        let mut sets: BTreeMap<Set, Vec<Program>> = BTreeMap::new();
        for line in lines {
            for set in &line.needs {
                sets.entry(*set).or_default().extend(self.peers(line));
            }
        }
        let mut contents = Vec::new();
        for (set, mut programs) in sets {
            programs.sort();
            programs.dedup();
            contents.push((set, Content::new(&[set]), programs));
        }
        let seeded = |(_, content, programs): &(Set, Content, Vec<Program>)| {
            content.bytes() * programs.len() as u64
        };
        let seeded = contents.iter().map(seeded).sum();
        stores::check_room(&self.ground.dir, lines, self.quick, seeded)?;
        for (set, content, programs) in contents {
            for program in programs {
                let begun = Instant::now();
                let start = start_of(program, Stage::Free, Store::Seeded, self.pass);
                let peer = Peer::start(self.ground, &start)?;
                content
                    .store(self.ground, &peer)
                    .and_then(|()| content.check(self.ground, &peer))
                    .with_context(|| format!("storing in {program}"))?;
                drop(peer);
                say(&format!(
                    "stored {set:?} in {program} ({:.1} s)",
                    begun.elapsed().as_secs_f64()
                ))?;
            }
            self.content.images.extend(content.images);
            self.content.loose.extend(content.loose);
        }
        let taking_part = |line: &Line| self.peers(line);
        for told in stores::fill(self.ground, lines, self.quick, &taking_part)? {
            say(&told)?;
        }
        // Else the disk would still write while the first lines are measured.
        rustix::fs::sync();
        Ok(())
    }

    fn stage(&mut self, stage: Stage, lines: &[&Line], results: &mut Results) -> Result<()> {
        let mut fleet = Fleet::new();
        for line in lines.iter().filter(|line| !line.store.is_new()) {
            for program in self.peers(line) {
                let start = start_of(program, stage, line.store, self.pass);
                if let Entry::Vacant(place) = fleet.entry(start.store.clone()) {
                    place.insert(Peer::start(self.ground, &start)?);
                }
            }
        }
        for lines in together(lines) {
            let looks = lines.iter().map(|line| line.looks).max().unwrap_or(1);
            for round in 0..self.rounds * looks {
                for line in &lines {
                    self.round(stage, line, round, &mut fleet, results)?;
                }
            }
        }
        Ok(())
    }

    fn round(
        &mut self,
        stage: Stage,
        line: &Line,
        round: u32,
        fleet: &mut Fleet,
        results: &mut Results,
    ) -> Result<()> {
        let mut peers = self.peers(line);
        // Whoever was first is last in the next round.
        let turns = round as usize % peers.len().max(1);
        peers.rotate_left(turns);
        // Memory that is free comes from the host page by page, in a virtual machine, and costs more than all else. Who takes some after
        // somebody gave it back is given those pages; so where it is not kept, each round begins with one who is not counted. So does
        // one that reads from the disk: the kernel reads ahead into larger blocks than those that are kept.
        let takes_memory = line.cold || (line.stores > 0 && !self.kept);
        if takes_memory
            && self.svg.is_none()
            && let Some(first) = peers.first()
        {
            self.pass += 1;
            self.once(stage, line, *first, fleet)
                .with_context(|| format!("{} of {first}, not counted", line.name))?;
        }
        for program in peers {
            self.pass += 1;
            let sample = self
                .once(stage, line, program, fleet)
                .with_context(|| format!("{} of {program}", line.name))?;
            say(&report::sample(line, program, &sample))?;
            results.add(&line.name, program, sample);
        }
        Ok(())
    }

    fn once(
        &self,
        stage: Stage,
        line: &Line,
        program: Program,
        fleet: &mut Fleet,
    ) -> Result<Sample> {
        let (server_cores, load_cores) = (cores(stage, SERVER), cores(stage, LOAD));
        let scene = Scene {
            ground: self.ground,
            content: &self.content,
            shape: line
                .store
                .size()
                .map(|size| size.shape(program, self.quick)),
            stage,
            pass: self.pass,
            scale: if self.quick { QUICK_SCALE } else { 1.0 },
            server_cores: &server_cores,
            load_cores: &load_cores,
            crowded: false,
        };
        let start = start_of(program, stage, line.store, self.pass);
        let _awake = (!line.asleep).then(Awake::hold);
        if line.store.is_new() {
            let peer = Peer::start(self.ground, &start)?;
            let sample = self.measured(line, &scene, &peer);
            let dir = peer.dir.clone();
            drop(peer);
            fs::remove_dir_all(&dir).ok();
            return sample;
        }
        if line.store.restarts() {
            // Stopped before another opens its store.
            drop(fleet.remove(&start.store));
            fleet.insert(start.store.clone(), Peer::start(self.ground, &start)?);
        }
        let peer = fleet
            .get_mut(&start.store)
            .with_context(|| format!("{program} is not up"))?;
        if matches!(line.store, Store::Filled(_)) {
            stores::warm(&peer.dir)?;
        }
        let sample = self.measured(line, &scene, peer)?;
        peer.alive()?;
        Ok(sample)
    }

    fn measured(&self, line: &Line, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let Some(svg) = self.svg else {
            return line.measure.once(scene, peer);
        };
        let look = Look::begin(peer, &self.ground.dir)?;
        let sample = line.measure.once(scene, peer);
        look.end(&format!("{}: {}", line.name, line.about), svg)?;
        say(&format!("written: {}", svg.display()))?;
        sample
    }
}

/// Prints a line as soon as it is known.
///
/// # Errors
/// When nobody can be told.
pub(crate) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .context("standard output is closed")
}
