//! What is found, by whom, and in what order.

use longshore_core::{Code, Finder as _, Parents, Registry as _, Rights, Seek};
use longshore_meta::{Durability, artifacts, repos};
use serde_json::json;

use super::{cx, names, open, sees};

#[tokio::test]
async fn what_was_pushed_is_found_by_name_words_and_fields_and_no_more_when_it_is_gone() {
    let place = open().await;
    let digest = place
        .image(
            "acme/web-api",
            "1.25-alpine",
            "linux/arm64",
            json!({"team": "payments", "org.opencontainers.image.description": "Serves the shop's pages 数据平台",
                   "org.opencontainers.image.base.name": "docker.io/library/debian:12"}),
        )
        .await;
    place.plain("acme/other").await;
    place.settle().await;
    for query in [
        "acme/web-api",
        "web-api",
        "web",
        "api web",
        "we",
        "shop",
        "SHOP pag",
        "alpine",
        "数据",
        "据平",
        "payments",
        "name:web",
        "tag:1.25-alpine",
        "label:team",
        "label:team=payments",
        "label:TEAM=Payments",
        "platform:linux/arm64",
        "base:debian",
        "base:debian:12",
        "base:docker.io/library/debian",
        "type:application/vnd.oci.image.config.v1+json shop",
        "kind:image shop",
    ] {
        assert_eq!(place.find(query).await, ["acme/web-api"], "{query}");
    }
    let hex = digest.to_string();
    let hex = hex.strip_prefix("sha256:").unwrap();
    for query in [
        format!("digest:sha256:{hex}"),
        format!("sha256:{}", &hex[..9]),
        format!("digest:{} platform:linux", &hex[..12]),
    ] {
        assert_eq!(place.find(&query).await, ["acme/web-api"], "{query}");
    }
    for query in [
        "platform:linux/amd64 shop",
        "label:team=pay",
        "tag:1.25",
        "name:shop",
        "據",
        "zzz",
    ] {
        assert_eq!(place.find(query).await, Vec::<String>::new(), "{query}");
    }
    assert_eq!(place.find("platform:linux").await.len(), 2);
    assert_eq!(place.find("").await, ["acme/other", "acme/web-api"]);
    let found = place.find_as(Rights::Everything, "shop").await;
    assert_eq!(found[0].description, "Serves the shop's pages 数据平台");

    let repo = "acme/web-api".parse().unwrap();
    place
        .store
        .delete_manifest(&cx(Rights::Everything), &repo, &digest, Parents::MayRemain)
        .await
        .unwrap();
    place.settle().await;
    for query in ["web", "shop", "label:team", "web-apo"] {
        assert_eq!(place.find(query).await, Vec::<String>::new(), "{query}");
    }
    let known = place
        .db
        .read(&digest, |tx, digest| {
            Box::pin(artifacts::artifact_get(tx, digest))
        })
        .await
        .unwrap();
    assert_eq!(known, None);
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_see_nor_learns_that_it_is_there() {
    let place = open().await;
    for repo in ["acme/secret", "acme/open", "library/open", "open"] {
        place.plain(repo).await;
    }
    place.settle().await;
    let few = || sees(&["acme/open", "not/there"]);
    for query in [
        "",
        "acme",
        "open",
        "secret",
        "platform:linux",
        "opne",
        "kind:image",
    ] {
        let found = names(place.find_as(few(), query).await);
        let expected: &[&str] = if query == "secret" {
            &[]
        } else {
            &["acme/open"]
        };
        assert_eq!(found, expected, "{query}");
    }
    assert!(place.find_as(Rights::Nothing, "open").await.is_empty());
    // So many that they cannot be named in the question.
    let many: Vec<String> = (0..200).map(|at| format!("some/repo{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(["open"]).collect();
    assert_eq!(names(place.find_as(sees(&many), "open").await), ["open"]);
}

#[tokio::test]
async fn a_letter_wrong_is_forgiven_where_nothing_else_is_found() {
    let place = open().await;
    for repo in ["acme/nginx", "acme/postgres", "acme/redis"] {
        place.plain(repo).await;
    }
    place.settle().await;
    for (asked, found) in [
        ("ngnix", "acme/nginx"),
        ("postgress", "acme/postgres"),
        ("rediss", "acme/redis"),
        ("acme posgres", "acme/postgres"),
    ] {
        assert_eq!(place.find(asked).await, [found], "{asked}");
    }
    assert_eq!(place.find("nginz acme/redis").await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let place = open().await;
    for at in 0..25 {
        place.plain(&format!("acme/web{at:02}")).await;
    }
    place.settle().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let seek = Seek { after, limit: 10 };
        let page = place
            .search
            .find(&cx(Rights::Everything), "web", &seek)
            .await
            .unwrap();
        seen.extend(names(page.items));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let all: Vec<_> = (0..25).map(|at| format!("acme/web{at:02}")).collect();
    assert_eq!(seen, all);
    let seek = Seek {
        after: Some("nonsense".to_owned()),
        limit: 10,
    };
    let refused = place
        .search
        .find(&cx(Rights::Everything), "web", &seek)
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::QueryInvalid);
}

#[tokio::test]
async fn what_is_renamed_is_found_by_its_new_name_and_what_is_removed_by_none() {
    let place = open().await;
    let team = json!({"team": "payments"});
    place.image("acme/till", "1", "linux/amd64", team).await;
    place.settle().await;
    let change = async |to: Option<&'static str>| {
        let write = place.db.write(Durability::Process, to, |tx, to| {
            Box::pin(async move {
                match to {
                    Some(to) => repos::repo_rename(tx, 1, &to.parse().unwrap(), ("alice", 1)).await,
                    None => repos::repo_remove(tx, 1, ("alice", 1)).await.map(drop),
                }
            })
        });
        write.await.unwrap();
        place.settle().await;
    };
    change(Some("acme/checkout")).await;
    assert_eq!(place.find("till").await, [""; 0]);
    for query in ["checkout", "label:team=payments"] {
        assert_eq!(place.find(query).await, ["acme/checkout"], "{query}");
    }
    change(None).await;
    // Its content is not in the trash yet.
    for query in ["checkout", "label:team=payments", "deleted"] {
        assert_eq!(place.find(query).await, [""; 0], "{query}");
    }
}
