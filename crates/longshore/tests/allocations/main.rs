//! How often the hot paths ask for memory, counted. A request that allocates once more than it did is found here and not in a profile.
//!
//! The server runs in this process as `longshore serve` assembles it: tokens are checked, lines are written, metrics are counted. The client
//! allocates nothing between two looks at the counter, so what is counted is the server's, on all its threads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod client;
mod counting;
mod served;

use client::Client;
use served::Served;

/// Requests between two looks at the counter, and how often that is done.
const ROUNDS: u64 = 300;
const BLOCKS: u64 = 8;

/// What a hot path may take: its name, its request line, what else it sends, the status, and allocations a request at most.
struct Path {
    name: &'static str,
    ask: String,
    more: String,
    status: u16,
    most: u64,
}

#[test]
fn a_request_on_a_hot_path_allocates_no_more_than_it_did() {
    let served = Served::start();
    let (tag, manifest) = ("/v2/acme/app/manifests/1.0", &served.manifest);
    let path = |name, ask: String, more: &str, status, most| Path {
        name,
        ask,
        more: more.to_owned(),
        status,
        most,
    };
    let by_digest = format!("/v2/acme/app/manifests/{manifest}");
    let small = format!("/v2/acme/app/blobs/{}", served.small);
    let big = format!("/v2/acme/app/blobs/{}", served.big);
    let held = format!("If-None-Match: \"{manifest}\"\r\n");
    let get = |target: &str| format!("GET {target}");
    let head = |target: &str| format!("HEAD {target}");
    let mount = format!(
        "POST /v2/acme/app/blobs/uploads/?mount={}&from=acme/app",
        served.small
    );
    let nothing = "Content-Length: 0\r\n";
    let range = "Range: bytes=65536-131071\r\n";
    let paths = [
        path("manifest by tag", get(tag), "", 200, 16),
        path("manifest by digest", get(&by_digest), "", 200, 15),
        path("manifest held already", get(tag), &held, 304, 15),
        path("HEAD manifest", head(tag), "", 200, 16),
        path("blob of 10 KiB", get(&small), "", 200, 18),
        path("HEAD blob", head(&small), "", 200, 15),
        path("blob of 1 MiB", get(&big), "", 200, 23),
        path("64 KiB of a blob", get(&big), range, 206, 22),
        path("mount of what is there", mount, nothing, 201, 21),
    ];
    let mut client = Client::connect(served.address);
    let mut over = Vec::new();
    for Path {
        name,
        ask,
        more,
        status,
        most,
    } in paths
    {
        let request = format!(
            "{ask} HTTP/1.1\r\nHost: registry.example\r\nAuthorization: {}\r\nUser-Agent: counting/1\r\n{more}\r\n",
            served.authorization
        );
        for _ in 0..ROUNDS {
            client.ask(request.as_bytes(), status);
        }
        // What the server does now and then (timers, caches, the writer of lines) falls into some of the blocks and not into all.
        let each = (0..BLOCKS)
            .map(|_| {
                let before = counting::so_far();
                for _ in 0..ROUNDS {
                    client.ask(request.as_bytes(), status);
                }
                (counting::so_far() - before) / ROUNDS
            })
            .min()
            .unwrap();
        println!("allocations {name}: {each} (at most {most})");
        if each > most {
            over.push(format!(
                "{name}: {each} allocations a request, at most {most} are allowed"
            ));
        }
    }
    assert!(over.is_empty(), "{}", over.join("\n"));
}
