//! A request as a line. It is written for every request, so nothing here allocates for a plain one.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::Write as _;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::Actor;
use longshore_http::edge::{End, Observed};
use serde::Serialize;

/// The longest text from outside, in characters; what is longer is cut.
const LONGEST: usize = 1024;

pub(super) fn text(out: &mut Vec<u8>, seen: &Observed) {
    stamp(out, ended(seen));
    out.extend_from_slice(b"  INFO ");
    out.extend_from_slice(seen.method.as_str().as_bytes());
    out.push(b' ');
    plain(out, &target(seen));
    out.push(b' ');
    match seen.status {
        Some(status) => out.extend_from_slice(status.as_str().as_bytes()),
        None => out.push(b'-'),
    }
    if seen.end == End::Cut {
        out.extend_from_slice(b" cut");
    }
    out.extend_from_slice(b" in=");
    number(out, seen.received);
    out.extend_from_slice(b" out=");
    number(out, seen.sent);
    out.extend_from_slice(b" ms=");
    let micros = u64::try_from(seen.duration.as_micros()).unwrap_or(u64::MAX);
    number(out, micros / 1000);
    out.push(b'.');
    three(out, micros % 1000);
    out.extend_from_slice(b" actor=");
    match &seen.actor {
        Actor::Named(name) => plain(out, name),
        other => {
            // Writing to memory does not fail, here and below.
            let _ = write!(out, "{other}");
        }
    }
    out.extend_from_slice(b" peer=");
    address(out, seen.peer);
    out.extend_from_slice(b" request=");
    hex(out, seen.request);
    if let Some(agent) = &seen.user_agent {
        out.extend_from_slice(b" agent=\"");
        match agent.to_str() {
            Ok(agent) => plain(out, agent),
            Err(_) => plain(out, &String::from_utf8_lossy(agent.as_bytes())),
        }
        out.push(b'"');
    }
    out.push(b'\n');
}

pub(super) fn json(out: &mut Vec<u8>, seen: &Observed) {
    #[derive(Serialize)]
    struct Line<'a> {
        timestamp: &'a str,
        level: &'static str,
        message: &'static str,
        method: &'a str,
        target: &'a str,
        route: &'static str,
        status: Option<u16>,
        cut: bool,
        received_bytes: u64,
        sent_bytes: u64,
        duration_ms: f64,
        actor: &'a str,
        repo: Option<&'a str>,
        peer: IpAddr,
        request: &'a str,
        user_agent: Option<Cow<'a, str>>,
    }
    let (mut time, mut request) = (Vec::new(), Vec::new());
    stamp(&mut time, ended(seen));
    hex(&mut request, seen.request);
    let ascii = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let line = Line {
        timestamp: ascii(&time),
        level: "INFO",
        message: "request",
        method: seen.method.as_str(),
        target: &target(seen),
        route: seen.route,
        status: seen.status.map(|status| status.as_u16()),
        cut: seen.end == End::Cut,
        received_bytes: seen.received,
        sent_bytes: seen.sent,
        duration_ms: seen.duration.as_secs_f64() * 1000.0,
        actor: &seen.actor.to_string(),
        repo: seen
            .repo
            .as_ref()
            .map(longshore_spec::name::RepoName::as_str),
        peer: seen.peer,
        request: ascii(&request),
        user_agent: seen
            .user_agent
            .as_ref()
            .map(|agent| String::from_utf8_lossy(agent.as_bytes())),
    };
    // All of it can be said in JSON.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}

/// When the request was over.
fn ended(seen: &Observed) -> SystemTime {
    seen.begun.checked_add(seen.duration).unwrap_or(seen.begun)
}

/// RFC 3339 in UTC with microseconds. The date is worked out once a second and thread.
fn stamp(out: &mut Vec<u8>, at: SystemTime) {
    thread_local! {
        static SECOND: Cell<(u64, [u8; 19])> = const { Cell::new((u64::MAX, [b'0'; 19])) };
    }
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut second, mut digits) = SECOND.get();
    if second != since.as_secs() {
        second = since.as_secs();
        let text = i64::try_from(second)
            .ok()
            .and_then(|second| jiff::Timestamp::from_second(second).ok())
            .unwrap_or_default()
            .to_string();
        for (digit, byte) in digits.iter_mut().zip(text.bytes()) {
            *digit = byte;
        }
        SECOND.set((second, digits));
    }
    out.extend_from_slice(&digits);
    out.push(b'.');
    let micros = u64::from(since.subsec_micros());
    three(out, micros / 1000);
    three(out, micros % 1000);
    out.push(b'Z');
}

