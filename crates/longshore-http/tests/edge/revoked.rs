//! How soon what was taken away stops working (invariant I-31): in the process that took it away, in another one over the same
//! database, and at a registry that knows the index by its keys alone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use longshore_auth::index::{Index, IndexOptions, REVOKED_WITHIN};
use longshore_auth::issuer::SealingKey;
use longshore_auth::rights::role;
use longshore_auth::{Authenticator, TokenOptions};
use longshore_http::edge::{Edge, Site, TokenEdge};
use longshore_http::server::Peer;
use longshore_hub::edits::Edit;
use longshore_hub::{Caller, Hub, NewPassword};
use longshore_meta::bindings::{Subject, binding_of};
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::Kind;
use longshore_meta::secrets::Kind as SecretKind;

use super::house::{now, registry};
use super::index::{ISSUER, PASSWORD, SERVICE, Village, basic, pass, with_clock};

const UPLOADS: &str = "/v2/acme/app/blobs/uploads/";
const TAGS: &str = "/v2/acme/app/tags/list";

/// A process over the village's database, which is told nothing by the one that changes it.
pub(super) struct Other(pub(super) Site);

impl Other {
    pub(super) async fn beside(village: &Village, strict: bool) -> Self {
        let sealing = Arc::new(SealingKey::from_bytes(&[3; 32]));
        let mut options = IndexOptions::new(ISSUER, SERVICE);
        options.strict_revocation = strict;
        let index = Index::open(village.db.clone(), sealing, options, now())
            .await
            .unwrap();
        let authenticator = Authenticator::index(index.clone());
        let edge = Edge::new(registry(), authenticator, with_clock(), None);
        Other(Site::new(edge.clone()).with_tokens(TokenEdge::new(edge, index)))
    }

    /// A registry that has the index's keys and nothing else of it.
    async fn apart(village: &Village, folder: &std::path::Path) -> Self {
        let keys = folder.join("jwks.json");
        std::fs::write(&keys, &*village.index.issuer().jwks()).unwrap();
        let options = TokenOptions {
            jwks_file: Some(keys),
            ..TokenOptions::new("https://index.example/token", SERVICE, ISSUER)
        };
        let authenticator = Authenticator::token(options, now()).await.unwrap();
        Other(Site::new(Edge::new(
            registry(),
            authenticator,
            with_clock(),
            None,
        )))
    }

    async fn ask(&self, method: &str, target: &str, authorization: &str) -> u16 {
        let request = http::Request::builder()
            .method(method)
            .uri(target)
            .header("host", "registry.example")
            .header("authorization", authorization)
            .body(Full::new(Bytes::new()))
            .unwrap();
        let answer = self.0.call(Peer::default(), request).await;
        let (head, body) = answer.into_parts();
        drop(body.collect().await);
        head.status.as_u16()
    }
}

/// What can be taken away from alice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Account,
    Password,
    Role,
    Token,
    Sessions,
}

/// What she shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Password,
    Token,
    Bearer,
}

impl Taken {
    /// Whether that is the end of what she shows.
    fn ends(self, shown: Shown) -> bool {
        matches!(
            (self, shown),
            (Taken::Account | Taken::Role, _)
                | (_, Shown::Bearer)
                | (Taken::Password, Shown::Password)
                | (Taken::Token, Shown::Token)
        )
    }

    async fn take(self, village: &Village, hub: &Hub) {
        let by = Caller::operator(1, (with_clock().now)());
        match self {
            Taken::Account => {
                let edit = Edit {
                    enabled: Some(false),
                    ..Edit::default()
                };
                let done = hub.account_edit(&by, Kind::User, "alice", edit).await;
                done.map(drop)
            }
            Taken::Password => {
                let new = NewPassword::plain("another horse of hers");
                hub.password_set(&by, "alice", new).await
            }
            Taken::Role => {
                let alice = village.id("alice");
                let found = village
                    .write(alice, |tx, alice| {
                        Box::pin(async move {
                            let home = namespace_at(tx, "acme").await?.unwrap().id;
                            let subject = Subject::from(*alice);
                            let all = binding_of(tx, subject, 10).await?;
                            let id = all.iter().find(|it| it.role == role::DEVELOPER_ID);
                            Ok((home, id.unwrap().id))
                        })
                    })
                    .await;
                hub.binding_remove(&by, found.0, found.1).await
            }
            Taken::Token => {
                let tokens = hub.token_list(&by, "alice", 0, 10).await.unwrap();
                hub.token_revoke(&by, "alice", tokens.items[0].id).await
            }
            Taken::Sessions => hub.session_delete(&by, "alice", None).await,
        }
        .unwrap();
    }
}

