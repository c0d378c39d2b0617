//! Spreads the connections of a reading work over threads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use anyhow::{Result, bail, ensure};

use super::channel::{Channel, Plain};
use super::engine::{self, Plan, Route, Walk};
use super::http2;
use super::requests::Prepared;
use super::run::{Run, Shared, Word};
use super::tls::{Tls, TlsDial};
use crate::job::{Job, Method, Protocol, Read, Task, Work};

/// Starts the threads of a work and says how many.
///
/// # Errors
/// When what is to be read is not understood.
pub(super) fn start(
    job: &Job,
    work: &Work,
    run: &Arc<Run>,
    shared: &Arc<Shared>,
    words: &Sender<Word>,
) -> Result<usize> {
    match &job.protocol {
        Protocol::Http1 => spread::<Plain>(job, work, &job.address, run, shared, words),
        Protocol::Tls1(certificate) => {
            let dial = TlsDial::new(job.address, certificate, b"http/1.1")?;
            spread::<Tls>(job, work, &dial, run, shared, words)
        }
        Protocol::Tls2(certificate) => {
            let dial = TlsDial::new(job.address, certificate, b"h2")?;
            let (routes, walk, _) = routes(job, work)?;
            http2::start(&dial, routes, walk, run, shared, words)
        }
    }
}

/// What each connection asks for, how, and whether it copies.
fn routes(job: &Job, work: &Work) -> Result<(Vec<Route>, Walk, bool)> {
    let connections = work.connections;
    let whole = whole();
    let (read, lists, walk) = match &work.task {
        Task::Read(read) => (read, std::slice::from_ref(&read.targets), Walk::Round),
        Task::Pull { images } => (&whole, images.as_slice(), Walk::Once),
        _ => bail!("not a reading work"),
    };
    ensure!(!lists.is_empty(), "no image to pull");
    // Connections that say the same share what they say.
    let mut prepared: BTreeMap<(usize, usize), Arc<Vec<Prepared>>> = BTreeMap::new();
    let mut routes = Vec::with_capacity(connections);
    for (at, list) in (0..lists.len()).cycle().take(connections).enumerate() {
        let key = (list, at % work.headers.len().max(1));
        let requests = match prepared.entry(key) {
            Entry::Occupied(there) => Arc::clone(there.get()),
            Entry::Vacant(place) => {
                let targets = lists.get(list).map(Vec::as_slice).unwrap_or_default();
                ensure!(!targets.is_empty(), "nothing to read");
                let headers = job.headers_of(work, at);
                let all = targets
                    .iter()
                    .map(|target| Prepared::new(target, read, job.address, headers));
                Arc::clone(place.insert(Arc::new(all.collect::<Result<_>>()?)))
            }
        };
        let count = requests.len();
        routes.push(Route {
            requests,
            // Those that go round begin at places of their own.
            from: match walk {
                Walk::Round => at * count / connections % count,
                Walk::Once => 0,
            },
            number: at as u64,
        });
    }
    Ok((routes, walk, read.copy))
}

/// How the content of an image is read.
fn whole() -> Read {
    Read {
        method: Method::Get,
        targets: Vec::new(),
        range: None,
        conditional: false,
        copy: false,
    }
}

/// Starts one thread for each processor the generator may use, or fewer if there are fewer connections.
fn spread<C: Channel + 'static>(
    job: &Job,
    work: &Work,
    dial: &C::Dial,
    run: &Arc<Run>,
    shared: &Arc<Shared>,
    words: &Sender<Word>,
) -> Result<usize> {
    let (routes, walk, copy) = routes(job, work)?;
    let threads = job.cores.len().clamp(1, work.connections);
    let mut parts = vec![Vec::new(); threads];
    for (at, route) in routes.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(at % threads) {
            part.push(route);
        }
    }
    for routes in parts {
        let plan = Plan {
            dial: dial.clone(),
            routes,
            walk,
            copy,
        };
        let (run, shared, words) = (Arc::clone(run), Arc::clone(shared), words.clone());
        std::thread::Builder::new()
            .name("reads".to_owned())
            .spawn(move || {
                let result = engine::drive::<C>(plan, &run, &shared, &words);
                let _ = words.send(Word::Finished(result));
            })?;
    }
    Ok(threads)
}
