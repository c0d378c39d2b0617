//! A Distribution tree, taken over by the real binary: at a start, by command, killed in the middle.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use longshore_testkit::content::{Draw, Maker};
use longshore_testkit::old_tree::{Image, OldTree, write};
use longshore_testkit::wire::{Ask, Wire};

use super::harness::{Start, binary, expect, file, said};
use super::index::{PASSWORD, basic, done, fails, index, json, status};

fn takeover(data: &Path, args: &[&str]) -> Output {
    let mut command = binary();
    command.arg("takeover").arg(data).args(args);
    command.env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn pulls(client: &mut Wire, repo: &str, tag: &str, image: &Image) {
    let (by_tag, by_digest) = (tag.to_owned(), image.manifest.digest.to_string());
    for at in [by_tag, by_digest] {
        let got = Ask::new("GET", format!("/v2/{repo}/manifests/{at}"));
        let got = expect(client, got, 200).await;
        assert_eq!(got.body, image.manifest.bytes);
    }
    for piece in [&image.config, &image.layer] {
        let got = Ask::new("GET", format!("/v2/{repo}/blobs/{}", piece.digest));
        let got = expect(client, got, 200).await;
        assert_eq!(got.body, piece.bytes);
    }
}

#[tokio::test]
async fn a_start_with_the_old_registrys_configuration_takes_its_images_over() {
    let dir = tempfile::tempdir().unwrap();
    let tree = OldTree::new(dir.path());
    let mut maker = Maker::new(1);
    let image = tree.push("acme/app", &mut maker, "1.0");
    tree.push("acme/other", &mut maker, "1.0");
    write(&tree.tag("acme/other", "broken"), b"");
    let elsewhere = tempfile::tempdir().unwrap();
    let yaml = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:0\n",
        dir.path().display()
    );
    let config = file(elsewhere.path(), "config.yml", &yaml);
    let server = Start::with(&config).run();
    said(&server, "is taken over; some of it could not be").await;
    let mut client = server.client();
    pulls(&mut client, "acme/app", "1.0", &image).await;
    let list = expect(&mut client, Ask::new("GET", "/v2/_catalog"), 200).await;
    assert_eq!(
        text(&list.body).trim(),
        r#"{"repositories":["acme/app","acme/other"]}"#
    );
    let report = fs::read_to_string(dir.path().join("takeover-report.txt")).unwrap();
    assert!(
        report.contains("loss  broken-tag         acme/other  tag broken:"),
        "{report}"
    );
    assert_eq!(server.stop(), Some(0));

    let server = Start::with(&config).run();
    pulls(&mut server.client(), "acme/app", "1.0", &image).await;
    assert!(!server.log().contains("taken over"), "{}", server.log());
    assert_eq!(server.stop(), Some(0));
    let out = takeover(dir.path(), &["--json"]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["repositories"], 2);
    assert_eq!(json["findings"][0]["kind"], "broken-tag");
}

