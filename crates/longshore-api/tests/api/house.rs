//! An index with people of every role in it, and what they are answered.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use longshore_api::{Api, Asking, PREFIX};
use longshore_auth::index::secret::ShownSecret;
use longshore_auth::index::{Index, IndexOptions};
use longshore_auth::issuer::SealingKey;
use longshore_auth::rights::role;
use longshore_core::{Cx, Error, Find, Finder, Finds, Result, Seek, body};
use longshore_hub::accounts::NewAccount;
use longshore_hub::{Caller, Hub};
use longshore_meta::bindings::Binding;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;
use longshore_meta::repos::repo_open;
use longshore_meta::secrets::{Kind, NewSecret, secret_put};
use longshore_meta::{Db, Durability};
use serde_json::Value;

/// Everybody, by the role that they have: two everywhere, the rest in `acme`, and one who has none.
pub(crate) const PEOPLE: [&str; 8] = [
    "ada",
    "auditor",
    "owner",
    "maintainer",
    "developer",
    "reader",
    "guest",
    "nobody",
];

/// An index, and an API of it.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) db: Db,
    pub(crate) hub: Hub,
    pub(crate) api: Api,
    index: Index,
    ids: HashMap<&'static str, PrincipalId>,
    secrets: HashMap<&'static str, String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// The names, paths or ids of what is in a list.
    pub(crate) fn names(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{:?}", self.body);
        let json = self.json();
        let items = json["items"].as_array().unwrap();
        let name = |item: &Value| {
            let name = item.get("name").or(item.get("path")).unwrap();
            name.as_str().unwrap().to_owned()
        };
        items.iter().map(name).collect()
    }
}

/// Finds what is called as it is asked for, of what may be pulled.
#[derive(Debug)]
pub(crate) struct ByName;

#[async_trait]
impl Finder for ByName {
    async fn find(&self, cx: &Cx, query: &str, _: &Seek) -> Result<Finds> {
        let name: longshore_spec::name::RepoName = query.parse().map_err(Error::internal)?;
        let mut finds = Finds::default();
        if cx.rights.pullable().has(name.as_str()) {
            finds.items.push(Find {
                name,
                description: String::new(),
                stars: 0,
                pulls: 0,
            });
        }
        Ok(finds)
    }
}

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

fn operator() -> Caller {
    Caller::operator(1, now())
}

impl House {
    pub(crate) async fn new() -> Self {
        let mut house = Self::empty().await;
        house.settle().await;
        house
    }

    /// Before anybody is there.
    pub(crate) async fn empty() -> Self {
        Self::empty_with(|_| {}).await
    }

