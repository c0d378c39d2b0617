//! Lists, and what else must cost the same on a store of a thousand entries and on one of a million.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::works::{Speak, Works, drive, get};
use super::{Figure, Line, Measure, Sample, Scene, Size, Store, Unit};
use crate::fill::{REFERRERS, Shape, TAGS, repository, tag};
use crate::goal::Wanted;
use crate::job::{Target, Task, Work};
use crate::peer::Peer;
use crate::peer::Program::{Distribution, Longshore};
use crate::wire::{Connection, Request, Response};

/// Entries of a page.
const PAGE: usize = 100;
/// Referrers of a page: as many as the small store has.
const FEW_REFERRERS: usize = 10;
/// Manifests that are asked for, spread over all that are there: as many as the small store has.
const READ: usize = 1_000;
/// So many that few of them are asked for twice while it is measured.
const SPREAD: usize = 50_000;

pub(super) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, words) in [
        (Place::First, "the first"),
        (Place::Middle, "in the middle"),
        (Place::Last, "the last"),
    ] {
        let name = format!("tags-{place:?}").to_lowercase();
        let about = |many| format!("GET of a page of 100 tags of {many}, {words}");
        let [few, mut many] = pair(&name, [about("1,000"), about("1,000,000")], || {
            Page::Tags(place)
        });
        many = many.most("G9", Figure::P50, 150.0).beside_line(
            "G9",
            Figure::P50,
            &few.name,
            Wanted::Most(1.5),
        );
        if place == Place::Middle {
            many = many
                .peers(&[Longshore, Distribution])
                .lower("G9", Figure::P50, 0.002, Distribution)
                .quick();
            many.about += "; Distribution has 100,000";
            lines.push(few.quick());
        } else {
            lines.push(few);
        }
        lines.push(many);
    }
    for (place, words) in [
        (Place::First, "the first"),
        (Place::Middle, "in the middle"),
    ] {
        let name = format!("catalog-{place:?}").to_lowercase();
        let about = |many| {
            format!(
                "GET of a page of 100 repositories of {many}, {words}, where everybody may pull"
            )
        };
        let [few, many] = pair(&name, [about("1,000"), about("100,000")], || {
            Page::Catalog(place)
        });
        let many = many.most("G10", Figure::P50, 150.0).beside_line(
            "G10",
            Figure::P50,
            &few.name,
            Wanted::Most(1.5),
        );
        lines.extend([few, many]);
    }
    let about = |many| format!("GET of a page of 10 referrers of {many}");
    let [few, many] = pair("referrers", [about("10"), about("10,000")], || {
        Page::Referrers
    });
    let many = many.beside_line("growth", Figure::P50, &few.name, Wanted::Most(1.5));
    lines.extend([few, many]);
    lines.extend(stored());
    lines
}

/// Pulls and pushes beside all that is there.
fn stored() -> Vec<Line> {
    let manifests = |number| Works::reads_of(move |shape| manifests(shape, number));
    let about = |many| format!("GET of 1,000 manifests by tag of {many}, 64 connections");
    let [few, many] = on_both(
        "stored-manifest",
        [about("1,000"), about("1,000,000")],
        Unit::Requests,
        || manifests(READ),
    );
    let many = many.beside_line("growth", Figure::Rate, &few.name, Wanted::Least(0.9));
    let spread = Line::new(
        "stored-manifest-spread",
        "GET of 50,000 manifests by tag of 1,000,000, 64 connections",
        Unit::Requests,
        manifests(SPREAD),
    );
    let mut lines = vec![few, many, on(spread, Size::Many)];
    let push = || {
        Works::writes(Unit::Images, 5.0, |_, pass| {
            let task = Task::Image {
                repository: format!("bench/image{pass}"),
                blobs: 3,
                size: 10 << 10,
                shared: false,
            };
            vec![Work::new("image", 8, task)]
        })
    };
    let about = |many| {
        format!(
            "push of images of three 10 KiB blobs and a manifest beside {many} others, 8 connections"
        )
    };
    let [few, many] = on_both(
        "stored-image",
        [about("2,000"), about("1,000,000")],
        Unit::Images,
        push,
    );
    let many = many.beside_line("growth", Figure::Rate, &few.name, Wanted::Least(0.9));
    lines.extend([few, many]);
    lines
}

/// The same line on the small and on the large store.
fn on_both<M: Measure + 'static>(
    name: &str,
    [few, many]: [String; 2],
    unit: Unit,
    measure: impl Fn() -> M,
) -> [Line; 2] {
    let line = |end: &str, about, size| {
        on(
            Line::new(format!("{name}-{end}"), about, unit, measure()),
            size,
        )
    };
    [line("few", few, Size::Few), line("many", many, Size::Many)]
}