#[test]
fn a_dry_run_writes_nothing_and_tells_everything() {
    let dir = tempfile::tempdir().unwrap();
    let tree = OldTree::new(dir.path());
    let image = tree.push("acme/app", &mut Maker::new(1), "1.0");
    let out = takeover(dir.path(), &["--dry-run"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let said = text(&out.stdout);
    assert!(
        said.contains("would be taken over: 1 repositories, 1 manifests, 1 tags, 2 blobs"),
        "{said}"
    );
    assert!(said.contains("nothing is broken"), "{said}");
    let mut bytes = image.layer.bytes.to_vec();
    bytes[0] ^= 1;
    fs::write(tree.blob(&image.layer.digest), bytes).unwrap();
    assert_eq!(takeover(dir.path(), &["--dry-run"]).status.code(), Some(0));
    let out = takeover(dir.path(), &["--dry-run", "--verify", "--json"]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["dry_run"], true);
    assert_eq!(json["findings"][0]["kind"], "damaged-blob");
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["docker"]);
}

#[test]
fn a_directory_without_a_tree_is_left_alone_and_one_inside_of_a_tree_names_its_top() {
    let dir = tempfile::tempdir().unwrap();
    let out = takeover(dir.path(), &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("rootdirectory"), "{out:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    OldTree::new(dir.path()).push("a", &mut Maker::new(1), "1.0");
    let out = takeover(&dir.path().join("docker/registry"), &[]);
    let top = fs::canonicalize(dir.path()).unwrap();
    assert!(
        text(&out.stderr).contains(&format!("did you mean {}?", top.display())),
        "{out:?}"
    );
}

#[tokio::test]
async fn a_tree_beside_our_own_images_is_not_served_as_if_it_were_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = Start::over(dir.path()).run();
    let start = Ask::new("POST", "/v2/mine/blobs/uploads/");
    expect(&mut server.client(), start, 202).await;
    assert_eq!(server.stop(), Some(0));
    let image = OldTree::new(dir.path()).push("acme/app", &mut Maker::new(1), "1.0");
    let refused = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path())
        .env("LONGSHORE__METRICS__LISTEN", "127.0.0.1:0")
        .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("--merge"), "{refused:?}");
    let out = takeover(dir.path(), &["--merge"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert!(
        text(&out.stdout).contains("Next: longshore serve"),
        "{out:?}"
    );
    let server = Start::over(dir.path()).run();
    pulls(&mut server.client(), "acme/app", "1.0", &image).await;
}

#[tokio::test]
async fn killed_at_any_moment_it_goes_on_and_ends_in_the_same_state() {
    let dir = tempfile::tempdir().unwrap();
    let tree = OldTree::new(dir.path());
    let (mut maker, mut draw) = (Maker::new(1), Draw::new(1));
    let mut images = Vec::new();
    for at in 0..120 {
        let repo = format!("team{}/app{at}", at % 7);
        for tag in ["1.0", "2.0"] {
            images.push((repo.clone(), tag, tree.push(&repo, &mut maker, tag)));
        }
        write(&tree.tag(&repo, "broken"), b"");
    }
    let mut kills = 0;
    loop {
        let mut child = binary()
            .arg("takeover")
            .arg(dir.path())
            .arg("--json")
            .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Longer from time to time, so that it comes to an end on a slow machine too.
        tokio::time::sleep(Duration::from_millis(
            20 + draw.below(30 * (kills + 1)) as u64,
        ))
        .await;
        if child.try_wait().unwrap().is_none() && kills < 40 {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            continue;
        }
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(3), "{out:?}");
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(json["repositories"], 120);
        assert_eq!(json["manifests"], 240);
        assert_eq!(json["tags"], 240);
        assert_eq!(json["blobs"], 480);
        assert_eq!(json["losses"], 120);
        break;
    }
    assert!(kills > 0, "it was never killed");
    let server = Start::over(dir.path()).run();
    let mut client = server.client();
    for (repo, tag, image) in &images {
        pulls(&mut client, repo, tag, image).await;
    }
    let list = expect(
        &mut client,
        Ask::new("GET", "/v2/team0/app0/tags/list"),
        200,
    )
    .await;
    assert_eq!(
        text(&list.body).trim(),
        r#"{"name":"team0/app0","tags":["1.0","2.0"]}"#
    );
}

