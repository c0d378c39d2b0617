//! What is in repositories, as far as somebody may see it.

use longshore_hub::gives::Give;
use longshore_meta::Durability;
use longshore_meta::artifact_parts::{Parts, part_put};
use longshore_meta::artifacts::{Artifact, artifact_put};
use longshore_meta::manifests::{ManifestRow, manifest_put};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::manifest::{Limits, View};

use super::house::House;

/// Tags of `acme/app`, each pointing to content of its own.
async fn tagged(house: &House, names: &'static [&'static str]) {
    let repo = house.repo("acme/app").await;
    house
        .db
        .write(Durability::Process, (repo, names), |tx, (repo, names)| {
            Box::pin(async move {
                for name in *names {
                    let tag = name.parse().map_err(longshore_core::Error::internal)?;
                    let digest = Digest::of(Algorithm::Sha256, name.as_bytes());
                    longshore_meta::tags::tag_put(tx, *repo, &tag, &digest, "x", 1).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn whoever_is_limited_to_some_tags_sees_those_and_no_others() {
    let house = House::new().await;
    tagged(&house, &["a", "b", "v1", "v2", "v3", "w"]).await;
    let give = Give {
        subject: "user:nobody".to_owned(),
        role: "reader".to_owned(),
        tags: Some("v*".to_owned()),
        ..Give::default()
    };
    house.give("acme", give).await;
    let path = "/repositories/acme/app/-/tags";
    assert_eq!(house.get("nobody", path).await.names(), ["v1", "v2", "v3"]);
    let first = house.get("nobody", &format!("{path}?limit=2")).await;
    assert_eq!(first.names(), ["v1", "v2"]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = house
        .get("nobody", &format!("{path}?limit=2&cursor={next}"))
        .await;
    assert_eq!(second.names(), ["v3"]);
    assert_eq!(house.get("reader", path).await.names().len(), 6);
    let shown = house.get("nobody", "/repositories/acme/app").await.json();
    assert!(
        shown["tags"].is_null(),
        "how many there are is not theirs to know"
    );
    assert!(!house.get("reader", "/repositories/acme/app").await.json()["tags"].is_null());
}

#[tokio::test]
async fn what_is_not_in_a_repository_is_not_found_in_it() {
    let house = House::new().await;
    let digest = Digest::of(Algorithm::Sha256, b"nothing");
    for rest in ["", "/referrers"] {
        let path = format!("/repositories/acme/app/-/artifacts/{digest}{rest}");
        assert_eq!(house.get("reader", &path).await.status, 404);
        assert_eq!(house.get("nobody", &path).await.status, 404);
    }
    assert_eq!(
        house
            .get("reader", "/repositories/acme/app/-/artifacts/x")
            .await
            .status,
        400
    );
    let empty = house
        .get("reader", "/repositories/acme/app/-/artifacts")
        .await
        .json();
    assert_eq!(empty["items"].as_array().unwrap().len(), 0);
    let pulls = house
        .get("reader", "/repositories/acme/app/-/pulls")
        .await
        .json();
    assert_eq!(pulls["items"].as_array().unwrap().len(), 0);
}

/// An image in `acme/app` whose config and layers are known, and a signature of it; their digests.
async fn image(house: &House) -> (Digest, Digest) {
    let repo = house.repo("acme/app").await;
    let config = r#"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:CONFIG","size":2}"#;
    let config = config.replace("CONFIG", &"c".repeat(64));
    let image = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[]}}"#
    );
    let subject = Digest::of(Algorithm::Sha256, image.as_bytes());
    let signature = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[],
        "subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":{}}}}}"#,
        image.len()
    );
    let about = Digest::of(Algorithm::Sha256, signature.as_bytes());
    let rows = [image, signature].map(|text| {
        let bytes = text.into_bytes();
        let view = View::parse(&bytes, None, &Limits::default()).unwrap();
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        (
            ManifestRow::of(&view, digest, bytes.len() as u64).unwrap(),
            bytes,
        )
    });
    let known = Artifact {
        kind: "image".to_owned(),
        config: None,
        created: None,
        author: String::new(),
        platforms: "linux/amd64".to_owned(),
        layers: 1,
        size: 7,
        total: 9,
        base: String::new(),
        about: "{}".to_owned(),
        flaw: String::new(),
    };
    let parts = Parts {
        unpacked: Some(70),
        run: r#"{"user":"app","env":["TOKEN=oops"]}"#.to_owned(),
        layers: r#"[{"digest":"sha256:1","size":7,"media_type":"tar","step":0}]"#.to_owned(),
    };
    let args = (repo, rows, known, parts);
    let put = house.db.write(
        Durability::Process,
        args,
        |tx, (repo, rows, known, parts)| {
            Box::pin(async move {
                for (row, bytes) in rows {
                    manifest_put(tx, *repo, row, bytes, "user:ada", 1).await?;
                    artifact_put(tx, &row.digest, known).await?;
                }
                part_put(tx, &rows[0].0.digest, parts).await
            })
        },
    );
    put.await.unwrap();
    (subject, about)
}

#[tokio::test]
async fn an_artifact_shows_what_it_is_made_of_and_how_it_is_run_to_those_who_may_pull_it() {
    let house = House::new().await;
    let (subject, about) = image(&house).await;
    let path = format!("/repositories/acme/app/-/artifacts/{subject}");
    for (who, env) in [("reader", "TOKEN=oops"), ("guest", ""), ("auditor", "")] {
        let shown = house.get(who, &path).await.json();
        assert_eq!(shown["known"]["unpacked_size"], 70, "{who}");
        assert_eq!(shown["known"]["total_size"], 9, "{who}");
        assert_eq!(shown["layers"][0]["digest"], "sha256:1", "{who}");
        assert_eq!(shown["layers"][0]["step"], 0, "{who}");
        assert!(shown["subject"].is_null());
        match env {
            "" => assert!(shown["run"].is_null(), "{who}"),
            env => assert_eq!(shown["run"]["env"][0], env, "{who}"),
        }
    }
    // Nobody has looked at what this one is made of.
    let other = format!("/repositories/acme/app/-/artifacts/{about}");
    let shown = house.get("reader", &other).await.json();
    assert_eq!(shown["subject"], subject.to_string());
    assert!(shown["run"].is_null() && shown["known"]["unpacked_size"].is_null());
    assert_eq!(shown["layers"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_about_other_artifacts_can_be_left_out_of_the_list_or_listed_alone() {
    let house = House::new().await;
    let (subject, about) = image(&house).await;
    let path = "/repositories/acme/app/-/artifacts";
    let listed = async |query: &str| {
        let said = house.get("guest", &format!("{path}{query}")).await.json();
        let items = said["items"].as_array().unwrap().clone();
        let digest = |item: &serde_json::Value| item["digest"].as_str().unwrap().to_owned();
        let mut found: Vec<_> = items.iter().map(digest).collect();
        found.sort();
        found
    };
    let mut both = vec![subject.to_string(), about.to_string()];
    both.sort();
    assert_eq!(listed("").await, both);
    assert_eq!(listed("?about=nothing").await, [subject.to_string()]);
    assert_eq!(listed("?about=another").await, [about.to_string()]);
    let bad = house.get("guest", &format!("{path}?about=me")).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn a_search_finds_what_may_be_seen() {
    let house = House::new().await;
    for (who, found) in [
        ("", 0),
        ("nobody", 0),
        ("guest", 1),
        ("auditor", 1),
        ("reader", 1),
    ] {
        let said = house.get(who, "/search?q=acme/app").await;
        assert_eq!(said.names().len(), found, "{who}");
    }
}
