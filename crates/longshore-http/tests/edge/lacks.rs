//! What a refused change says: which right is missing and what took it away, to whoever may know of the repository; and to others the
//! same words whether there is one or not.

use http::Method;
use longshore_auth::rights::{Action, ActionSet, role};
use longshore_hub::{Caller, Hub};
use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;
use longshore_meta::secrets::Kind as SecretKind;

use super::index::{PASSWORD, SERVICE, Said, Village, basic, with_clock};

const PULLS: &str = r#"{"actions":["repository:pull","repository:list"]}"#;

fn operator() -> Caller {
    Caller::operator(1, (with_clock().now)())
}

/// A way to come, each with what a refusal is answered.
async fn ways(village: &Village, who: &str, password: &str, repo: &str) -> [(String, u16); 2] {
    let basic = basic(who, password);
    let scope = format!("repository:{repo}:pull,push,delete");
    let token = village.token(&basic, &scope).await;
    [(basic, 403), (format!("Bearer {token}"), 401)]
}

fn words(said: &Said) -> String {
    let message = &said.json()["errors"][0]["message"];
    message.as_str().unwrap().to_owned()
}

/// Pushes to `repo` by each way, and looks that the refusal says `words`, in the body and where clients look.
async fn refused(village: &Village, (who, password): (&str, &str), repo: &str, expected: &str) {
    for (way, status) in ways(village, who, password, repo).await {
        let target = format!("/v2/{repo}/blobs/uploads/");
        let said = village.ask("POST", &target, &way).await;
        assert_eq!(said.status, status, "{expected}");
        assert!(words(&said).contains(expected), "{}", words(&said));
        if status == 401 {
            let challenge = said.header("www-authenticate");
            assert!(
                challenge.contains("error=\"insufficient_scope\""),
                "{challenge}"
            );
            let description = format!("error_description=\"{}\"", words(&said));
            assert!(challenge.contains(&description), "{challenge}");
        }
    }
}

#[tokio::test]
async fn whoever_sees_a_repository_hears_which_right_is_missing_and_what_took_it_away() {
    let village = Village::new().await;
    let hub = Hub::new(village.index.clone());
    let acme = hub.namespace_id("acme").await.unwrap();
    let carol = ("carol", PASSWORD);
    village
        .bind(village.id("carol"), role::READER_ID, "acme", None)
        .await;
    let nothing = "nothing gives the right `repository:push` there";
    refused(&village, carol, "acme/app", nothing).await;
    for (way, status) in ways(&village, "carol", PASSWORD, "acme/app").await {
        let said = village
            .ask("DELETE", "/v2/acme/app/manifests/v1", &way)
            .await;
        assert_eq!(said.status, status);
        let nothing = "nothing gives the right `repository:delete` there";
        assert!(words(&said).contains(nothing), "{}", words(&said));
    }
    // A credential of one's own that leaves less.
    let pulls = village
        .secret(SecretKind::Personal, "alice", Some(PULLS), 600)
        .await;
    let [(way, _), (token, _)] = ways(&village, "alice", &pulls, "acme/app").await;
    let push = "/v2/acme/app/blobs/uploads/";
    let said = words(&village.ask("POST", push, &way).await);
    assert!(said.contains("leaves no right `repository:push`"), "{said}");
    let said = words(&village.ask("POST", push, &token).await);
    assert!(said.contains("it was issued without `push`"), "{said}");
    // A denial.
    let plain = Binding::plain(
        Subject::LOGGED_IN,
        role::DEVELOPER_ID,
        acme,
        (PrincipalId(0), 1),
    );
    let deny = Binding {
        deny: true,
        tags: None,
        ..plain
    };
    let less = ActionSet::of(&[Action::RepositoryPush]);
    let everywhere = NamespaceId::EVERYWHERE;
    let by = operator();
    let frozen = hub.role_set(&by, everywhere, "frozen", less, "");
    let deny = Binding {
        role: frozen.await.unwrap(),
        ..deny
    };
    let deny = hub.binding_add(&operator(), deny).await.unwrap();
    let alice = ("alice", PASSWORD);
    let denied = "the right `repository:push` is denied to everybody who has logged in there, by the role `frozen`";
    refused(&village, alice, "acme/app", denied).await;
    hub.binding_remove(&operator(), acme, deny).await.unwrap();
    // What is read-only, for a repository that is there and one that alice could make.
    let name = "acme/app".parse().unwrap();
    hub.repository_set(&operator(), &name, None, Some(true))
        .await
        .unwrap();
    refused(&village, alice, "acme/app", "the repository is read-only").await;
    hub.namespace_settings(&operator(), acme, None, Some(true))
        .await
        .unwrap();
    for repo in ["acme/app", "acme/new"] {
        refused(&village, alice, repo, "the namespace `acme` is read-only").await;
    }
    hub.read_only_set(&operator(), true).await.unwrap();
    let system = "the whole system is read-only now";
    refused(&village, alice, "acme/app", system).await;
    // Whoever lacks the right anyway hears that.
    refused(&village, carol, "acme/app", nothing).await;
}

