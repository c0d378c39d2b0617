//! What is in repositories, as far as somebody may see it.

use longshore_hub::gives::Give;
use longshore_meta::Durability;
use longshore_spec::digest::{Algorithm, Digest};

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
