//! The index: giving out tokens, and what rights cost whoever pulls.

use std::sync::Arc;

use anyhow::Result;

use super::house::{House, Ways};
use super::works::{SHORT, Speak, drive, get};
use super::{Figure, LOOKS, Line, Measure, Sample, Scene, Stage, Store, Unit};
use crate::goal::Wanted;
use crate::job::{Headers, Work};
use crate::peer::Peer;
use crate::peer::Program::Longshore;

/// What is not measured and what is, in seconds, where one look is enough.
const USUAL: (f64, f64) = (0.5, 3.0);

pub(super) fn lines() -> Vec<Line> {
    let house = Arc::new(House::default());
    let line = |name: &str, about: &str, seconds, works: fn(Ways) -> Vec<Work>| {
        let measure = Indexed {
            house: Arc::clone(&house),
            seconds,
            works,
        };
        Line::new(name, about, Unit::Requests, measure)
            .peers(&[Longshore])
            .needs(&[])
            .on(Store::Indexed)
    };
    let anonymous = line(
        "index-manifest-anonymous",
        "GET of a public manifest by tag without a token, 64 connections",
        SHORT,
        |ways| vec![by(Vec::new(), get(64, ways.pulls))],
    )
    .looks(LOOKS);
    let token = line(
        "index-manifest-token",
        "GET of a public manifest by tag with a token, 64 connections",
        SHORT,
        |ways| vec![by(ways.bearer, get(64, ways.pulls))],
    )
    .looks(LOOKS)
    .beside_line("index", Figure::Cpu, &anonymous.name, Wanted::Most(1.1));
    let tokens = line(
        "index-tokens-free",
        "GET of a token with a personal token as password, 8 connections",
        USUAL,
        |ways| vec![by(ways.by_secret, get(8, vec![ways.token]))],
    )
    .at(Stage::Free)
    .least("index", Figure::Rate, 2_000.0);
    let beside = line(
        "index-manifest-beside-logins",
        "GET of a manifest with a token on 1 connection while 8 others log in with a password",
        USUAL,
        |ways| {
            vec![
                by(ways.bearer, get(1, ways.pulls)),
                by(ways.by_password, get(8, vec![ways.token])),
            ]
        },
    )
    .most("index", Figure::P99, 10_000.0);
    vec![
        anonymous.quick(),
        token.quick(),
        tokens.quick(),
        beside.quick(),
    ]
}

fn by(headers: Headers, mut work: Work) -> Work {
    work.headers = vec![headers];
    work
}

struct Indexed {
    house: Arc<House>,
    /// How long it is warmed up and measured.
    seconds: (f64, f64),
    works: fn(Ways) -> Vec<Work>,
}

impl Measure for Indexed {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let works = (self.works)(self.house.ways(scene, peer)?);
        let ran = drive(scene, peer, Speak::Http1, works, self.seconds)?;
        Ok(ran.sample(Unit::Requests, scene))
    }
}
