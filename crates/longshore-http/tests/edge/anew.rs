//! What a token changes is decided anew: by the rights of now, from where it is asked and when. And a token does not outlive what
//! it rests on.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use longshore_auth::index::REVOKED_WITHIN;
use longshore_auth::rights::{Action, ActionSet, role};
use longshore_http::server::Peer;
use longshore_hub::{Caller, Hub};
use longshore_meta::bindings::{Binding, Subject, binding_put};
use longshore_meta::namespaces::{NamespaceId, Visibility, namespace_at};
use longshore_meta::principals::PrincipalId;
use longshore_meta::secrets::Kind as SecretKind;
use longshore_meta::time::micros;

use super::house::now;
use super::index::{PASSED, PASSWORD, SERVICE, Village, access, basic, claims, pass, with_clock};
use super::revoked::Other;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 5));
const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
const SCOPE: &str = "repository:acme/app:pull,push,delete";
const TAGS: &str = "/v2/acme/app/tags/list";
/// Each kind of change, and what it is answered where it is allowed: nothing is there, and no manifest is one.
const CHANGES: [(Method, &str, u16); 5] = [
    (Method::POST, "/v2/acme/app/blobs/uploads/", 202),
    (
        Method::POST,
        "/v2/acme/app/blobs/uploads/?from=open/app&mount=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        202,
    ),
    (Method::PUT, "/v2/acme/app/manifests/v1", 400),
    (Method::DELETE, "/v2/acme/app/manifests/v1", 404),
    (
        Method::DELETE,
        "/v2/acme/app/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        404,
    ),
];

/// What comes between a token and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    SystemReadOnly,
    NamespaceReadOnly,
    RepositoryReadOnly,
    RoleLess,
    DeniedLoggedIn,
    DeniedEverybody,
    Elsewhere,
    HourOver,
    BindingOver,
}

const ALL: [Between; 9] = [
    Between::SystemReadOnly,
    Between::NamespaceReadOnly,
    Between::RepositoryReadOnly,
    Between::RoleLess,
    Between::DeniedLoggedIn,
    Between::DeniedEverybody,
    Between::Elsewhere,
    Between::HourOver,
    Between::BindingOver,
];

fn operator() -> Caller {
    Caller::operator(1, (with_clock().now)())
}

impl Between {
    /// Carol may do everything with images in `acme`, by a role of its own, under conditions.
    async fn settle(self, village: &Village, hub: &Hub) {
        let by = operator();
        let all = ActionSet::of(&[
            Action::RepositoryPull,
            Action::RepositoryPush,
            Action::RepositoryDelete,
        ]);
        let everywhere = NamespaceId::EVERYWHERE;
        let role = hub.role_set(&by, everywhere, "worker", all, "").await;
        let acme = hub.namespace_id("acme").await.unwrap();
        let carol = village.id("carol");
        let mut binding = Binding::plain(carol, role.unwrap(), acme, (PrincipalId(0), 1));
        match self {
            Between::Elsewhere => binding.networks = Some("127.0.0.5/32".to_owned()),
            // The usual moment is a Sunday, 17:46:40.
            Between::HourOver => {
                let hours = r#"[{"days":["sun"],"from":"17:00","to":"17:47","offset":"+00:00"}]"#;
                binding.hours = Some(hours.to_owned());
            }
            Between::BindingOver => binding.expires = Some(micros(now()) + 30_000_000),
            _ => {}
        }
        hub.binding_add(&by, binding).await.unwrap();
    }

    async fn happen(self, hub: &Hub) {
        let by = operator();
        let acme = hub.namespace_id("acme").await.unwrap();
        let deny = async |subject| {
            let plain = Binding::plain(subject, role::MAINTAINER_ID, acme, (PrincipalId(0), 1));
            let deny = Binding {
                deny: true,
                ..plain
            };
            hub.binding_add(&by, deny).await.map(drop)
        };
        match self {
            Between::SystemReadOnly => hub.read_only_set(&by, true).await,
            Between::NamespaceReadOnly => hub.namespace_settings(&by, acme, None, Some(true)).await,
            Between::RepositoryReadOnly => {
                let name = "acme/app".parse().unwrap();
                hub.repository_set(&by, &name, None, Some(true)).await
            }
            Between::RoleLess => {
                let less = ActionSet::of(&[Action::RepositoryPull]);
                let everywhere = NamespaceId::EVERYWHERE;
                let set = hub.role_set(&by, everywhere, "worker", less, "").await;
                set.map(drop)
            }
            Between::DeniedLoggedIn => deny(Subject::LOGGED_IN).await,
            Between::DeniedEverybody => deny(Subject::EVERYBODY).await,
            Between::Elsewhere => Ok(()),
            Between::HourOver | Between::BindingOver => {
                pass(60);
                Ok(())
            }
        }
        .unwrap();
    }

