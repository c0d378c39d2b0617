//! Runs one row and says what was wrong with the answers.

use longshore_core::error::SPEC_CODES;
use std::fmt::Write as _;
use std::io;

use serde_json::Value;

use super::fixture::{Fixture, REPO};
use super::{Body, Has, Row, Step, Target, Who};
use crate::wire::{Answer, Ask};

/// Words that no client should ever read: where things lie, and what they are made of.
const INSIDE: [&str; 7] = [
    "/tmp/",
    "/var/",
    "longshore-data",
    ".rs:",
    "panicked",
    "sqlite",
    "os error",
];

/// Runs `row`; the inner error says what failed.
pub(super) async fn row(
    target: &mut impl Target,
    fixture: &mut Fixture,
    row: &Row,
) -> io::Result<Result<(), String>> {
    fixture.open(target, row).await?;
    let before = state(target).await?;
    for step in row.steps {
        let ask = ask(fixture, step);
        let answer = target.send(row.who, &ask).await?;
        let mut faults = shape(&ask, &answer);
        faults.extend(expected(fixture, step, &answer));
        if !faults.is_empty() {
            let mut text = faults.join("; ");
            let shown: String = format!("{ask}{answer}").chars().take(2000).collect();
            let _ = write!(text, "\n{shown}");
            return Ok(Err(text));
        }
    }
    let after = state(target).await?;
    if !row.changes && before != after {
        return Ok(Err(format!(
            "the registry changed\nbefore: {before:#?}\nafter: {after:#?}"
        )));
    }
    Ok(Ok(()))
}

fn ask(fixture: &Fixture, step: &Step) -> Ask {
    let mut ask = Ask::new(step.method, fixture.write_out(step.target));
    for (name, value) in step.headers {
        ask = ask.header(name, fixture.write_out(value));
    }
    match step.body {
        Body::Absent => {
            ask.body = crate::wire::Body::Absent;
            ask
        }
        Body::Sized(text) => ask.sized(fixture.write_out(text)),
        Body::Chunked(text) => ask.chunked(fixture.write_out(text)),
        Body::Bytes(bytes) => ask.sized(bytes),
    }
}

/// What is wrong with an answer, whatever was asked.
fn shape(ask: &Ask, answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    if answer.header("x-request-id").is_none() {
        faults.push("there is no request id".to_owned());
    }
    if answer.header("x-content-type-options") != Some("nosniff") {
        faults.push("a browser may guess the type".to_owned());
    }
    if ask.method == "HEAD" && !answer.body.is_empty() {
        faults.push("an answer to HEAD has a body".to_owned());
    }
    if answer.status < 400 || ask.method == "HEAD" {
        return faults;
    }
    let text = String::from_utf8_lossy(&answer.body);
    for inside in INSIDE {
        if text.contains(inside) {
            faults.push(format!("the body shows {inside:?}"));
        }
    }
    match code(answer) {
        Some(code) if answer.status < 500 && !SPEC_CODES.contains(&code.as_str()) => {
            faults.push(format!("{code} is not a code of the specification"));
        }
        Some(_) => {}
        None => faults.push("the body is not the specification's JSON".to_owned()),
    }
    faults
}

/// What is wrong with the answer to this step.
fn expected(fixture: &Fixture, step: &Step, answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    if !step.status.contains(&answer.status) {
        faults.push(format!(
            "the status is {}, not {:?}",
            answer.status, step.status
        ));
    }
    if let Some(wanted) = step.code
        && answer.status >= 400
        && step.method != "HEAD"
    {
        let code = code(answer).unwrap_or_default();
        if code != wanted {
            faults.push(format!("the code is {code:?}, not {wanted:?}"));
        }
    }
    for (name, has) in step.expect {
        let first = answer.header(name);
        let holds = match has {
            Has::Is(value) => first == Some(fixture.write_out(value).as_str()),
            Has::Part(part) => answer
                .all(name)
                .any(|line| line.contains(&fixture.write_out(part))),
            Has::Any => first.is_some(),
            Has::None => first.is_none(),
        };
        if !holds {
            faults.push(format!("the header {name} is {first:?}, not {has:?}"));
        }
    }
    if let Some(wanted) = step.answer
        && answer.body != fixture.write_out(wanted)
    {
        faults.push(format!("the body is not {wanted}"));
    }
    faults
}

/// The error code of an answer; `None` when its body is not what the specification says.
fn code(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let [error] = body.get("errors")?.as_array()?.as_slice() else {
        return None;
    };
    error.get("message")?.as_str()?;
    Some(error.get("code")?.as_str()?.to_owned())
}

/// What can be seen of the registry from outside.
async fn state(target: &mut impl Target) -> io::Result<Vec<String>> {
    let mut state = Vec::new();
    for path in [
        "/v2/_catalog",
        "/v2/acme/app/tags/list",
        "/v2/acme/other/tags/list",
    ] {
        let answer = target.send(Who::Owner, &Ask::new("GET", path)).await?;
        state.push(format!(
            "{} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        ));
        let tags: Vec<String> = serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|body| serde_json::from_value(body.get("tags")?.clone()).ok())
            .unwrap_or_default();
        for tag in tags {
            let head = Ask::new("HEAD", format!("/v2/{REPO}/manifests/{tag}"));
            let answer = target.send(Who::Owner, &head).await?;
            state.push(format!(
                "{tag}: {:?}",
                answer.header("docker-content-digest")
            ));
        }
    }
    Ok(state)
}