#[tokio::test]
async fn a_stranger_with_a_strangers_token_is_asked_to_log_in() {
    let village = Village::new().await;
    let target = format!("/token?service={SERVICE}&scope=repository:acme/app:pull,push");
    let token = village.send("GET", &target, &[], "").await.token();
    let way = format!("Bearer {token}");
    let said = village
        .ask("POST", "/v2/acme/app/blobs/uploads/", &way)
        .await;
    assert_eq!(said.status, 401);
    assert_eq!(words(&said), "log in to push to `acme/app`");
    let challenge = said.header("www-authenticate");
    let description = "error_description=\"log in to push to `acme/app`\"";
    assert!(challenge.contains(description), "{challenge}");
}

#[tokio::test]
async fn whoever_may_not_know_hears_the_same_whether_there_is_a_repository_or_not() {
    for read_only in [false, true] {
        let village = Village::new().await;
        let hub = Hub::new(village.index.clone());
        hub.read_only_set(&operator(), read_only).await.unwrap();
        let pulls = village
            .secret(SecretKind::Personal, "alice", Some(PULLS), 600)
            .await;
        for (who, password) in [
            ("alice", PASSWORD),
            ("alice", pulls.as_str()),
            ("carol", PASSWORD),
        ] {
            for (method, below) in [
                (Method::POST, "blobs/uploads/"),
                (Method::PUT, "manifests/v1"),
                (Method::DELETE, "manifests/v1"),
                (Method::GET, "manifests/v1"),
                (Method::GET, "tags/list"),
            ] {
                let mut heard = std::collections::BTreeSet::new();
                for repo in ["secret/app", "secret/new", "nowhere/app"] {
                    for (way, _) in ways(&village, who, password, repo).await {
                        let target = format!("/v2/{repo}/{below}");
                        let said = village.ask(method.as_str(), &target, &way).await;
                        let kind = way.split(' ').next().unwrap().to_owned();
                        let challenge = said.header("www-authenticate").replace(repo, "IT");
                        let text = words(&said).replace(repo, "IT");
                        heard.insert((kind, said.status, challenge, text));
                    }
                }
                assert_eq!(heard.len(), 2, "{who} {method} {below}: {heard:#?}");
            }
        }
    }
}

#[tokio::test]
async fn whoever_could_push_and_not_make_a_repository_hears_of_the_right_to_make_one() {
    let village = Village::new().await;
    let hub = Hub::new(village.index.clone());
    let acme = hub.namespace_id("acme").await.unwrap();
    let pushes = ActionSet::of(&[Action::RepositoryPull, Action::RepositoryPush]);
    let everywhere = NamespaceId::EVERYWHERE;
    let by = operator();
    let role = hub.role_set(&by, everywhere, "pusher", pushes, "");
    let role = role.await.unwrap();
    let carol = village.id("carol");
    let binding = Binding::plain(carol, role, acme, (PrincipalId(0), 1));
    hub.binding_add(&operator(), binding).await.unwrap();
    let who = basic("carol", PASSWORD);
    let push = |repo: &str| format!("/v2/acme/{repo}/blobs/uploads/");
    assert_eq!(village.ask("POST", &push("app"), &who).await.status, 202);
    let said = village.ask("POST", &push("new"), &who).await;
    assert_eq!(said.status, 403);
    assert_eq!(
        words(&said),
        "`carol` may not push to `acme/new`: this needs the right `repository:push`, and `namespace:create-repository` where there is no such repository; ask whoever gives rights there"
    );
}