fn pair(name: &str, about: [String; 2], page: impl Fn() -> Page) -> [Line; 2] {
    on_both(name, about, Unit::Requests, page)
}

fn on(line: Line, size: Size) -> Line {
    line.peers(&[Longshore]).needs(&[]).on(Store::Filled(size))
}

fn manifests(shape: &Shape, number: usize) -> Work {
    let path = |at: usize| {
        let tag = tag(at * shape.tags / number);
        Target {
            path: format!("/v2/{TAGS}/manifests/{tag}"),
            length: None,
            digest: None,
        }
    };
    get(64, (0..number).map(path).collect())
}

/// Where in a list a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Middle,
    Last,
}

impl Place {
    /// How many of `all` entries come before.
    fn before(self, all: usize) -> usize {
        match self {
            Self::First => 0,
            Self::Middle => all / 2,
            Self::Last => all.saturating_sub(PAGE),
        }
    }
}

/// One page of a list, on one connection.
#[derive(Debug, Clone, Copy)]
enum Page {
    Tags(Place),
    Catalog(Place),
    Referrers,
}

impl Page {
    /// Its path, and where in it the entries are and how many.
    fn of(self, shape: &Shape, ask: &mut Asker) -> Result<(String, &'static str, usize)> {
        Ok(match self {
            Self::Tags(place) => {
                let last = place.before(shape.tags).checked_sub(1).map(tag);
                let path = after(&format!("/v2/{TAGS}/tags/list?n={PAGE}"), last);
                (path, "tags", PAGE)
            }
            Self::Catalog(place) => {
                let last = place.before(shape.repositories).checked_sub(1);
                let last = last.map(repository);
                (
                    after(&format!("/v2/_catalog?n={PAGE}"), last),
                    "repositories",
                    PAGE,
                )
            }
            Self::Referrers => {
                let subject = ask.get(&format!("/v2/{REFERRERS}/manifests/subject"))?;
                let digest = subject
                    .header("docker-content-digest")
                    .context("a manifest has no digest")?;
                let path = format!("/v2/{REFERRERS}/referrers/{digest}?n={FEW_REFERRERS}");
                (path, "manifests", FEW_REFERRERS)
            }
        })
    }
}

fn after(path: &str, last: Option<String>) -> String {
    let last = last.map_or_else(String::new, |last| format!("&last={last}"));
    format!("{path}{last}")
}

impl Measure for Page {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let shape = scene.shape.context("the store is not a filled one")?;
        let mut ask = Asker {
            headers: peer.headers(scene.ground, &[TAGS.to_owned(), REFERRERS.to_owned()])?,
            connection: Connection::open(peer.address)?,
        };
        let (path, list, wanted) = self.of(&shape, &mut ask)?;
        let body = ask.get(&path)?.body;
        let page: Value = serde_json::from_slice(&body).context("a page is no JSON")?;
        let entries = page.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(
            entries == wanted,
            "GET {path}: {entries} entries where {wanted} are right"
        );
        let target = Target {
            path,
            length: Some(body.len() as u64),
            digest: None,
        };
        let works = vec![get(1, vec![target])];
        Ok(drive(scene, peer, Speak::Http1, works, (0.5, 3.0))?.sample(Unit::Requests, scene))
    }
}

/// Asks before anything is measured.
struct Asker {
    connection: Connection,
    headers: crate::job::Headers,
}

impl Asker {
    fn get(&mut self, path: &str) -> Result<Response> {
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("Accept", "*/*"));
        let response = self.connection.send(&Request {
            method: "GET",
            path,
            headers: &headers,
            body: &[],
        })?;
        ensure!(
            response.status == 200,
            "GET {path}: status {}",
            response.status
        );
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_the_middle_begins_after_the_first_half_and_the_last_page_is_full() {
        let last = |place: Place| place.before(1_000).checked_sub(1).map(tag);
        assert_eq!(last(Place::First), None);
        assert_eq!(last(Place::Middle).as_deref(), Some("v0000499"));
        assert_eq!(last(Place::Last).as_deref(), Some("v0000899"));
    }

    #[test]
    fn manifests_are_spread_over_all_tags() {
        let Task::Read(read) = manifests(&Shape::BIG, READ).task else {
            panic!("not a read");
        };
        assert_eq!(read.targets.len(), READ);
        assert!(read.targets[READ - 1].path.ends_with("/v0999000"));
    }
}
