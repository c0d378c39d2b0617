//! Whole jobs against a server of a few lines.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{Context, SHA256};

use super::content::digest;
use super::perform;
use crate::job::{Done, Job, Method, Outcome, Protocol, Read, Target, Task, Way, Work};

/// Bytes of the content that can be read.
const LENGTH: usize = 3_000;

/// What the server was asked, by method and what was asked for, and the uploads that are open.
#[derive(Debug, Default)]
struct Seen {
    asked: BTreeMap<String, u64>,
    uploads: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Seen {
    fn count(&self, what: &str) -> u64 {
        self.asked.get(what).copied().unwrap_or(0)
    }
}

fn body() -> Vec<u8> {
    (0..=250).cycle().take(LENGTH).collect()
}

fn digest_of(bytes: &[u8]) -> String {
    digest(&Context::new(&SHA256), bytes)
}

/// A registry that forgets everything but what it was asked.
fn server() -> (SocketAddr, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let seen = Arc::clone(&shared);
            // The generator hangs up in the middle when the job is over.
            std::thread::spawn(move || serve(stream.unwrap(), &seen));
        }
    });
    (address, seen)
}

fn serve(stream: TcpStream, seen: &Mutex<Seen>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let header = |name: &str| {
            let mut values = lines.iter().filter_map(|line| line.split_once(": "));
            values.find_map(|(at, value)| at.eq_ignore_ascii_case(name).then(|| value.to_owned()))
        };
        let mut words = lines[0].split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut sent = vec![0; length];
        reader.read_exact(&mut sent).ok()?;
        let (head, content) = answer(method, path, &header, &sent, &mut seen.lock().unwrap());
        // One write, since pieces would wait for each other's acknowledgement.
        let mut all = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n",
            content.len()
        )
        .into_bytes();
        if method != "HEAD" {
            all.extend_from_slice(&content);
        }
        stream.write_all(&all).ok()?;
    }
}

fn answer(
    method: &str,
    path: &str,
    header: &dyn Fn(&str) -> Option<String>,
    sent: &[u8],
    seen: &mut Seen,
) -> (String, Vec<u8>) {
    let kind = path
        .split('/')
        .find(|part| matches!(*part, "blobs" | "manifests" | "small"));
    *seen
        .asked
        .entry(format!("{method} {}", kind.unwrap_or("else")))
        .or_default() += 1;
    let who = header("x-test").unwrap_or_default();
    *seen.asked.entry(format!("by {who}")).or_default() += 1;
    let nothing = Vec::new();
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("digest="));
    match method {
        "GET" | "HEAD" if place == "/small" => {
            if header("if-none-match").is_some() {
                return ("304 Not Modified".to_owned(), nothing);
            }
            let Some(range) = header("range") else {
                return ("200 OK".to_owned(), body());
            };
            let (first, last) = range
                .strip_prefix("bytes=")
                .unwrap()
                .split_once('-')
                .unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            (
                "206 Partial Content".to_owned(),
                body()[first..=last].to_vec(),
            )
        }
        "POST" if query.contains("mount=") => ("201 Created".to_owned(), nothing),
        "POST" => {
            let place = format!("/v2/uploads/{}", seen.count("POST blobs"));
            seen.uploads.insert(place.clone(), Vec::new());
            (
                format!("202 Accepted\r\nLocation: http://elsewhere{place}?state=1"),
                nothing,
            )
        }
        "PATCH" => {
            let upload = seen.uploads.get_mut(place).unwrap();
            if let Some(range) = header("content-range") {
                assert_eq!(
                    range,
                    format!("{}-{}", upload.len(), upload.len() + sent.len() - 1)
                );
            }
            upload.extend_from_slice(sent);
            (format!("202 Accepted\r\nLocation: {place}"), nothing)
        }
        "PUT" => {
            let mut whole = seen.uploads.remove(place).unwrap_or_default();
            whole.extend_from_slice(sent);
            let digest = digest_of(&whole);
            if named.is_some_and(|named| named != digest) {
                return ("400 Bad Request".to_owned(), nothing);
            }
            seen.blobs.insert(digest.clone(), whole);
            (
                format!("201 Created\r\nDocker-Content-Digest: {digest}"),
                nothing,
            )
        }
        _ => ("404 Not Found".to_owned(), nothing),
    }
}

fn target(path: &str) -> Target {
    Target {
        path: path.to_owned(),
        length: Some(LENGTH as u64),
        digest: Some(digest_of(&body())),
    }
}

fn read(path: &str) -> Read {
    Read {
        method: Method::Get,
        targets: vec![target(path)],
        range: None,
        conditional: false,
        copy: false,
    }
}

fn perform_on(address: SocketAddr, units: Option<u64>, task: Task) -> (Outcome, Done) {
    let mut work = Work::new("it", 3, task);
    work.units = units;
    perform_work(address, work)
}

fn perform_work(address: SocketAddr, work: Work) -> (Outcome, Done) {
    let job = Job {
        address,
        protocol: Protocol::Http1,
        headers: vec![("X-Test".to_owned(), "1".to_owned())],
        cores: Vec::new(),
        warm_up: 0.05,
        seconds: if work.units.is_some() { 30.0 } else { 0.2 },
        works: vec![work],
    };
    let mut begun = false;
    let outcome = perform(&job, || {
        begun = true;
        Ok(())
    })
    .unwrap();
    assert!(begun);
    let done = outcome.works[0].clone();
    (outcome, done)
}

