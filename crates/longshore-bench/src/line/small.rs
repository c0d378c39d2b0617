//! Small requests: manifests, small blobs, ranges, what is asked before anything is fetched.

use super::works::{Works, get, read};
use super::{Figure, LOOKS, Line, Unit};
use crate::job::{Method, Task, Work};
use crate::peer::Program::{Debian, Distribution, Longshore, Nginx, Zot};
use crate::seed::{APP, Content, Set};

const SMALL: u64 = 10 << 10;
const HUGE: u64 = 1 << 30;
const RANGE: u64 = 64 << 10;

pub(super) fn lines() -> Vec<Line> {
    vec![
        line(
            "manifest-c1",
            "GET of a manifest by tag, 1 connection",
            |content| get(1, by_tag(content)),
        )
        .lower("G5", Figure::P50, 1.2, Nginx),
        line(
            "manifest-c64",
            "GET of a manifest by tag, 64 connections",
            |content| get(64, by_tag(content)),
        )
        .quick()
        .faster("G5", 10.0, Distribution)
        .faster("G5", 50.0, Debian)
        .faster("G5", 6.0, Zot)
        .faster("G5", 0.8, Nginx),
        line(
            "manifest-digest-c64",
            "GET of a manifest by digest, 64 connections",
            |content| {
                get(
                    64,
                    content
                        .of(APP)
                        .map(super::super::seed::Image::by_digest)
                        .collect(),
                )
            },
        ),
        line(
            "manifest-head-c64",
            "HEAD of a manifest by tag, 64 connections",
            |content| read(64, Method::Head, by_tag(content)),
        )
        .faster("G6", 10.0, Distribution)
        .faster("G6", 50.0, Debian),
        line(
            "manifest-304-c64",
            "GET of a manifest that the client has (304), 64 connections",
            |content| {
                let mut work = get(64, by_tag(content));
                if let Task::Read(read) = &mut work.task {
                    read.conditional = true;
                }
                work
            },
        )
        .peers(&[Longshore, Distribution, Debian]),
        line(
            "blob-10k-c64",
            "GET of 10 KiB blobs, 64 connections",
            |content| get(64, content.blobs(SMALL)),
        )
        .quick()
        .faster("G4", 1.0, Nginx)
        .faster("G4", 50.0, Distribution)
        .faster("G4", 50.0, Debian),
        line(
            "blob-head-c64",
            "HEAD of 10 KiB blobs, 64 connections",
            |content| read(64, Method::Head, content.blobs(SMALL)),
        )
        .quick()
        .faster("G6", 10.0, Distribution)
        .faster("G6", 50.0, Debian),
        line(
            "range-64k-c64",
            "64 KiB ranges of a 1 GiB blob, 64 connections",
            |content| {
                let mut work = get(64, content.blobs(HUGE));
                if let Task::Read(read) = &mut work.task {
                    read.range = Some(RANGE);
                }
                work
            },
        )
        .needs(&[Set::Huge])
        .with_limits()
        .faster("G15", 0.8, Nginx)
        .faster("G15", 50.0, Distribution),
    ]
}

fn by_tag(content: &Content) -> Vec<crate::job::Target> {
    content.of(APP).map(crate::seed::Image::by_tag).collect()
}

fn line(name: &str, about: &str, work: fn(&Content) -> Work) -> Line {
    let works = Works::reads(Unit::Requests, move |content| vec![work(content)]).short();
    Line::new(name, about, Unit::Requests, works).looks(LOOKS)
}
