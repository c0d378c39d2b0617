//! What whoever may see a part only can learn of the rest.

use longshore_auth::rights::role;
use longshore_meta::bindings::{Binding, binding_put};
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::PrincipalId;
use longshore_meta::repos::repo_open;

use super::index::{PASSWORD, Village, access, basic};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

async fn open(village: &Village, name: &'static str) -> i64 {
    village
        .write(name, |tx, name| {
            Box::pin(async move {
                let name = name.parse().map_err(longshore_core::Error::internal)?;
                repo_open(tx, &name, 1).await
            })
        })
        .await
}

/// The names in a list of tags, and where it goes on.
async fn tags(village: &Village, target: &str, who: &str) -> (Vec<String>, String) {
    let said = village.ask("GET", target, who).await;
    assert_eq!(said.status, 200, "{:?}", said.body);
    let json = said.json();
    let names = json["tags"].as_array().unwrap().iter();
    let names = names.map(|it| it.as_str().unwrap().to_owned()).collect();
    (names, said.header("link").to_owned())
}

#[tokio::test]
async fn whoever_is_limited_to_some_tags_is_shown_the_names_of_those_alone() {
    let village = Village::new().await;
    open(&village, "acme/app").await;
    let alice = basic("alice", PASSWORD);
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]}}"#);
    for tag in ["a", "b", "v1", "v2", "v3", "w"] {
        let target = format!("/v2/acme/app/manifests/{tag}");
        let headers = [("authorization", alice.as_str()), ("content-type", INDEX)];
        let said = village.send("PUT", &target, &headers, index.clone()).await;
        assert_eq!(said.status, 201, "{:?}", said.body);
    }
    let carol = village.id("carol");
    village
        .bind(carol, role::READER_ID, "acme", Some("v*"))
        .await;
    let carol = basic("carol", PASSWORD);
    let token = village.token(&carol, "repository:acme/app:pull").await;
    let list = "/v2/acme/app/tags/list";
    for who in [carol, format!("Bearer {token}")] {
        assert_eq!(
            tags(&village, list, &who).await,
            (vec!["v1".into(), "v2".into(), "v3".into()], String::new())
        );
        let (first, link) = tags(&village, &format!("{list}?n=2"), &who).await;
        assert_eq!(first, ["v1", "v2"]);
        assert!(link.contains("last=v2"), "{link}");
        let (second, _) = tags(&village, &format!("{list}?n=2&last=v2"), &who).await;
        assert_eq!(second, ["v3"]);
        // Where a page ends is said by a name that is shown, whatever lies between.
        for n in 1..4 {
            let (mut shown, mut target) = (Vec::new(), format!("{list}?n={n}"));
            loop {
                let (names, link) = tags(&village, &target, &who).await;
                shown.extend(names);
                let Some((_, last)) = link.split_once("last=") else {
                    break;
                };
                let last = last.split(['&', '>']).next().unwrap();
                assert_eq!(Some(last), shown.last().map(String::as_str), "{link}");
                target = format!("{list}?n={n}&last={last}");
            }
            assert_eq!(shown, ["v1", "v2", "v3"]);
        }
    }
    assert_eq!(tags(&village, list, &alice).await.0.len(), 6);
}

#[tokio::test]
async fn what_is_denied_cannot_be_told_from_what_is_not_there() {
    let village = Village::new().await;
    let secret = open(&village, "acme/secret").await;
    let carol = village.id("carol");
    village.bind(carol, role::READER_ID, "acme", None).await;
    village
        .write((carol, secret), |tx, (who, repo)| {
            Box::pin(async move {
                let acme = namespace_at(tx, "acme").await?.map(|it| it.id);
                let acme = acme.ok_or_else(|| longshore_core::Error::internal("no acme"))?;
                let plain = Binding::plain(*who, role::READER_ID, acme, (PrincipalId(0), 1));
                let denial = Binding {
                    deny: true,
                    repo: Some(*repo),
                    ..plain
                };
                binding_put(tx, &denial).await
            })
        })
        .await;
    let who = basic("carol", PASSWORD);
    let mut heard = Vec::new();
    for name in ["acme/secret", "acme/absent"] {
        let target = format!("/v2/{name}/manifests/1");
        let said = village.ask("GET", &target, &who).await;
        let text = String::from_utf8(said.body.to_vec()).unwrap();
        let text = text.replace(name, "NAME");
        let text = text.split("\"detail\"").next().unwrap().to_owned();
        let token = village
            .token(&who, &format!("repository:{name}:pull"))
            .await;
        heard.push((said.status, text, access(&token)));
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0].0, 403);
}

#[tokio::test]
async fn a_part_of_the_catalog_goes_on_after_a_name_that_was_shown() {
    let village = Village::new().await;
    let alice = basic("alice", PASSWORD);
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]}}"#);
    let names = ["acme/app", "acme/hidden", "acme/secret", "acme/web"];
    for name in names {
        let target = format!("/v2/{name}/manifests/1");
        let headers = [("authorization", alice.as_str()), ("content-type", INDEX)];
        let said = village.send("PUT", &target, &headers, index.clone()).await;
        assert_eq!(said.status, 201, "{:?}", said.body);
    }
    let carol = village.id("carol");
    village
        .write(carol, |tx, who| {
            Box::pin(async move {
                let acme = namespace_at(tx, "acme").await?.map(|it| it.id);
                let acme = acme.ok_or_else(|| longshore_core::Error::internal("no acme"))?;
                let plain = Binding::plain(*who, role::READER_ID, acme, (PrincipalId(0), 1));
                let some = Binding {
                    repos: Some("app web".to_owned()),
                    ..plain
                };
                binding_put(tx, &some).await
            })
        })
        .await;
    let carol = basic("carol", PASSWORD);
    for (who, expected) in [(&alice, names.to_vec()), (&carol, vec![names[0], names[3]])] {
        let (mut shown, mut target) = (Vec::new(), "/v2/_catalog?n=1".to_owned());
        loop {
            let said = village.ask("GET", &target, who).await;
            let json = said.json();
            let names = json["repositories"].as_array().unwrap().iter();
            shown.extend(names.map(|it| it.as_str().unwrap().to_owned()));
            let Some((_, last)) = said.header("link").split_once("last=") else {
                break;
            };
            let last = last.split(['&', '>']).next().unwrap();
            let last = last.replace("%2F", "/");
            assert_eq!(Some(&last), shown.last());
            target = format!("/v2/_catalog?n=1&last={last}");
        }
        assert_eq!(shown, expected);
    }
}
