//! One line for each request, written by a thread of its own.
//!
//! Requests hand their line over and go on; when the reader of standard error is slower than the requests, lines are
//! dropped and counted, never waited for.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use longshore_core::Actor;
use longshore_http::edge::{End, Observed};

use crate::config::sections::LogFormat;

/// How many lines may wait to be written.
const WAITING: usize = 8192;

/// The way to the thread that writes.
#[derive(Debug, Clone)]
pub struct AccessLog {
    lines: mpsc::SyncSender<Observed>,
    dropped: Arc<AtomicU64>,
}

impl AccessLog {
    /// Starts the thread. It ends when the last handle is gone and all lines are written.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(format: LogFormat) -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel(WAITING);
        thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(format, &waiting))?;
        Ok(Self {
            lines,
            dropped: Arc::default(),
        })
    }

    /// Hands a request over to be written.
    pub fn log(&self, observed: Observed) {
        if self.lines.try_send(observed).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn write(format: LogFormat, waiting: &mpsc::Receiver<Observed>) {
    let mut out = String::new();
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some(observed) = next {
            let now = jiff::Timestamp::now();
            match format {
                LogFormat::Text => text(&mut out, now, &observed),
                LogFormat::Json => json(&mut out, now, &observed),
            }
            next = if out.len() < 64 << 10 {
                waiting.try_recv().ok()
            } else {
                None
            };
        }
        // Nobody can be told that standard error is gone.
        let _ = io::stderr().write_all(out.as_bytes());
        out.clear();
    }
}

fn text(out: &mut String, now: jiff::Timestamp, seen: &Observed) {
    let _ = write!(
        out,
        "{now:.6}  INFO {} {} ",
        seen.method,
        Plain(&seen.target.to_string())
    );
    let _ = match seen.status {
        Some(status) => write!(out, "{}", status.as_u16()),
        None => write!(out, "-"),
    };
    if seen.end == End::Cut {
        out.push_str(" cut");
    }
    let _ = write!(
        out,
        " in={} out={} ms={:.3} actor={} peer={} request={:032x}",
        seen.received,
        seen.sent,
        seen.duration.as_secs_f64() * 1000.0,
        Plain(&name(&seen.actor)),
        seen.peer,
        seen.request,
    );
    if let Some(agent) = &seen.user_agent {
        let _ = write!(
            out,
            " agent=\"{}\"",
            Plain(&String::from_utf8_lossy(agent.as_bytes()))
        );
    }
    out.push('\n');
}

fn json(out: &mut String, now: jiff::Timestamp, seen: &Observed) {
    let line = serde_json::json!({
        "timestamp": format!("{now:.6}"),
        "level": "INFO",
        "message": "request",
        "method": seen.method.as_str(),
        "target": seen.target.to_string(),
        "route": seen.route,
        "status": seen.status.map(|status| status.as_u16()),
        "cut": seen.end == End::Cut,
        "received_bytes": seen.received,
        "sent_bytes": seen.sent,
        "duration_ms": seen.duration.as_secs_f64() * 1000.0,
        "actor": name(&seen.actor),
        "repo": seen.repo.as_ref().map(longshore_spec::name::RepoName::as_str),
        "peer": seen.peer.to_string(),
        "request": format!("{:032x}", seen.request),
        "user_agent": seen.user_agent.as_ref().map(|agent| String::from_utf8_lossy(agent.as_bytes())),
    });
    let _ = writeln!(out, "{line}");
}

fn name(actor: &Actor) -> String {
    actor.to_string()
}

/// Text from outside, with nothing in it that could begin a line or a field of its own.
struct Plain<'a>(&'a str);

impl std::fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars().take(1024) {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderValue, Method, StatusCode};

    use super::*;

    fn seen() -> Observed {
        Observed {
            request: 0xabc,
            route: "manifest",
            method: Method::GET,
            target: "/v2/acme/app/manifests/1.0".parse().unwrap(),
            status: Some(StatusCode::OK),
            actor: Actor::Named("eve\n2026 INFO forged".into()),
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

    #[test]
    fn a_line_is_one_line_whatever_the_client_calls_itself() {
        let (mut plain, mut structured) = (String::new(), String::new());
        text(&mut plain, jiff::Timestamp::UNIX_EPOCH, &seen());
        json(&mut structured, jiff::Timestamp::UNIX_EPOCH, &seen());
        assert_eq!(
            plain,
            "1970-01-01T00:00:00.000000Z  INFO GET /v2/acme/app/manifests/1.0 200 in=0 out=1234 ms=4.321 \
             actor=eve\\u{a}2026 INFO forged peer=192.0.2.7 request=00000000000000000000000000000abc \
             agent=\"skopeo \\\"1.9\\\"\"\n"
        );
        assert_eq!(structured.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&structured).unwrap();
        assert_eq!(value["status"], 200);
        assert_eq!(value["repo"], "acme/app");
    }
}