    /// The same, of an index that is told something else.
    pub(crate) async fn empty_with(change: impl FnOnce(&mut IndexOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_file(&folder.path().join("meta.db")).unwrap();
        let mut options = IndexOptions::new("https://index.example", "registry.example");
        change(&mut options);
        let sealing = Arc::new(SealingKey::from_bytes(&[3; 32]));
        let index = Index::open(db.clone(), sealing, options, now())
            .await
            .unwrap();
        let hub = Hub::new(index.clone());
        let api = Api::new(hub.clone(), Arc::new(ByName));
        Self {
            folder,
            db,
            hub,
            api,
            index,
            ids: HashMap::new(),
            secrets: HashMap::new(),
        }
    }

    /// `acme` is an organisation, and so is `other`, which nobody here has anything to do with.
    async fn settle(&mut self) {
        for name in PEOPLE {
            let id = self.hub.user_create(&operator(), account(name)).await;
            let id = id.unwrap();
            self.ids.insert(name, id);
            let secret = self.secret(name, None).await;
            self.secrets.insert(name, secret);
        }
        for name in ["acme", "other"] {
            let by = operator();
            let made = self.hub.organisation_create(&by, account(name)).await;
            made.unwrap();
        }
        for repo in ["acme/app", "acme/deep/er/app", "other/app", "ada/own"] {
            self.repo(repo).await;
        }
        self.bind("ada", role::ADMINISTRATOR_ID, None).await;
        self.bind("auditor", role::AUDITOR_ID, None).await;
        for (name, role) in [
            ("owner", role::OWNER_ID),
            ("maintainer", role::MAINTAINER_ID),
            ("developer", role::DEVELOPER_ID),
            ("reader", role::READER_ID),
            ("guest", role::GUEST_ID),
        ] {
            self.bind(name, role, Some("acme")).await;
        }
    }

    pub(crate) fn id(&self, name: &str) -> PrincipalId {
        self.ids[name]
    }

    /// A personal token of somebody's, narrowed by `scope`.
    pub(crate) async fn secret(&self, who: &str, scope: Option<&str>) -> String {
        let secret = ShownSecret::make(Kind::Personal).unwrap();
        let new = NewSecret {
            kind: Kind::Personal,
            principal: self.ids[who].0,
            hash: self.index.hash(secret.as_str()),
            label: String::new(),
            scope: scope.map(str::to_owned),
            expires: None,
            version: 1,
        };
        let put = self.db.write(Durability::Process, new, |tx, new| {
            Box::pin(secret_put(tx, new, 1))
        });
        put.await.unwrap();
        secret.as_str().to_owned()
    }

    pub(crate) async fn repo(&self, name: &str) -> i64 {
        let name: longshore_spec::name::RepoName = name.parse().unwrap();
        let open = self.db.write(Durability::Process, name, |tx, name| {
            Box::pin(async move {
                let id = repo_open(tx, name, 1).await?;
                // What holds nothing is in no list.
                longshore_meta::repos::repo_count(tx, id, 1, 0).await?;
                Ok(id)
            })
        });
        open.await.unwrap()
    }

    pub(crate) async fn bind(&self, who: &str, role: i64, path: Option<&str>) {
        let at = match path {
            None => NamespaceId::EVERYWHERE,
            Some(path) => self.hub.namespace_id(path).await.unwrap(),
        };
        let binding = Binding::plain(self.ids[who], role, at, (PrincipalId(0), 1));
        self.hub.binding_add(&operator(), binding).await.unwrap();
    }

    /// Gives a role by names, as the operator.
    pub(crate) async fn give(&self, path: &str, give: longshore_hub::gives::Give) -> i64 {
        let object = self.hub.place(&operator(), path).await.unwrap();
        self.hub
            .binding_give(&operator(), &object, give)
            .await
            .unwrap()
    }

    /// Asks as somebody; as nobody with an empty name.
    pub(crate) async fn ask(&self, who: &str, method: &str, path: &str, body: &str) -> Said {
        self.send(who, method, path, &[], body).await
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Said {
        self.ask(who, "GET", path, "").await
    }

    pub(crate) async fn send(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Said {
        let bearer = match who {
            "" => String::new(),
            who if who.contains(' ') => who.to_owned(),
            who => format!("Bearer {}", self.secrets[who]),
        };
        let target = format!("{PREFIX}{path}");
        let mut request = Request::builder().method(method).uri(&target);
        let json = ("content-type", "application/json");
        let json = (!body.is_empty()).then_some(json);
        let auth = ("authorization", bearer.as_str());
        let all = headers.iter().copied().chain(json).chain([auth]);
        for (name, value) in all.filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let asking = Asking {
            path: head.uri.path().to_owned(),
            head,
            body: body::once(Bytes::copy_from_slice(body.as_bytes())),
            base: String::new(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            request: 7,
            now: now(),
            certificate: None,
        };
        let answered = self.api.call(asking).await;
        let (head, body) = answered.response.into_parts();
        Said {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    /// How many rows the audit log has.
    pub(crate) async fn rows(&self) -> usize {
        self.hub.audit_rows(0, 10_000).await.unwrap().len()
    }
}

/// What a client sends to log in by a name and a password.
pub(crate) fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

pub(crate) fn account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        ..NewAccount::default()
    }
}
