//! Many clients for a long time, none of which may ever see an error.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use futures_util::future::join_all;

use crate::check::Depth;
use crate::client::Client;
use crate::kill::{check, collect, fresh, fsck, runtime};
use crate::server::Server;
use crate::tally::Tally;
use crate::{Common, say};

/// How many clients there are; each pushes, pulls, mounts, refers, tags and deletes.
const CLIENTS: u64 = 16;
/// After how long everything is compared.
const ROUND: Duration = Duration::from_secs(30);

/// How long.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// For how long, such as `90s`, `2m` or `1h`.
    #[arg(long = "for", default_value = "2m", value_parser = duration)]
    time: Duration,
    /// Go on until so many requests were answered, however long it takes.
    #[arg(long)]
    events: Option<u64>,
}

/// Reads `90s`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let unit = |unit: char| Some((text.strip_suffix(unit)?.parse::<u64>().ok()?, unit));
    match ['s', 'm', 'h'].into_iter().find_map(unit) {
        Some((n, 's')) => Ok(Duration::from_secs(n)),
        Some((n, 'm')) => Ok(Duration::from_mins(n)),
        Some((n, _)) => Ok(Duration::from_hours(n)),
        None => Err("say 90s, 2m or 1h".to_owned()),
    }
}

/// Works, and compares everything at the end.
///
/// # Errors
/// When the server does not start.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let (data, log) = fresh(&options.common.dir.join("soak"))?;
    // Collection in a hurry: what nobody needs is gone within seconds, and only a lease keeps what is about to be needed.
    let program = options
        .common
        .program()
        .set("gc.interval", "100ms")
        .set("gc.lease", "20s")
        .set("gc.unreferenced", "50ms")
        .set("gc.quarantine", "300ms")
        .set("gc.untagged", "keep")
        .set("gc.pace", "1")
        .set("trash.time", "1s")
        .set("trash.untagged_time", "1s");
    let server = program.start(&data, &log)?;
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|n| {
            let mut client = Client::new(&format!("soak{n}"), options.common.seed * 1000 + n);
            client.strict = true;
            client.collected = true;
            client
        })
        .collect();
    let mut tally = Tally::default();
    let runtime = runtime()?;
    let began = Instant::now();
    runtime.block_on(async {
        loop {
            // In rounds, so that figures are told and everything is compared now and then, in between as well.
            let left = options.time.saturating_sub(began.elapsed());
            let round = match options.events {
                Some(_) => ROUND,
                None => ROUND.min(left),
            };
            work(&server, &mut clients, Instant::now() + round).await;
            check(&server, &mut clients, Depth::Some(50)).await;
            collect(&mut tally, &mut clients);
            tally.cases = clients.iter().map(|client| client.answered).sum();
            say(&format!(
                "soak: {} s, {} events, {} errors, {} lost",
                began.elapsed().as_secs(),
                tally.cases,
                tally.client_errors,
                tally.lost
            ));
            let enough = match options.events {
                Some(events) => tally.cases >= events,
                None => began.elapsed() >= options.time,
            };
            if enough || !tally.is_clean() {
                break;
            }
        }
        check(&server, &mut clients, Depth::All).await;
        collect(&mut tally, &mut clients);
    });
    server.stop()?;
    let server = program.start(&data, &log)?;
    runtime.block_on(check(&server, &mut clients, Depth::All));
    collect(&mut tally, &mut clients);
    server.stop()?;
    fsck(&program, &data, &mut tally)?;
    ensure!(
        tally.cases > 1000,
        "too little happened to prove anything: {}",
        tally.cases
    );
    Ok(tally)
}

async fn work(server: &Server, clients: &mut [Client], until: Instant) {
    join_all(clients.iter_mut().map(|client| async {
        let mut wire = server.client();
        while Instant::now() < until && client.act(&mut wire).await {}
    }))
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        assert!(duration("5").is_err() && duration("m").is_err());
    }
}
