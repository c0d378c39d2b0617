//! `docs/conformance.md`, made from the points.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Api, points};

const TOP: &str = "\
# Conformance, point by point

<!-- Made by `cargo run -p longshore-testkit --example conformance_page > docs/conformance.md`; a test compares. -->

The distribution specification comes with a conformance program that looks at pairs of an API and a data set. Each of its
points, in version `dev` with everything enabled, is a test of our own in `longshore_testkit::conformance`, written from
the specification and run over the wire against the finished server: anonymous, with Basic, and with Bearer.

A point here is one thing that holds or does not. Where the program accepts several answers (deleting a blob may be 202,
404 or 405), ours accept the one that is right. Beyond what the table says, every 4xx answer with JSON must have the
specification's shape and one of its 14 codes.

The data set `sparse` has an image one of whose layers was never pushed, and an index one of whose images was never
pushed. A registry may refuse both; these points want a server that is configured to accept both.

";

/// The page, as text.
pub fn page() -> String {
    let mut page = TOP.to_owned();
    let points = points();
    _ = writeln!(page, "There are {} points.\n", points.len());
    page.push_str("## What is asked, by API\n\n| API | points | what must hold |\n|---|---|---|\n");
    for api in Api::ALL {
        let count = points
            .iter()
            .filter(|point| point.apis.contains(api))
            .count();
        _ = writeln!(page, "| {api} | {count} | {} |", api.rule());
    }
    page.push_str(
        "\n## Points, by data set and API\n\n| data set | API | points |\n|---|---|---|\n",
    );
    let mut sets: Vec<&str> = points.iter().map(|point| point.set).collect();
    sets.dedup();
    for set in sets {
        let mut by_api: BTreeMap<Api, Vec<&str>> = BTreeMap::new();
        for point in points.iter().filter(|point| point.set == set) {
            for api in &point.apis {
                by_api.entry(*api).or_default().push(&point.name);
            }
        }
        for (api, names) in by_api {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            _ = writeln!(page, "| {set} | {api} | {} |", names.join(", "));
        }
    }
    page
}