const ALL: [Taken; 5] = [
    Taken::Account,
    Taken::Password,
    Taken::Role,
    Taken::Token,
    Taken::Sessions,
];

async fn shown(village: &Village, what: Shown) -> String {
    let token = village
        .secret(SecretKind::Personal, "alice", None, 100_000)
        .await;
    match what {
        Shown::Password => basic("alice", PASSWORD),
        Shown::Token => basic("alice", &token),
        Shown::Bearer => {
            let scope = "repository:acme/app:pull,push";
            format!(
                "Bearer {}",
                village.token(&basic("alice", &token), scope).await
            )
        }
    }
}

#[tokio::test]
async fn where_it_is_taken_away_it_is_gone_at_once() {
    for taken in ALL {
        for what in [Shown::Password, Shown::Token, Shown::Bearer] {
            let village = Village::new().await;
            let hub = Hub::new(village.index.clone());
            let who = shown(&village, what).await;
            assert_eq!(village.ask("POST", UPLOADS, &who).await.status, 202);
            taken.take(&village, &hub).await;
            let push = village.ask("POST", UPLOADS, &who).await.status;
            let is_out = matches!(push, 401 | 403);
            assert_eq!(is_out, taken.ends(what), "{taken:?} {what:?}: {push}");
        }
    }
}

#[tokio::test]
async fn elsewhere_over_the_same_database_within_five_seconds_and_at_once_where_writes_are_strict()
{
    for taken in ALL {
        for what in [Shown::Password, Shown::Token, Shown::Bearer] {
            for strict in [false, true] {
                let village = Village::new().await;
                let hub = Hub::new(village.index.clone());
                let other = Other::beside(&village, strict).await;
                let who = shown(&village, what).await;
                // What it knows is as fresh as it can be, so that it lasts as long as it can.
                assert_eq!(other.ask("POST", UPLOADS, &who).await, 202);
                taken.take(&village, &hub).await;
                let mut after = 0;
                while other.ask("POST", UPLOADS, &who).await == 202 && after < 30 {
                    pass(1);
                    after += 1;
                }
                let words = format!("{taken:?} {what:?} strict {strict}: after {after} s");
                match (taken.ends(what), what, strict) {
                    (false, ..) => assert_eq!(after, 30, "{words}"),
                    (true, Shown::Bearer, false) => {
                        assert!(Duration::from_secs(after) <= REVOKED_WITHIN, "{words}");
                    }
                    // Passwords and secrets are looked up each time.
                    (true, ..) => assert_eq!(after, 0, "{words}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn at_a_registry_apart_with_the_end_of_the_token_which_is_five_minutes_off_at_most() {
    for taken in ALL {
        let village = Village::new().await;
        let hub = Hub::new(village.index.clone());
        let folder = tempfile::tempdir().unwrap();
        let apart = Other::apart(&village, folder.path()).await;
        let who = shown(&village, Shown::Bearer).await;
        assert_eq!(apart.ask("GET", TAGS, &who).await, 404);
        taken.take(&village, &hub).await;
        // Its clock may differ by the usual minute; and that is part of the five.
        let mut after = 0;
        while apart.ask("GET", TAGS, &who).await != 401 {
            pass(1);
            after += 1;
            assert!(after <= 300, "{taken:?}: still good after {after} s");
        }
        if taken != Taken::Sessions {
            let again = shown_again(&village, taken).await;
            assert!(!again, "{taken:?}: the next token gives nothing of it");
        }
    }
}

/// Whether what was taken away gets another token that pushes.
async fn shown_again(village: &Village, taken: Taken) -> bool {
    let who = basic("alice", PASSWORD);
    let target = format!("/token?service={SERVICE}&scope=repository:acme/app:pull,push");
    let said = village.ask("GET", &target, &who).await;
    if taken == Taken::Token {
        // Her password goes on, and is another credential.
        return said.status != 200;
    }
    said.status == 200 && !super::index::access(&said.token()).is_empty()
}