fn perform_task(units: Option<u64>, task: Task) -> (Done, Arc<Mutex<Seen>>) {
    let (address, seen) = server();
    let (_, done) = perform_on(address, units, task);
    assert_eq!((done.errors, done.error.as_deref()), (0, None));
    (done, seen)
}

#[test]
fn reads_go_on_until_the_time_is_over_and_are_verified() {
    let (address, seen) = server();
    let (outcome, done) = perform_on(address, None, Task::Read(read("/small")));
    assert_eq!(done.error, None);
    assert!((0.2..2.0).contains(&outcome.seconds));
    assert!(done.units > 0 && done.units < seen.lock().unwrap().count("GET small"));
    assert!(done.bytes >= done.units.saturating_sub(3) * LENGTH as u64);
    assert!(
        done.verified >= 3,
        "each connection's first answer is hashed"
    );
    assert!(done.latency.p50 > 0.0 && done.latency.p50 <= done.latency.max);
}

#[test]
fn each_connection_sends_its_own_headers_where_a_work_has_some() {
    for (way, task) in [
        ("reads", Task::Read(read("/small"))),
        (
            "writes",
            Task::Push {
                repository: "p".to_owned(),
                size: 100,
                way: Way::PostPut,
            },
        ),
    ] {
        let (address, seen) = server();
        let mut work = Work::new("it", 3, task).ending_after(300);
        let own = |value: &str| vec![("X-Test".to_owned(), value.to_owned())];
        work.headers = vec![own("a"), own("b")];
        let (_, done) = perform_work(address, work);
        assert_eq!(done.error, None, "{way}");
        let seen = seen.lock().unwrap();
        assert!(seen.count("by a") > 0 && seen.count("by b") > 0, "{way}");
        assert_eq!(seen.count("by 1"), 0, "{way}");
    }
}

#[test]
fn as_many_units_are_done_as_were_asked_for() {
    for change in [
        |_: &mut Read| {},
        |read: &mut Read| read.range = Some(500),
        |read: &mut Read| read.conditional = true,
        |read: &mut Read| read.copy = true,
        |read: &mut Read| read.method = Method::Head,
    ] {
        let mut read = read("/small");
        change(&mut read);
        let bytes = match (read.range, read.conditional || read.method == Method::Head) {
            (Some(range), _) => range,
            (None, true) => 0,
            (None, false) => LENGTH as u64,
        };
        let (done, _) = perform_task(Some(100), Task::Read(read));
        assert_eq!((done.units, done.bytes), (100, 100 * bytes));
    }
}

#[test]
fn a_wrong_answer_is_an_error_and_no_unit() {
    let (address, _) = server();
    let (_, done) = perform_on(address, Some(5), Task::Read(read("/absent")));
    assert_eq!(done.units, 0);
    assert!(done.errors >= 5);
    let error = done.error.unwrap();
    assert!(error.contains("status 404 where 200 is right"), "{error}");
}

#[test]
fn every_connection_pulls_its_image_once() {
    let images = vec![vec![target("/small"), target("/small")]];
    let (done, seen) = perform_task(None, Task::Pull { images });
    assert_eq!((done.units, done.bytes), (3, 6 * LENGTH as u64));
    assert_eq!(seen.lock().unwrap().count("GET small"), 6);
    assert_eq!(done.finished.len(), 3);
    assert!(done.finished.is_sorted());
}

#[test]
fn blobs_are_pushed_each_way_and_are_all_different() {
    for way in [Way::PostPut, Way::PostPatchPut, Way::Chunked(400_000)] {
        let task = Task::Push {
            repository: "a".to_owned(),
            size: 1_000_000,
            way,
        };
        let (done, seen) = perform_task(Some(7), task);
        assert_eq!((done.units, done.bytes), (7, 7_000_000));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.blobs.len() as u64, done.verified);
        assert!(seen.blobs.values().all(|blob| blob.len() == 1_000_000));
    }
}

#[test]
fn images_are_whole_and_their_descriptors_true() {
    let task = Task::Image {
        repository: "a".to_owned(),
        blobs: 3,
        size: 2_000,
        shared: true,
    };
    let (done, seen) = perform_task(Some(5), task);
    assert_eq!(done.units, 5);
    let seen = seen.lock().unwrap();
    let manifests = seen.count("PUT manifests");
    assert!(manifests >= 5);
    assert_eq!(
        seen.blobs.len() as u64,
        4 * manifests,
        "nothing was pushed twice"
    );
    for blob in seen.blobs.values().filter(|blob| blob.len() != 2_000) {
        let manifest: serde_json::Value = serde_json::from_slice(blob).unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        for part in layers.iter().chain([&manifest["config"]]) {
            let digest = part["digest"].as_str().unwrap();
            assert_eq!(part["size"], seen.blobs[digest].len());
        }
    }
}

#[test]
fn mounts_go_round_the_digests() {
    let task = Task::Mount {
        from: "a".to_owned(),
        into: "b".to_owned(),
        digests: vec![digest_of(b"1"), digest_of(b"2")],
        again: false,
    };
    let (done, seen) = perform_task(Some(9), task);
    assert_eq!((done.units, done.bytes), (9, 0));
    assert!(seen.lock().unwrap().count("POST blobs") >= 9);
}

#[test]
fn a_server_that_is_not_there_ends_the_job() {
    let job = Job {
        address: "127.0.0.1:1".parse().unwrap(),
        protocol: Protocol::Http1,
        headers: Vec::new(),
        cores: Vec::new(),
        warm_up: 0.0,
        seconds: 1.0,
        works: vec![Work::new("it", 1, Task::Read(read("/small")))],
    };
    assert!(perform(&job, || Ok(())).is_err());
}
