//! How many system calls the hot paths take, counted by strace. A second look at a file, or a wake-up of another thread for each request,
//! shows here and in no unit test.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::wire::Ask;

use super::client::Client;
use super::harness::{Start, expect};

/// Requests that are counted.
const ROUNDS: u32 = 400;

/// How the table calls the write that wakes a thread.
const EVENTFD: &str = "write (eventfd)";

/// A strace that is attached to a process.
struct Strace(Child);

impl Strace {
    fn attach(id: u32, to: &Path) -> Option<Self> {
        let strace = Command::new("strace")
            .args(["-f", "-s", "8", "-o"])
            .arg(to)
            .args(["-p", &id.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match strace {
            Ok(child) => {
                // It says nowhere that it has begun; what comes before is not counted, which the floor below would show.
                thread::sleep(Duration::from_millis(700));
                Some(Self(child))
            }
            Err(error) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "strace cannot be started: {error}"
                );
                None
            }
        }
    }

    /// Ends it, and reads how often each call was made.
    fn counts(mut self, from: &Path) -> BTreeMap<String, u32> {
        let id = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        self.0.wait().unwrap();
        let mut counts = BTreeMap::new();
        for line in std::fs::read_to_string(from).unwrap().lines() {
            if let Some(name) = name_of_call(line) {
                *counts.entry(name.to_owned()).or_default() += 1;
            }
        }
        counts
    }
}

/// The call that begins in a line of strace, `None` for what is none: the end of one, a signal, a thread that is gone. What wakes a
/// thread that waits for the kernel's events is a write of its own kind, an `eventfd`'s.
fn name_of_call(line: &str) -> Option<&str> {
    let (_, call) = line.split_once(' ')?;
    let (name, arguments) = call.trim_start().split_once('(')?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    Some(match name {
        "write" if arguments.contains(r#""\1\0\0\0\0\0\0\0", 8"#) => EVENTFD,
        name => name,
    })
}

#[tokio::test]
async fn a_request_on_a_hot_path_asks_the_kernel_no_more_often_than_it_did() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let mut blobs = Vec::new();
    for size in [10 << 10, 256 << 10, 1 << 20] {
        let bytes = vec![7; size];
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        let path = format!("/v2/a/b/blobs/uploads/?digest={digest}");
        expect(
            &mut server.client(),
            Ask::new("POST", path).sized(bytes),
            201,
        )
        .await;
        blobs.push((digest, size));
    }
    let [(small, bytes), (middle, _), (big, _)] = blobs[..] else {
        panic!("three blobs")
    };
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let layer = format!(
        "{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"{small}\",\"size\":{bytes}}}"
    );
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{kind}\",\"config\":{layer},\"layers\":[{layer}]}}"
    );
    let put = Ask::new("PUT", "/v2/a/b/manifests/1").header("content-type", kind);
    expect(&mut server.client(), put.sized(manifest), 201).await;

    // Each with the calls it takes: to read the request and to wait for the next; to write the answer; to see whether what is sent
    // is in memory, and to send it.
    let range = "Range: bytes=65536-131071\r\n";
    let paths = [
        ("GET", "manifests/1".to_owned(), "", 200, 3),
        ("HEAD", "manifests/1".to_owned(), "", 200, 3),
        ("GET", format!("blobs/{small}"), "", 200, 3),
        ("HEAD", format!("blobs/{small}"), "", 200, 3),
        ("GET", format!("blobs/{big}"), range, 206, 4),
        // Corked, into a pipe, out of it and uncorked; that it is in memory was seen with the one before. The client may have to be waited
        // for, and each such wait is two calls more, of which there are few.
        ("GET", format!("blobs/{middle}"), "", 200, 8),
    ];
    let mut client = Client::connect(server.address);
    let mut over = Vec::new();
    for (method, path, more, status, most) in paths {
        let request =
            format!("{method} /v2/a/b/{path} HTTP/1.1\r\nHost: registry.example\r\n{more}\r\n");
        for _ in 0..20 {
            client.ask(request.as_bytes(), status);
        }
        let table = data.path().join("calls");
        let Some(strace) = Strace::attach(server.id(), &table) else {
            println!("skipped: there is no strace here");
            return;
        };
        for _ in 0..ROUNDS {
            client.ask(request.as_bytes(), status);
        }
        let counts = strace.counts(&table);
        // How often threads wake each other depends on the machine: it has a bound of its own. Handing each request to another thread
        // takes two such calls, one to wake it and one to wait. An answer the client reads in many parts says as often that there is
        // room again, to whichever thread waits: most of them, where the machine is busy.
        let wakes = ["futex", EVENTFD, "sched_yield", "restart_syscall"];
        let (woken, asked): (Vec<_>, Vec<_>) = counts
            .iter()
            .partition(|(name, _)| wakes.contains(&name.as_str()));
        let sum = |calls: &[(&String, &u32)]| calls.iter().map(|(_, calls)| **calls).sum::<u32>();
        let (total, woken) = (sum(&asked), sum(&woken));
        println!("system calls {method} {path}: {total} for {ROUNDS}: {counts:?}");
        assert!(total >= 2 * ROUNDS, "strace came too late: {counts:?}");
        // Half for timers and the writer of lines, which do not come with each request but with time, and so with whatever else
        // the machine does; one call more in each request is still told from them.
        if total > most * ROUNDS + ROUNDS / 2 || woken > ROUNDS * 3 / 2 {
            over.push(format!(
                "{method} {path}: {total} calls for {ROUNDS} requests, at most {most} each: {counts:?}"
            ));
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}