    /// From where the token is used afterwards.
    fn from(self) -> IpAddr {
        if self == Between::Elsewhere {
            AWAY
        } else {
            HOME
        }
    }

    /// Whether nothing is told to others when it happens, as it needs no telling.
    fn is_a_condition(self) -> bool {
        matches!(
            self,
            Between::Elsewhere | Between::HourOver | Between::BindingOver
        )
    }
}

/// The status of a request from an address.
async fn ask(
    site: &longshore_http::edge::Site,
    from: IpAddr,
    (method, target): (&Method, &str),
    authorization: &str,
) -> (u16, Bytes) {
    let mut peer = Peer::default();
    peer.addr = Some((from, 1).into());
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "registry.example")
        .header("content-type", "application/vnd.oci.image.manifest.v1+json")
        .header("authorization", authorization)
        .body(Full::new(Bytes::from_static(b"{}")))
        .unwrap();
    let (head, body) = site.call(peer, request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), body)
}

/// A token of carol's, fetched from home.
async fn token(village: &Village, scope: &str) -> String {
    let target = format!("/token?service={SERVICE}&scope={scope}");
    let who = basic("carol", PASSWORD);
    let (status, body) = ask(&village.site, HOME, (&Method::GET, &target), &who).await;
    assert_eq!(status, 200, "{body:?}");
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    format!("Bearer {}", json["token"].as_str().unwrap())
}

#[tokio::test]
async fn whatever_comes_between_counts_at_once_for_what_a_token_changes() {
    for between in ALL {
        PASSED.set(0);
        let village = Village::new().await;
        let hub = Hub::new(village.index.clone());
        between.settle(&village, &hub).await;
        let token = token(&village, SCOPE).await;
        for (method, target, expected) in &CHANGES {
            let said = ask(&village.site, HOME, (method, target), &token).await;
            assert_eq!(said.0, *expected, "{between:?} {method} {target}");
        }
        between.happen(&hub).await;
        for (method, target, _) in &CHANGES {
            let said = ask(&village.site, between.from(), (method, target), &token).await;
            assert_eq!(said.0, 401, "{between:?} {method} {target}: {said:?}");
        }
    }
}

#[tokio::test]
async fn over_the_same_database_it_counts_within_five_seconds_and_at_once_where_writes_are_strict()
{
    for between in ALL {
        for strict in [false, true] {
            PASSED.set(0);
            let village = Village::new().await;
            let hub = Hub::new(village.index.clone());
            between.settle(&village, &hub).await;
            let other = Other::beside(&village, strict).await;
            let token = token(&village, SCOPE).await;
            let (method, target, expected) = &CHANGES[0];
            let push = async |from| ask(&other.0, from, (method, target), &token).await.0;
            assert_eq!(push(HOME).await, *expected, "{between:?}");
            between.happen(&hub).await;
            let mut after = 0;
            while push(between.from()).await != 401 && after < 30 {
                pass(1);
                after += 1;
            }
            let most = if strict || between.is_a_condition() {
                0
            } else {
                REVOKED_WITHIN.as_secs()
            };
            assert!(after <= most, "{between:?} strict {strict}: {after} s");
        }
    }
}

#[tokio::test]
async fn a_token_changes_what_it_names_with_the_tags_it_names_whatever_its_owner_may_now() {
    let village = Village::new().await;
    let carol = village.id("carol");
    village
        .bind(carol, role::DEVELOPER_ID, "acme", Some("dev-*"))
        .await;
    let narrow = token(&village, "repository:acme/app:pull,push").await;
    let pulls = token(&village, "repository:acme/app:pull").await;
    // More than the token says is given to its owner, and then less.
    village.bind(carol, role::MAINTAINER_ID, "acme", None).await;
    village.index.forget_all();
    let put = async |tag: &str, token: &str| {
        let target = format!("/v2/acme/app/manifests/{tag}");
        let said = ask(&village.site, HOME, (&Method::PUT, &target), token).await;
        said.0
    };
    assert_eq!(put("dev-1", &narrow).await, 400);
    assert!(matches!(put("latest", &narrow).await, 401 | 403));
    assert_eq!(put("dev-1", &pulls).await, 401, "it says nothing of pushes");
    let hub = Hub::new(village.index.clone());
    let acme = hub.namespace_id("acme").await.unwrap();
    let plain = Binding::plain(
        Subject::LOGGED_IN,
        role::DEVELOPER_ID,
        acme,
        (PrincipalId(0), 1),
    );
    let deny = Binding {
        deny: true,
        tags: Some("dev-0*".to_owned()),
        ..plain
    };
    hub.binding_add(&operator(), deny).await.unwrap();
    assert_eq!(put("dev-1", &narrow).await, 400);
    assert!(matches!(put("dev-01", &narrow).await, 401 | 403));
}

