//! Killed at any moment, the server has what it acknowledged: blobs, manifests, tags, offsets of uploads.
//!
//! Power cuts are another matter (they need a disk that forgets) and come with the durability issue; what a kill shows is
//! the order of writes and the recovery.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::content::{Draw, Dress, Maker, Piece};
use longshore_testkit::wire::{Ask, Wire};

use super::harness::{Server, Start};

/// How often the server is killed; more by `LONGSHORE_CRASHES`.
const KILLS: u64 = 25;
/// How many clients push at a time.
const CLIENTS: u64 = 4;

/// What the server has acknowledged.
#[derive(Default)]
struct Promised {
    blobs: BTreeMap<(String, Digest), Bytes>,
    manifests: BTreeMap<(String, Digest), Bytes>,
    tags: BTreeMap<(String, String), Tag>,
    /// Sessions, the bytes they will have in the end, and the acknowledged offset.
    uploads: BTreeMap<String, (Bytes, usize)>,
}

/// Where a tag may point: to what was acknowledged last, or to anything sent since.
#[derive(Clone, Default)]
struct Tag {
    acknowledged: Option<Digest>,
    sent: Vec<Digest>,
}

type Shared = Arc<Mutex<Promised>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_any_kill() {
    let data = tempfile::tempdir().unwrap();
    let kills = std::env::var("LONGSHORE_CRASHES").map_or(KILLS, |kills| kills.parse().unwrap());
    let promised = Shared::default();
    let mut draw = Draw::new(kills);
    for round in 0..kills {
        let server = Start::over(data.path()).run();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                tokio::spawn(push_until_gone(
                    server.client(),
                    round * CLIENTS + client,
                    promised.clone(),
                ))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20 + draw.number() % 300)).await;
        server.kill();
        for client in clients {
            client.await.unwrap();
        }
        // As it was left, before a start puts anything in order: there may be waste, and nothing else.
        let found = super::fsck::fsck(data.path(), &["--json", "--grace", "0"]);
        assert_eq!(found.status.code(), Some(0), "{found:?}");
        check(&Start::over(data.path()).run(), &promised).await;
    }
    let promised = promised.lock().unwrap();
    assert!(
        promised.manifests.len() as u64 > kills,
        "too little happened to prove anything: {}",
        promised.manifests.len()
    );
}

/// Pushes images and parts of uploads until the server does not answer any more.
async fn push_until_gone(mut client: Wire, seed: u64, promised: Shared) {
    let mut maker = Maker::new(seed + 1);
    let repo = format!("crash/r{}", seed % CLIENTS);
    while push_image(&mut client, &repo, &mut maker, &promised)
        .await
        .is_some()
        && push_part(&mut client, &repo, &mut maker, &promised)
            .await
            .is_some()
    {}
}

async fn push_image(
    client: &mut Wire,
    repo: &str,
    maker: &mut Maker,
    promised: &Shared,
) -> Option<()> {
    let large = 1 << (10 + maker.draw.below(11));
    let layers = [maker.blob(large), maker.blob(100)];
    let config = maker.config("amd64");
    for piece in layers.iter().chain([&config]) {
        push_blob(client, repo, piece).await?;
        promised
            .lock()
            .unwrap()
            .blobs
            .insert((repo.to_owned(), piece.digest), piece.bytes.clone());
    }
    let image = maker.image(&config, &layers, &Dress::default());
    let tag = format!("t{}", maker.draw.below(3));
    let key = (repo.to_owned(), tag.clone());
    promised
        .lock()
        .unwrap()
        .tags
        .entry(key.clone())
        .or_default()
        .sent
        .push(image.digest);
    let put = Ask::new("PUT", format!("/v2/{repo}/manifests/{tag}"))
        .header("content-type", image.media_type.as_str())
        .sized(image.bytes.clone());
    let answer = client.ask(&put).await.ok()?;
    assert_eq!(answer.status, 201, "\n{put}{answer}");
    let mut promised = promised.lock().unwrap();
    promised
        .manifests
        .insert((repo.to_owned(), image.digest), image.bytes);
    promised.tags.insert(
        key,
        Tag {
            acknowledged: Some(image.digest),
            sent: Vec::new(),
        },
    );
    Some(())
}

