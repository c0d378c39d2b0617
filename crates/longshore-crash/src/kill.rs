//! `kill -9` at random moments, again and again over one directory.
//!
//! What a kill shows is the order of writes and the recovery: the page cache survives it. Power cuts are for other modes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use futures_util::future::join_all;
use longshore_testkit::content::Draw;

use crate::check::Depth;
use crate::client::Client;
use crate::server::{Program, Server};
use crate::tally::Tally;
use crate::{Common, say};

/// How many clients work at a time.
const CLIENTS: u64 = 6;

/// What is killed, and how often.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// How often.
    #[arg(long, default_value_t = 60)]
    cycles: u64,
}

/// Kills, starts again, and compares.
///
/// # Errors
/// When the server does not start although it should.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let runtime = runtime()?;
    let program = options.common.program();
    runtime.block_on(cycles(&program, &options.common.dir.join("kill"), options))
}

/// What the clients run on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no runtime")
}

async fn cycles(program: &Program, dir: &Path, options: &Options) -> Result<Tally> {
    let (data, log) = fresh(dir)?;
    let seed = options.common.seed;
    let mut draw = Draw::new(seed);
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|n| Client::new(&format!("kill{n}"), seed * 1000 + n))
        .collect();
    let (mut tally, mut slowest) = (Tally::default(), Duration::ZERO);
    for cycle in 0..options.cycles {
        let server = program.start(&data, &log)?;
        slowest = slowest.max(server.took);
        let depth = if cycle % 50 == 49 {
            Depth::All
        } else {
            Depth::Some(20)
        };
        check(&server, &mut clients, depth).await;
        let pause = Duration::from_millis(20 + draw.number() % 480);
        work_until(&server, &mut clients, async {
            tokio::time::sleep(pause).await;
            // The process is gone when this returns, whatever its clients are about.
            server.signal(rustix::process::Signal::KILL);
        })
        .await;
        server.kill();
        tally.cases += 1;
        collect(&mut tally, &mut clients);
        if cycle % 20 == 19 {
            let told: u64 = clients.iter().map(|client| client.acknowledged).sum();
            say(&format!(
                "kill: {} cycles, {told} changes acknowledged",
                cycle + 1
            ));
        }
        if tally.is_enough(options.common.first) {
            break;
        }
    }
    let server = program.start(&data, &log)?;
    check(&server, &mut clients, Depth::All).await;
    collect(&mut tally, &mut clients);
    if let Err(error) = server.stop() {
        tally.err(format!("{error:#}"));
    }
    fsck(program, &data, &mut tally)?;
    let told: u64 = clients.iter().map(|client| client.acknowledged).sum();
    anyhow::ensure!(
        told > options.cycles * 5,
        "too little happened to prove anything: {told}"
    );
    say(&format!(
        "kill: seed {seed}, {} cycles, {told} changes acknowledged, slowest start {} ms",
        tally.cases,
        slowest.as_millis()
    ));
    Ok(tally)
}

/// A directory for data, and the file for the server's log.
pub(crate) fn fresh(dir: &Path) -> Result<(std::path::PathBuf, std::path::PathBuf)> {
    // A run that was interrupted may have left its file systems mounted, innermost last.
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let at = |line: &str| line.split(' ').nth(1).map(str::to_owned);
    for left in mounts.lines().rev().filter_map(at) {
        if Path::new(&left).starts_with(dir) {
            let _ = crate::snapshot::run("umount", ["--lazy", &left]);
        }
    }
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    Ok((dir.join("data"), dir.join("server.log")))
}

/// Has every client compare the server with what it owes them.
pub(crate) async fn check(server: &Server, clients: &mut [Client], depth: Depth) {
    join_all(clients.iter_mut().map(|client| async {
        let mut wire = server.client();
        client.check(&mut wire, depth).await
    }))
    .await;
}

/// Has every client work until `end` is over and the server is gone.
pub(crate) async fn work_until(
    server: &Server,
    clients: &mut [Client],
    end: impl Future<Output = ()>,
) {
    let work = join_all(clients.iter_mut().map(|client| async {
        let mut wire = server.client();
        client.gone = false;
        while client.act(&mut wire).await {}
    }));
    tokio::join!(work, end);
}

/// Has the program itself look through all that a stopped server left: every finding is one.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn fsck(program: &Program, data: &Path, tally: &mut Tally) -> Result<()> {
    let out = program
        .command()
        .args(["fsck", "--data"])
        .arg(data)
        .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
        .output()
        .context("fsck cannot be started")?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stdout);
        let complained = String::from_utf8_lossy(&out.stderr);
        tally.lose(format!("fsck says {}:\n{said}{complained}", out.status));
    }
    Ok(())
}

/// Takes what the clients found.
pub(crate) fn collect(tally: &mut Tally, clients: &mut [Client]) {
    for client in clients {
        tally.add(std::mem::take(&mut client.tally));
    }
}
