//! A disk with little room left, from none to two mebibytes, under one server that is never restarted.
//!
//! What must hold at each step: what was acknowledged can be read, pushes are refused with a clear answer or taken whole, and as
//! soon as there is room again everything works. That every single write can be the one that finds no room is tried by
//! `failpoints`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::check::Depth;
use crate::client::Client;
use crate::deed::Deed;
use crate::kill::{fresh, fsck, runtime};
use crate::server::{Program, Server, tail};
use crate::snapshot::run as system;
use crate::tally::Tally;
use crate::{Common, say};

/// How large the disk is, in MiB.
const DISK: u64 = 48;
const KIB: u64 = 1024;
/// From no room to this much.
const MOST: u64 = 2 << 20;
/// How much of the server's log is shown beside a finding.
const LINES: usize = 30;

/// How finely room is varied.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// By how many KiB room grows from step to step; the first 64 KiB always go by 4.
    #[arg(long, default_value_t = 64)]
    step: u64,
}

/// Tries every amount of room.
///
/// # Errors
/// Without root, or when the server does not start although it should.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let dir = options.common.dir.join("diskfull");
    let (at, log) = fresh(&dir)?;
    fs::create_dir_all(&at).context("a mount point cannot be made")?;
    let size = format!("size={DISK}m");
    system(
        "mount",
        [
            "-t",
            "tmpfs",
            "-o",
            &size,
            "tmpfs",
            &at.display().to_string(),
        ],
    )
    .context("a small file system needs root")?;
    let done = runtime()?.block_on(sweep(options, &at, &log));
    system("umount", ["--lazy", &at.display().to_string()])?;
    done
}

async fn sweep(options: &Options, at: &Path, log: &Path) -> Result<Tally> {
    let program = options.common.program();
    let data = at.join("data");
    let mut server = program.start(&data, log)?;
    let mut tally = Tally::default();
    let (mut room, mut refused) = (0, 0);
    let mut client = Client::new("full", options.common.seed);
    deeds(&server, &mut client, true).await;
    while room <= MOST {
        let stuffing = at.join("stuffing");
        fill(&stuffing, at, room)?;
        let before = client.acknowledged;
        deeds(&server, &mut client, false).await;
        refused += u64::from(client.acknowledged < before + 8);
        let mut wire = server.client();
        client.check(&mut wire, Depth::Some(10)).await;
        fs::remove_file(&stuffing).context("the disk cannot be emptied")?;
        deeds(&server, &mut client, true).await;
        if client.tally.client_errors > 0 {
            // The answer says what a client may know; the log says why.
            for line in tail(log, LINES).lines() {
                say(&format!("  server: {line}"));
            }
        }
        tally.cases += 1;
        tally.add(std::mem::take(&mut client.tally));
        // The disk is small: once in a while everything starts over, by way of a kill.
        if free(at)? < (16 << 20) {
            server.kill();
            end(&program, &data, log, &mut client, &mut tally).await?;
            fs::remove_dir_all(&data).context("the data cannot be removed")?;
            server = program.start(&data, log)?;
            client = Client::new(&format!("full{room}"), options.common.seed + room);
        }
        room += if room < 64 * KIB {
            4 * KIB
        } else {
            options.step * KIB
        };
    }
    server.kill();
    end(&program, &data, log, &mut client, &mut tally).await?;
    ensure!(refused > 5, "the disk was hardly ever full: {refused}");
    say(&format!(
        "diskfull: seed {}, {} amounts of room, {refused} of them too little for something",
        options.common.seed, tally.cases
    ));
    Ok(tally)
}

/// After a kill: everything is compared, by us and by the program itself.
async fn end(
    program: &Program,
    data: &Path,
    log: &Path,
    client: &mut Client,
    tally: &mut Tally,
) -> Result<()> {
    client.restarted();
    client.hindered = false;
    let server = program.start(data, log)?;
    let mut wire = server.client();
    client.check(&mut wire, Depth::All).await;
    tally.add(std::mem::take(&mut client.tally));
    server.stop()?;
    fsck(program, data, tally)
}

/// The same pushes each time, of new content.
async fn deeds(server: &Server, client: &mut Client, strict: bool) {
    let mut wire = server.client();
    client.strict = strict;
    client.hindered = true;
    for deed in [
        Deed::Image,
        Deed::Blob,
        Deed::Part,
        Deed::Retag,
        Deed::Mount,
        Deed::Index,
        Deed::Extend,
        Deed::DeleteTag,
        Deed::DeleteManifest,
        Deed::Read,
    ] {
        client.do_it(&mut wire, 0, deed).await;
        client.gone = false;
    }
    client.strict = false;
}

/// Fills the disk with `stuffing` until `room` bytes are left.
fn fill(stuffing: &Path, at: &Path, room: u64) -> Result<()> {
    let size = usize::try_from(free(at)?.saturating_sub(room))?;
    // The last pages may not be had.
    let _ = fs::write(stuffing, vec![0_u8; size]);
    Ok(())
}

fn free(at: &Path) -> Result<u64> {
    let about = rustix::fs::statvfs(at).context("the small disk cannot be asked")?;
    Ok(about.f_bavail * about.f_frsize)
}