async fn push_blob(client: &mut Wire, repo: &str, piece: &Piece) -> Option<()> {
    let session = start(client, repo).await?;
    let put =
        Ask::new("PUT", format!("{session}?digest={}", piece.digest)).sized(piece.bytes.clone());
    let answer = client.ask(&put).await.ok()?;
    assert_eq!(answer.status, 201, "\n{put}{answer}");
    Some(())
}

/// Leaves an upload half done.
async fn push_part(
    client: &mut Wire,
    repo: &str,
    maker: &mut Maker,
    promised: &Shared,
) -> Option<()> {
    let blob = maker.blob(50_000);
    let session = start(client, repo).await?;
    let patch = Ask::new("PATCH", session.clone()).sized(blob.bytes.slice(..20_000));
    let answer = client.ask(&patch).await.ok()?;
    assert_eq!(answer.status, 202, "\n{patch}{answer}");
    promised
        .lock()
        .unwrap()
        .uploads
        .insert(session, (blob.bytes, 20_000));
    Some(())
}

async fn start(client: &mut Wire, repo: &str) -> Option<String> {
    let answer = client
        .ask(&Ask::new("POST", format!("/v2/{repo}/blobs/uploads/")))
        .await
        .ok()?;
    assert_eq!(answer.status, 202, "{answer}");
    answer.location().map(str::to_owned)
}

async fn check(server: &Server, promised: &Shared) {
    let mut client = server.client();
    let get = async |client: &mut Wire, target: String| {
        client.ask(&Ask::new("GET", target)).await.unwrap()
    };
    let (blobs, manifests, tags, uploads) = {
        let mut promised = promised.lock().unwrap();
        let blobs = std::mem::take(&mut promised.blobs);
        let uploads = std::mem::take(&mut promised.uploads);
        (
            blobs,
            promised.manifests.clone(),
            promised.tags.clone(),
            uploads,
        )
    };
    for ((repo, digest), bytes) in blobs {
        let answer = get(&mut client, format!("/v2/{repo}/blobs/{digest}")).await;
        assert_eq!(
            (answer.status, answer.body == bytes),
            (200, true),
            "the blob {digest} of {repo}: {answer}"
        );
    }
    for ((repo, digest), bytes) in manifests {
        let answer = get(&mut client, format!("/v2/{repo}/manifests/{digest}")).await;
        assert_eq!(
            (answer.status, answer.body == bytes),
            (200, true),
            "the manifest {digest} of {repo}: {answer}"
        );
    }
    for ((repo, tag), may) in tags {
        let answer = get(&mut client, format!("/v2/{repo}/manifests/{tag}")).await;
        let points = answer
            .header("docker-content-digest")
            .map(|digest| digest.parse::<Digest>().unwrap());
        assert!(
            points == may.acknowledged || points.is_some_and(|digest| may.sent.contains(&digest)),
            "{repo}:{tag} points to {points:?}; acknowledged was {:?}, sent since {:?}",
            may.acknowledged,
            may.sent
        );
        if let Some(digest) = points {
            assert_eq!(Digest::of(Algorithm::Sha256, &answer.body), digest);
        }
        // Where it points now is where it must point from now on.
        let settled = Tag {
            acknowledged: points,
            sent: Vec::new(),
        };
        promised.lock().unwrap().tags.insert((repo, tag), settled);
    }
    for (session, (bytes, acknowledged)) in uploads {
        let answer = get(&mut client, session.clone()).await;
        assert_eq!(answer.status, 204, "{answer}");
        let range = answer.header("range").unwrap();
        assert_eq!(
            range,
            format!("0-{}", acknowledged - 1),
            "an acknowledged offset was lost"
        );
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        let put = Ask::new("PUT", format!("{session}?digest={digest}"))
            .sized(bytes.slice(acknowledged..));
        let answer = client.ask(&put).await.unwrap();
        assert_eq!(answer.status, 201, "\n{put}{answer}");
    }
}
