//! An index without images, and registries that trust it: what they have, the index has never seen.

use std::path::Path;

use longshore_testkit::wire::{Answer, Ask};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::harness::{Server, Start, expect};
use super::index::{PASSWORD, basic, done, json as told};

/// The name of the registry at the index.
const SERVICE: &str = "reg.example";

/// An index and a registry, each over a directory of its own.
struct Apart {
    index: Server,
    registry: Server,
    data: TempDir,
    _images: TempDir,
}

impl Apart {
    fn new() -> Self {
        let (data, images) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let index = Start::over(data.path())
            .set("index.enabled", "true")
            .set("index.roles", "index")
            .set("index.services", &json!([SERVICE]).to_string())
            .run();
        let registry = Start::over(images.path())
            .set("auth.token.index", &format!("http://{}", index.address))
            .set("auth.token.issuer", "longshore")
            .set("auth.token.service", SERVICE)
            .run();
        let apart = Self {
            index,
            registry,
            data,
            _images: images,
        };
        apart.done(&["user", "create", "ruth", "--admin"]);
        for name in ["bob", "cat", "dan"] {
            apart.done(&["user", "create", name]);
        }
        apart
    }

    fn dir(&self) -> &Path {
        self.data.path()
    }

    /// A command to the index, with a password on its standard input.
    fn done(&self, args: &[&str]) -> String {
        done(self.dir(), args, &format!("{PASSWORD}\n"))
    }

    /// The answer to a request for a token for the registry.
    async fn asked(&self, who: &str, scope: &str) -> Value {
        let ask = Ask::new("GET", format!("/token?service={SERVICE}&scope={scope}"));
        let answer = expect(&mut self.index.client(), with(ask, &login(who)), 200).await;
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// What the token allows that is given for this.
    async fn access(&self, who: &str, scope: &str) -> Value {
        use base64::Engine as _;
        let answer = self.asked(who, scope).await;
        let claims = answer["token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims);
        let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
        claims["access"].clone()
    }

    /// Asks the registry, with a token for this scope.
    async fn at_registry(&self, who: &str, scope: &str, ask: Ask) -> Answer {
        let answer = self.asked(who, scope).await;
        let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
        self.registry
            .client()
            .ask(&with(ask, &bearer))
            .await
            .unwrap()
    }

    async fn pulls(&self, who: &str, repo: &str) -> u16 {
        let scope = format!("repository:{repo}:pull");
        let ask = Ask::new("GET", format!("/v2/{repo}/manifests/1"));
        self.at_registry(who, &scope, ask).await.status
    }

    async fn pushes(&self, who: &str, repo: &str) {
        let scope = format!("repository:{repo}:pull,push");
        let list = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [],
        });
        let ask = Ask::new("PUT", format!("/v2/{repo}/manifests/1")).sized(list.to_string());
        let answer = self.at_registry(who, &scope, ask).await;
        assert_eq!(answer.status, 201, "{answer}");
    }
}

/// The credentials of somebody; none of nobody.
fn login(who: &str) -> String {
    if who.is_empty() {
        return String::new();
    }
    basic(who, PASSWORD)
}

fn with(ask: Ask, authorization: &str) -> Ask {
    match authorization {
        "" => ask,
        text => ask.header("authorization", text),
    }
}

fn entry(repo: &str, actions: &[&str]) -> Value {
    json!([{"type": "repository", "name": repo, "actions": actions}])
}

#[tokio::test]
async fn readers_and_what_is_public_are_granted_though_the_index_never_saw_a_push() {
    let apart = Apart::new();
    let old = "repository:bob/old:pull";
    // bob/old was pushed before, or as far as the index knows never.
    for who in ["", "cat", "dan"] {
        assert_eq!(apart.access(who, old).await, json!([]), "{who}");
    }
    apart.done(&["binding", "grant", "cat", "reader", "bob"]);
    apart.done(&[
        "binding",
        "grant",
        "dan",
        "reader",
        "bob",
        "--repository",
        "base-*",
    ]);
    assert_eq!(apart.access("cat", old).await, entry("bob/old", &["pull"]));
    assert_eq!(apart.access("dan", old).await, json!([]));
    let base = apart.access("dan", "repository:bob/base-1:pull,push").await;
    assert_eq!(base, entry("bob/base-1", &["pull"]));
    assert_eq!(apart.access("", old).await, json!([]));

    apart.done(&["namespace", "set", "bob", "--visibility", "internal"]);
    assert_eq!(apart.access("dan", old).await, entry("bob/old", &["pull"]));
    assert_eq!(apart.access("", old).await, json!([]));

    apart.done(&["namespace", "set", "bob", "--visibility", "public"]);
    let all = "repository:bob/old:pull,push,delete";
    assert_eq!(apart.access("", all).await, entry("bob/old", &["pull"]));
    assert_eq!(apart.access("dan", all).await, entry("bob/old", &["pull"]));
    // `explain` says what tokens say.
    for who in ["anonymous", "cat", "dan"] {
        let words = ["explain", who, "pull", "bob/old"];
        assert_eq!(told(apart.dir(), &words, "")["allowed"], true, "{who}");
    }
    // A name in no namespace is nobody's.
    assert_eq!(apart.access("", "repository:far/off:pull").await, json!([]));
    // None of it made anything.
    let found = apart.done(&["audit", "list"]);
    assert!(!found.contains("bob/old"), "{found}");
}

