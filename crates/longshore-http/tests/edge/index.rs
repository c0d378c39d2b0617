//! An index with people in it, and a registry beside it.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use longshore_auth::Authenticator;
use longshore_auth::index::secret::ShownSecret;
use longshore_auth::index::{Index, IndexOptions, Sources, password};
use longshore_auth::issuer::SealingKey;
use longshore_auth::rights::role;
use longshore_http::edge::{DeviceEdge, Edge, EdgeOptions, Observer, Site, TokenEdge};
use longshore_http::server::Peer;
use longshore_hub::Hub;
use longshore_meta::bindings::{Binding, binding_put};
use longshore_meta::logins::password_put;
use longshore_meta::namespaces::{
    NamespaceId, NewNamespace, Visibility, namespace_at, namespace_put,
};
use longshore_meta::principals::{
    Kind, NewPrincipal, PrincipalId, State, principal_put, principal_state,
};
use longshore_meta::repos::repo_open;
use longshore_meta::secrets::{Kind as SecretKind, NewSecret, secret_put};
use longshore_meta::time::micros;
use longshore_meta::{Db, Durability};
use serde_json::Value;

use super::house::{now, options, registry};

pub(crate) const ISSUER: &str = "https://index.example";
pub(crate) const SERVICE: &str = "registry.example";
/// Another registry that trusts the index.
pub(crate) const OTHER: &str = "other.example";
/// Alice's password.
pub(crate) const PASSWORD: &str = "correct horse";

/// An index, its database, and the edges over both.
pub(crate) struct Village {
    _folder: tempfile::TempDir,
    pub(crate) db: Db,
    pub(crate) index: Index,
    pub(crate) site: Site,
    people: HashMap<&'static str, PrincipalId>,
}