#[tokio::test]
async fn a_tree_beside_an_index_is_nobodys_until_an_administrator_gives_it_to_somebody() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let tree = OldTree::new(data);
    let mut maker = Maker::new(1);
    let image = tree.push("acme/web/app", &mut maker, "1.0");
    for name in ["solo", "bob/tool", "token/app", "deleted/app"] {
        tree.push(name, &mut maker, "1.0");
    }
    let server = index(data);
    said(&server, "the Distribution tree is taken over").await;
    for name in ["token", "deleted"] {
        said(&server, &format!("below `{name}/` lie in no namespace")).await;
    }
    let line = format!("{PASSWORD}\n");
    done(data, &["user", "create", "ada", "--admin"], &line);
    for name in ["carol", "dave"] {
        done(data, &["user", "create", name], &line);
    }
    let (ada, carol, dave) = (
        basic("ada", PASSWORD),
        basic("carol", PASSWORD),
        basic("dave", PASSWORD),
    );
    let manifest = |name: &str| Ask::new("GET", format!("/v2/{name}/manifests/1.0"));
    for name in [
        "acme/web/app",
        "solo",
        "library/solo",
        "bob/tool",
        "token/app",
    ] {
        for (who, expected) in [(ada.as_str(), 200), (&carol, 403), ("", 401)] {
            assert_eq!(
                status(&server, manifest(name), who).await,
                expected,
                "{name} {who}"
            );
        }
    }
    let listed = json(data, &["namespace", "list"], "");
    let seen = |path: &str| {
        let all = listed.as_array().unwrap();
        let found = all.iter().find(|it| it["path"] == path);
        found.map(|it| (it["visibility"].clone(), it["owner"].clone()))
    };
    for path in ["acme", "bob"] {
        let (visibility, owner) = seen(path).unwrap();
        assert_eq!(visibility, "private", "{path}");
        assert!(owner.is_null() || owner == "", "{path}: {owner}");
    }
    assert!(seen("token").is_none() && seen("deleted").is_none());
    // Nobody gets hold of it by having that name.
    fails(data, &["user", "create", "bob"], &line, "cannot be had");

    // An organisation gets the namespace of its name, and gives rights there.
    done(data, &["org", "create", "acme", "--owner", "carol"], "");
    done(data, &["team", "create", "acme/ops"], "");
    done(data, &["team", "add", "acme/ops", "dave"], "");
    assert_eq!(status(&server, manifest("acme/web/app"), &carol).await, 200);
    assert_eq!(status(&server, manifest("acme/web/app"), &dave).await, 403);
    done(
        data,
        &["binding", "grant", "acme/ops", "reader", "acme"],
        "",
    );
    let mut client = server.client();
    let asked = manifest("acme/web/app").header("authorization", dave.as_str());
    let got = expect(&mut client, asked, 200).await;
    assert_eq!(got.body, image.manifest.bytes);
    let blob = Ask::new(
        "GET",
        format!("/v2/acme/web/app/blobs/{}", image.layer.digest),
    );
    let got = expect(
        &mut client,
        blob.header("authorization", dave.as_str()),
        200,
    )
    .await;
    assert_eq!(got.body, image.layer.bytes);
    assert_eq!(status(&server, manifest("bob/tool"), &dave).await, 403);
    // A user is given a right on what has their name and is the system's.
    done(data, &["binding", "grant", "dave", "developer", "bob"], "");
    assert_eq!(status(&server, manifest("bob/tool"), &dave).await, 200);
    // What lies in no namespace is moved into one.
    done(data, &["repo", "move", "token/app", "acme/token-app"], "");
    assert_eq!(
        status(&server, manifest("acme/token-app"), &dave).await,
        200
    );
    assert_eq!(server.stop(), Some(0));
    let server = index(data);
    assert!(!server.log().contains("below `token/`"), "{}", server.log());
    assert_eq!(status(&server, manifest("acme/web/app"), &dave).await, 200);
}

#[tokio::test]
async fn what_comes_to_lie_in_somebodys_namespace_by_a_takeover_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let server = index(data);
    done(data, &["user", "create", "bob"], &format!("{PASSWORD}\n"));
    assert_eq!(server.stop(), Some(0));
    let tree = OldTree::new(data);
    tree.push("bob/tool", &mut Maker::new(1), "1.0");
    tree.push("eve/tool", &mut Maker::new(2), "1.0");
    let out = takeover(data, &["--merge"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let server = index(data);
    said(&server, "below `bob/` were taken over").await;
    let bob = basic("bob", PASSWORD);
    let manifest = |name: &str| Ask::new("GET", format!("/v2/{name}/manifests/1.0"));
    assert_eq!(status(&server, manifest("bob/tool"), &bob).await, 200);
    assert_eq!(status(&server, manifest("eve/tool"), &bob).await, 403);
    let log = done(data, &["audit", "list"], "");
    assert!(log.contains("bob") && log.contains("eve"), "{log}");
    assert_eq!(server.stop(), Some(0));
    let server = index(data);
    assert!(
        !server.log().contains("were taken over"),
        "{}",
        server.log()
    );
}