#[tokio::test]
async fn images_at_a_registry_apart_are_pulled_by_whom_the_index_says() {
    let apart = Apart::new();
    apart.pushes("bob", "bob/nginx").await;
    assert_eq!(apart.pulls("cat", "bob/nginx").await, 401);
    apart.done(&["binding", "grant", "cat", "reader", "bob"]);
    assert_eq!(apart.pulls("cat", "bob/nginx").await, 200);
    assert_eq!(apart.pulls("cat", "bob/nothing").await, 404);
    assert_eq!(apart.pulls("dan", "bob/nginx").await, 401);
    apart.done(&["namespace", "set", "bob", "--visibility", "internal"]);
    assert_eq!(apart.pulls("dan", "bob/nginx").await, 200);
    assert_eq!(apart.pulls("", "bob/nginx").await, 401);
    apart.done(&["namespace", "set", "bob", "--visibility", "public"]);
    assert_eq!(apart.pulls("", "bob/nginx").await, 200);
    assert_eq!(apart.pulls("", "bob/nothing").await, 404);
}

#[tokio::test]
async fn a_token_for_a_push_makes_the_repository_at_the_index() {
    let apart = Apart::new();
    apart.done(&["namespace", "set", "bob", "--visibility", "public"]);
    apart.pushes("bob", "bob/nginx").await;
    apart.pushes("bob", "bob/nginx").await;
    // Who made it is noted, once.
    let log = apart.done(&["audit", "list", "--json"]);
    let rows = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let made: Vec<Value> = rows.filter(|row| row["object"] == "bob/nginx").collect();
    assert_eq!(made.len(), 1, "{log}");
    // It is hidden, and one right is on it alone.
    apart.done(&["repo", "set", "bob/nginx", "--visibility", "private"]);
    assert_eq!(apart.pulls("", "bob/nginx").await, 401);
    assert_eq!(apart.pulls("dan", "bob/nginx").await, 401);
    // A name in no namespace, by who may do everything: a private namespace of the system is made for it.
    apart.pushes("ruth", "far/off").await;
    assert_eq!(apart.pulls("dan", "far/off").await, 401);
    assert_eq!(apart.pulls("ruth", "far/off").await, 200);
    let places = apart.done(&["namespace", "list"]);
    assert!(places.contains("far"), "{places}");
}

#[tokio::test]
async fn a_stranger_cannot_tell_what_is_there_from_what_is_not() {
    let apart = Apart::new();
    apart.pushes("bob", "bob/there").await;
    for who in ["", "dan"] {
        for actions in ["pull", "pull,push", "delete", "pull,push,delete"] {
            let there = apart
                .asked(who, &format!("repository:bob/there:{actions}"))
                .await;
            let not = apart
                .asked(who, &format!("repository:bob/not:{actions}"))
                .await;
            let shape = |answer: &Value| {
                let token = answer["token"].as_str().unwrap();
                (
                    token.len(),
                    answer["expires_in"].clone(),
                    answer.as_object().unwrap().len(),
                )
            };
            assert_eq!(shape(&there), shape(&not), "{who} {actions}");
        }
        for repo in ["bob/there", "bob/not"] {
            assert_eq!(
                apart
                    .access(who, &format!("repository:{repo}:pull,push,delete"))
                    .await,
                json!([])
            );
        }
    }
    let (there, not) = (
        apart.pulls("dan", "bob/there").await,
        apart.pulls("dan", "bob/not").await,
    );
    assert_eq!((there, not), (401, 401));
}