/// An answer, read whole.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 200, "{:?}", self.body);
        self.json()["token"].as_str().unwrap().to_owned()
    }
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The access list of a token, in short.
pub(crate) fn access(token: &str) -> Vec<String> {
    let claims = claims(token);
    let entries = claims["access"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries
        .iter()
        .map(|entry| {
            let actions: Vec<String> = entry["actions"]
                .as_array()
                .unwrap()
                .iter()
                .map(text)
                .collect();
            format!(
                "{}:{}:{}",
                text(&entry["type"]),
                text(&entry["name"]),
                actions.join(",")
            )
        })
        .collect()
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    let plain = format!("{user}:{password}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(plain)
    )
}

impl Village {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, with_clock(), None).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(&mut IndexOptions),
        edge: EdgeOptions,
        observer: Option<Observer>,
    ) -> Self {
        Self::with_sources(change, edge, observer, Sources::default()).await
    }

    pub(crate) async fn with_sources(
        change: impl FnOnce(&mut IndexOptions),
        edge: EdgeOptions,
        observer: Option<Observer>,
        sources: Sources,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_file(&folder.path().join("meta.db")).unwrap();
        let mut told = IndexOptions::new(ISSUER, SERVICE);
        told.services = vec![OTHER.to_owned()];
        change(&mut told);
        let sealing = Arc::new(SealingKey::from_bytes(&[3; 32]));
        let index = Index::open_with(db.clone(), sealing, told, sources, now())
            .await
            .unwrap();
        let authenticator = Authenticator::index(index.clone());
        let edge = Edge::new(registry(), authenticator, edge, observer);
        let hub = Hub::new(index.clone());
        let tokens = TokenEdge::new(edge.clone(), index.clone()).with_devices(hub.clone());
        let site = Site::new(edge.clone())
            .with_tokens(tokens)
            .with_devices(DeviceEdge::new(edge, hub));
        let mut village = Village {
            _folder: folder,
            db,
            index,
            site,
            people: HashMap::new(),
        };
        village.settle().await;
        village
    }

    /// Alice pushes to `acme` and deletes nothing, carol's hash came from elsewhere, bob is disabled; `open` is public.
    async fn settle(&mut self) {
        for (name, hash, state) in [
            (
                "alice",
                password::hash(PASSWORD.as_bytes()).unwrap(),
                State::Active,
            ),
            (
                "bob",
                password::hash(PASSWORD.as_bytes()).unwrap(),
                State::Disabled,
            ),
            ("carol", bcrypt::hash(PASSWORD, 4).unwrap(), State::Active),
        ] {
            let id = self.principal(Kind::User, name, state).await;
            self.people.insert(name, id);
            self.write((id.0, hash), |tx, (id, hash)| {
                Box::pin(async move { password_put(tx, *id, hash, 1).await })
            })
            .await;
        }
        let ci = self.principal(Kind::Robot, "ci", State::Active).await;
        self.people.insert("ci", ci);
        for (path, visibility) in [
            ("acme", Visibility::Private),
            ("secret", Visibility::Private),
            ("inside", Visibility::Internal),
            ("open", Visibility::Public),
        ] {
            self.write((path, visibility), |tx, (path, visibility)| {
                Box::pin(async move {
                    let new = NewNamespace {
                        parent: NamespaceId(0),
                        path,
                        owner: PrincipalId(0),
                        visibility: *visibility,
                        description: "",
                        now: 1,
                    };
                    namespace_put(tx, &new).await.map(drop)
                })
            })
            .await;
        }
        // What is not there is nobody's to see.
        for name in [
            "acme/app",
            "open/a",
            "open/app",
            "inside/a",
            "inside/app",
            "secret/a",
            "secret/app",
        ] {
            self.write(name, |tx, name| {
                Box::pin(async move {
                    let name = name.parse().map_err(longshore_core::Error::internal)?;
                    repo_open(tx, &name, 1).await
                })
            })
            .await;
        }
        let alice = self.id("alice");
        self.bind(alice, role::DEVELOPER_ID, "acme", None).await;
    }

    /// Another robot of the system.
    pub(crate) async fn robot(&self, name: &'static str) -> PrincipalId {
        self.principal(Kind::Robot, name, State::Active).await
    }

    async fn principal(&self, kind: Kind, name: &'static str, state: State) -> PrincipalId {
        self.write((kind, name, state), |tx, (kind, name, state)| {
            Box::pin(async move {
                let new = NewPrincipal {
                    kind: *kind,
                    owner: PrincipalId(0),
                    name,
                    full_name: "",
                    mail: "",
                    description: "",
                    state: *state,
                    expires: None,
                    by: PrincipalId(0),
                    now: 1,
                };
                principal_put(tx, &new).await
            })
        })
        .await
    }

    pub(crate) async fn write<A: Send + Sync + 'static, T: Send + 'static>(
        &self,
        args: A,
        body: longshore_meta::Body<A, T>,
    ) -> T {
        self.db
            .write(Durability::Process, args, body)
            .await
            .unwrap()
    }

    pub(crate) fn id(&self, name: &str) -> PrincipalId {
        self.people[name]
    }

    /// Gives a role on a namespace, on some tags where they are named.
    pub(crate) async fn bind(
        &self,
        who: PrincipalId,
        role: i64,
        path: &'static str,
        tags: Option<&'static str>,
    ) {
        self.write((who, role, path, tags), |tx, (who, role, path, tags)| {
            Box::pin(async move {
                let namespace = namespace_at(tx, path).await?.unwrap().id;
                let plain = Binding::plain(*who, *role, namespace, (PrincipalId(0), 1));
                let binding = Binding {
                    tags: tags.map(str::to_owned),
                    ..plain
                };
                binding_put(tx, &binding).await
            })
        })
        .await;
    }

    /// A secret of somebody's, narrowed by `scope`, that ends in so many seconds.
    pub(crate) async fn secret(
        &self,
        kind: SecretKind,
        who: &str,
        scope: Option<&str>,
        lives: i64,
    ) -> String {
        let secret = ShownSecret::make(kind).unwrap();
        let new = NewSecret {
            kind,
            principal: self.id(who).0,
            hash: self.index.hash(secret.as_str()),
            label: String::new(),
            scope: scope.map(str::to_owned),
            expires: Some(micros(now()) + lives * 1_000_000),
            version: 1,
        };
        self.write(new, |tx, new| Box::pin(secret_put(tx, new, 1)))
            .await;
        secret.as_str().to_owned()
    }

    /// Switches somebody off or on again.
    pub(crate) async fn switch(&self, who: &str, state: State) {
        self.write((self.id(who), state), |tx, (who, state)| {
            Box::pin(async move { principal_state(tx, *who, *state, 2).await })
        })
        .await;
    }

    /// Asks, with `Authorization` where it is not empty.
    pub(crate) async fn ask(&self, method: &str, target: &str, authorization: &str) -> Said {
        self.send(method, target, &[("authorization", authorization)], "")
            .await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Said {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "registry.example");
        let body = body.into();
        if !body.is_empty() {
            request = request.header("content-length", body.len());
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).unwrap();
        let answer: Response<_> = self.site.call(Peer::default(), request).await;
        let (head, body) = answer.into_parts();
        Said {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// A token for `scope` by Basic credentials, or for nobody.
    pub(crate) async fn token(&self, authorization: &str, scope: &str) -> String {
        let target = format!("/token?service={SERVICE}&scope={scope}");
        self.ask("GET", &target, authorization).await.token()
    }

    /// Posts a form.
    pub(crate) async fn post(&self, form: &str) -> Said {
        let kind = "application/x-www-form-urlencoded";
        self.send("POST", "/token", &[("content-type", kind)], form.to_owned())
            .await
    }
}

thread_local! {
    /// How many seconds after the usual moment it is. Each test has a thread of its own.
    pub(super) static PASSED: Cell<u64> = const { Cell::new(0) };
}

/// Lets time pass.
pub(crate) fn pass(seconds: u64) {
    PASSED.set(PASSED.get() + seconds);
}

fn clock() -> SystemTime {
    now() + Duration::from_secs(PASSED.get())
}

/// The options of an edge by the clock of this test.
pub(crate) fn with_clock() -> EdgeOptions {
    EdgeOptions {
        now: clock,
        ..options()
    }
}