#[tokio::test]
async fn a_strangers_token_changes_what_everybody_may_change_now() {
    let village = Village::new().await;
    let hub = Hub::new(village.index.clone());
    let open = hub.namespace_id("open").await.unwrap();
    let plain = Binding::plain(
        Subject::EVERYBODY,
        role::DEVELOPER_ID,
        open,
        (PrincipalId(0), 1),
    );
    hub.binding_add(&operator(), plain).await.unwrap();
    let token = village.token("", "repository:open/app:pull,push").await;
    assert_eq!(access(&token), ["repository:open/app:pull,push"]);
    let token = format!("Bearer {token}");
    let push = "/v2/open/app/blobs/uploads/";
    assert_eq!(village.ask("POST", push, &token).await.status, 202);
    hub.namespace_settings(&operator(), open, None, Some(true))
        .await
        .unwrap();
    assert_eq!(village.ask("POST", push, &token).await.status, 401);
    assert_eq!(
        village
            .ask("GET", "/v2/open/app/tags/list", &token)
            .await
            .status,
        404,
        "it goes on for pulls"
    );
}

#[tokio::test]
async fn a_token_ends_with_the_credential_it_was_given_for() {
    for (kind, who) in [(SecretKind::Personal, "carol"), (SecretKind::Robot, "ci")] {
        PASSED.set(0);
        let village = Village::new().await;
        let robot = who == "ci";
        village
            .bind(village.id(who), role::DEVELOPER_ID, "acme", None)
            .await;
        let secret = village.secret(kind, who, None, 6).await;
        let name = if robot { "robot+ci" } else { who };
        let token = village.token(&basic(name, &secret), SCOPE).await;
        let said = claims(&token);
        let life = said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap();
        assert_eq!(life, 6);
        let token = format!("Bearer {token}");
        pass(5);
        assert_eq!(village.ask("GET", TAGS, &token).await.status, 404);
        pass(1);
        assert_eq!(village.ask("GET", TAGS, &token).await.status, 401);
    }
}

#[tokio::test]
async fn a_token_ends_with_the_first_binding_that_it_rests_on() {
    let village = Village::new().await;
    let carol = village.id("carol");
    let bind = async |seconds: i64, path: &'static str| {
        village
            .write((carol, seconds, path), |tx, (carol, seconds, path)| {
                Box::pin(async move {
                    let home = namespace_at(tx, path).await?.unwrap().id;
                    let by = (PrincipalId(0), 1);
                    let plain = Binding::plain(*carol, role::DEVELOPER_ID, home, by);
                    let ends = Binding {
                        expires: Some(micros(now()) + seconds * 1_000_000),
                        ..plain
                    };
                    binding_put(tx, &ends).await
                })
            })
            .await
    };
    let life = async |scope: &str| {
        let target = format!("/token?service={SERVICE}&scope={scope}");
        let said = village.ask("GET", &target, &basic("carol", PASSWORD)).await;
        let announced = said.json()["expires_in"].as_i64().unwrap();
        let said = claims(&said.token());
        let life = said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap();
        assert_eq!(announced, life);
        life
    };
    let full = life("repository:inside/app:pull").await;
    bind(90, "acme").await;
    bind(8, "secret").await;
    assert_eq!(life("repository:acme/app:pull").await, 90);
    assert_eq!(
        life("repository:acme/app:pull&scope=repository:secret/app:pull,push").await,
        8
    );
    assert_eq!(
        life("repository:inside/app:pull").await,
        full,
        "it rests on none"
    );
    bind(60, "acme").await;
    assert_eq!(
        life("repository:acme/app:pull").await,
        90,
        "the longer of two is enough"
    );
    let hub = Hub::new(village.index.clone());
    let acme = hub.namespace_id("acme").await.unwrap();
    hub.namespace_settings(&operator(), acme, Some(Visibility::Internal), None)
        .await
        .unwrap();
    assert_eq!(life("repository:acme/app:pull").await, full);
    assert_eq!(life("repository:acme/app:pull,push").await, 90);
    let token = token(&village, "repository:secret/app:pull").await;
    let tags = "/v2/secret/app/tags/list";
    assert_eq!(village.ask("GET", tags, &token).await.status, 404);
    pass(8);
    assert_eq!(village.ask("GET", tags, &token).await.status, 401);
}