/// The names in an answer that has them at `list`, each as such or as a member `name`.
fn names(answer: &Answer, list: &str) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer}");
    let json: Value = serde_json::from_slice(&answer.body).unwrap();
    let found = json[list].as_array().unwrap().iter();
    let name = |one: &Value| one.as_str().or(one["name"].as_str()).unwrap().to_owned();
    found.map(name).collect()
}

fn said(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[tokio::test]
async fn a_registry_apart_lists_everything_or_says_where_to_ask() {
    let apart = Apart::new();
    apart.pushes("bob", "bob/nginx").await;
    apart.pushes("cat", "cat/redis").await;
    let index = format!("http://{}", apart.index.address);
    let catalog = || Ask::new("GET", "/v2/_catalog");
    let search = |words: &str| Ask::new("GET", format!("/v1/search?q={words}"));
    let all = "registry:catalog:*";
    let list = apart.at_registry("ruth", all, catalog()).await;
    assert_eq!(names(&list, "repositories"), ["bob/nginx", "cat/redis"]);
    let found = apart.at_registry("ruth", all, search("redis")).await;
    assert_eq!(names(&found, "results"), ["cat/redis"]);
    for who in ["", "bob"] {
        let list = apart.at_registry(who, all, catalog()).await;
        assert!(list.status == 401 && said(&list).contains(&index), "{list}");
        for scope in [all, "registry:catalog:search", "repository:bob/nginx:pull"] {
            let found = apart.at_registry(who, scope, search("nginx")).await;
            assert!(
                found.status == 403 && said(&found).contains(&index),
                "{found}"
            );
        }
    }
    let found = apart.registry.client().ask(&search("nginx")).await.unwrap();
    assert!(
        found.status == 401 && said(&found).contains(&index),
        "{found}"
    );
    // Engines send what they have, and are told what it should be.
    let ping = with(Ask::new("GET", "/v1/_ping"), &login("bob"));
    expect(&mut apart.registry.client(), ping, 200).await;
    let found = expect(
        &mut apart.registry.client(),
        with(search("x"), &login("bob")),
        401,
    )
    .await;
    assert!(said(&found).contains("WWW-Authenticate"), "{found}");
}

#[tokio::test]
async fn an_index_without_images_lists_and_finds_the_names_that_somebody_may_see() {
    let apart = Apart::new();
    apart.pushes("bob", "bob/nginx").await;
    apart.pushes("bob", "bob/gone").await;
    apart.pushes("cat", "cat/nginx").await;
    apart.done(&["repo", "delete", "bob/gone"]);
    apart.done(&["namespace", "set", "cat", "--visibility", "internal"]);
    let ask = async |who: &str, target: &str| {
        let ask = with(Ask::new("GET", target), &login(who));
        apart.index.client().ask(&ask).await.unwrap()
    };
    for (who, seen) in [
        ("ruth", &["bob/nginx", "cat/nginx"][..]),
        ("bob", &["bob/nginx", "cat/nginx"]),
        ("cat", &["cat/nginx"]),
        ("dan", &["cat/nginx"]),
    ] {
        assert_eq!(ask(who, "/v2/").await.status, 200, "{who}");
        let list = ask(who, "/v2/_catalog").await;
        assert_eq!(names(&list, "repositories"), seen, "{who}");
        for (target, member) in [
            ("/v1/search?q=nginx", "results"),
            ("/api/v1/search?q=nginx", "items"),
            ("/api/v1/repositories", "items"),
        ] {
            let found = names(&ask(who, target).await, member);
            assert_eq!(found, seen, "{who} {target}");
        }
    }
    assert_eq!(ask("", "/v1/_ping").await.status, 200);
    assert_eq!(ask("", "/v1/search?q=nginx").await.status, 401);
    // By a token for the index itself, as clients do it.
    let bearer = super::index::token(&apart.index, &login("dan"), "registry:catalog:*").await;
    let list = with(Ask::new("GET", "/v2/_catalog"), &bearer);
    let list = apart.index.client().ask(&list).await.unwrap();
    assert_eq!(names(&list, "repositories"), ["cat/nginx"]);
    // Images are not here, and it is said where they are.
    let pull = ask("bob", "/v2/bob/nginx/manifests/1").await;
    assert!(
        pull.status == 404 && said(&pull).contains(SERVICE),
        "{pull}"
    );
}