/// The request's target as it was sent.
fn target(seen: &Observed) -> Cow<'_, str> {
    match seen.target.path_and_query() {
        Some(target) if seen.target.scheme().is_none() => target.as_str().into(),
        _ => seen.target.to_string().into(),
    }
}

/// Text from outside, with nothing in it that could begin a line or a field of its own.
fn plain(out: &mut Vec<u8>, text: &str) {
    let harmless = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
    // To the end in any case: sixteen at a time are faster than one after the other until the first that is not.
    let all = text.bytes().fold(true, |all, byte| all & harmless(byte));
    if all && text.len() <= LONGEST {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars().take(LONGEST) {
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            c if c.is_control() => write!(out, "\\u{{{:x}}}", c as u32),
            c => write!(out, "{c}"),
        };
    }
}

/// Three digits of a number below 1000.
fn three(out: &mut Vec<u8>, number: u64) {
    if number < 100 {
        out.push(b'0');
    }
    if number < 10 {
        out.push(b'0');
    }
    self::number(out, number);
}

fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                number(out, octet.into());
            }
        }
        IpAddr::V6(address) => {
            let _ = write!(out, "{address}");
        }
    }
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn hex(out: &mut Vec<u8>, number: u128) {
    let mut digits = [0; 32];
    // Two digits for each byte: it cannot fail.
    let _ = hex::encode_to_slice(number.to_be_bytes(), &mut digits);
    out.extend_from_slice(&digits);
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use http::{HeaderValue, Method, StatusCode};

    use super::*;

    pub(crate) fn seen() -> Observed {
        Observed {
            begun: UNIX_EPOCH + Duration::from_micros(1_795_269_599_999_999 - 4321),
            request: 0xabc,
            route: "manifest",
            method: Method::GET,
            target: "/v2/acme/app/manifests/1.0".parse().unwrap(),
            status: Some(StatusCode::OK),
            actor: Actor::Named("eve\n2026 INFO forged".into()),
            kind: longshore_auth::IdentityKind::Token,
            way: longshore_core::Way::default(),
            repo: Some("acme/app".parse().unwrap()),
            received: 0,
            sent: 1234,
            duration: Duration::from_micros(4321),
            peer: "192.0.2.7".parse().unwrap(),
            user_agent: Some(HeaderValue::from_static("skopeo \"1.9\"")),
            end: End::Whole,
            error: None,
        }
    }

    fn written(write: fn(&mut Vec<u8>, &Observed), seen: &Observed) -> String {
        let mut out = Vec::new();
        write(&mut out, seen);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_one_line_whatever_the_client_calls_itself() {
        assert_eq!(
            written(text, &seen()),
            "2026-11-21T13:59:59.999999Z  INFO GET /v2/acme/app/manifests/1.0 200 in=0 out=1234 ms=4.321 \
             actor=eve\\u{a}2026 INFO forged peer=192.0.2.7 request=00000000000000000000000000000abc \
             agent=\"skopeo \\\"1.9\\\"\"\n"
        );
        let structured = written(json, &seen());
        assert_eq!(structured.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&structured).unwrap();
        assert_eq!(value["status"], 200);
        assert_eq!(value["repo"], "acme/app");
        assert_eq!(value["timestamp"], "2026-11-21T13:59:59.999999Z");
        assert_eq!(value["request"], "00000000000000000000000000000abc");
        assert_eq!(value["target"], "/v2/acme/app/manifests/1.0");
    }

    #[test]
    fn numbers_are_what_the_standard_library_writes() {
        for number in [0, 7, 10, 99, 100, 12_345, u64::MAX] {
            let mut out = Vec::new();
            super::number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
        for number in [0, 0xabc, u128::MAX] {
            let mut out = Vec::new();
            hex(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{number:032x}"));
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_and_a_stranger_to_ascii_is_kept() {
        let mut out = Vec::new();
        plain(&mut out, &"x".repeat(LONGEST + 1));
        assert_eq!(out.len(), LONGEST);
        out.clear();
        plain(&mut out, "h\u{e4}fen");
        assert_eq!(out, "h\u{e4}fen".as_bytes());
    }

    #[test]
    fn the_date_follows_the_clock_across_a_second() {
        let at = |secs, micros| {
            let mut out = Vec::new();
            stamp(
                &mut out,
                UNIX_EPOCH + Duration::from_secs(secs) + Duration::from_micros(micros),
            );
            String::from_utf8(out).unwrap()
        };
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(86_399, 12_003), "1970-01-01T23:59:59.012003Z");
        assert_eq!(at(86_400, 1), "1970-01-02T00:00:00.000001Z");
        assert_eq!(at(0, 5), "1970-01-01T00:00:00.000005Z");
    }
}
