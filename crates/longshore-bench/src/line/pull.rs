//! Pulls of big blobs.

use super::works::{Speak, Works, get};
use super::{Figure, LOOKS, Line, Stage, Store, Unit};
use crate::peer::Program;
use crate::seed::Set;

const MIB: u64 = 1 << 20;

pub(super) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for connections in [8, 64] {
        let line = line(
            &format!("pull-1m-c{connections}"),
            "1 MiB",
            MIB,
            connections,
        );
        lines.push(
            line.faster("G3", 0.85, Program::Nginx)
                .faster("G3", 10.0, Program::Distribution)
                .faster("G3", 10.0, Program::Debian),
        );
    }
    for connections in [1, 8, 64] {
        let line = goals(line(
            &format!("pull-100m-c{connections}"),
            "100 MiB",
            100 * MIB,
            connections,
        ));
        lines.push(match connections {
            8 => line.quick(),
            64 => line.on(Store::Restarted).most("G11", Figure::Memory, 40.0),
            _ => line,
        });
    }
    for connections in [1, 8, 64] {
        let line = line(
            &format!("pull-1g-c{connections}"),
            "1 GiB",
            1024 * MIB,
            connections,
        );
        lines.push(goals(line).needs(&[Set::Huge]));
    }
    for (name, speak, version) in [
        ("tls", Speak::Tls1, "HTTP/1.1"),
        ("h2", Speak::Tls2, "HTTP/2"),
    ] {
        let works = Works::reads(Unit::Bytes, |content| {
            vec![get(8, content.blobs(100 * MIB))]
        })
        .over(speak);
        let about = format!("GET of 100 MiB blobs over TLS, {version}, 8 connections");
        let line = Line::new(format!("pull-100m-c8-{name}"), about, Unit::Bytes, works);
        let line = line
            .peers(&[Program::Longshore, Program::Nginx])
            .at(Stage::Tls);
        lines.push(line.faster("tls", 0.85, Program::Nginx));
    }
    for connections in [8, 64] {
        let line = line(
            &format!("pull-100m-c{connections}-free"),
            "100 MiB",
            100 * MIB,
            connections,
        );
        lines.push(goals(line.at(Stage::Free)));
    }
    lines
}

fn line(name: &str, size: &str, bytes: u64, connections: usize) -> Line {
    let works = Works::reads(Unit::Bytes, move |content| {
        vec![get(connections, content.blobs(bytes))]
    })
    .short();
    Line::new(
        name,
        format!("GET of {size} blobs, {connections} connections"),
        Unit::Bytes,
        works,
    )
    .looks(LOOKS)
    .with_limits()
}

fn goals(line: Line) -> Line {
    let (nginx, others) = (Program::Nginx, [Program::Distribution, Program::Debian]);
    let mut line = line
        .faster("G1", 0.9, nginx)
        .lower("G2", Figure::Cpu, 1.15, nginx);
    for other in others {
        line = line
            .faster("G1", 3.0, other)
            .lower("G2", Figure::Cpu, 0.35, other);
    }
    line
}
