//! The points themselves: that there is one for everything, and that they can fail.

use std::collections::BTreeSet;

use longshore_testkit::conformance::{Api, Target, page, points, run};

use crate::scripted::{Line, serve};

#[test]
fn the_page_says_what_the_points_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        kept == page(),
        "docs/conformance.md is out of date; its second line says how it is made"
    );
}

#[test]
fn every_api_has_points() {
    let points = points();
    for api in Api::ALL {
        assert!(points.iter().any(|point| point.apis.contains(api)), "{api}");
    }
}

#[test]
fn every_point_has_a_name_of_its_own() {
    let points = points();
    let names: BTreeSet<String> = points.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), points.len());
}

#[test]
fn the_points_are_the_same_each_time() {
    assert_eq!(format!("{:?}", points()), format!("{:?}", points()));
}

#[tokio::test]
async fn a_server_that_says_yes_to_everything_passes_almost_nothing() {
    let yes = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let (address, server) = serve(vec![Line::Always(yes)]).await;
    let report = run(&Target::new(address)).await;
    server.abort();
    let passed: Vec<String> = report.passed.iter().map(ToString::to_string).collect();
    assert_eq!(passed, ["registry: is a registry"]);
}

#[tokio::test]
async fn a_failed_point_says_what_was_asked_and_what_was_answered() {
    let no = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 35\r\n\r\n{\"errors\":[{\"code\":\"OUT_OF_SPEC\"}]}";
    let (address, server) = serve(vec![Line::Always(no)]).await;
    let report = run(&Target::new(address)).await;
    server.abort();
    let text = report.to_string();
    assert!(
        text.contains("FAILED registry: is a registry\n"),
        "{text:.300}"
    );
    assert!(
        text.contains("\"OUT_OF_SPEC\" is no error code of the specification"),
        "{text:.300}"
    );
    assert!(text.contains("> GET /v2/\n"), "{text:.300}");
    assert!(text.contains("< 404\n"), "{text:.300}");
}
