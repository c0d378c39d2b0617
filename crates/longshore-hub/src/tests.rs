//! Use cases over a database, as the API and the commands call them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_auth::index::{Index, IndexOptions};
use longshore_auth::issuer::SealingKey;
use longshore_auth::rights::role::{
    ADMINISTRATOR_ID, DEVELOPER_ID, MAINTAINER_ID, OWNER_ID, READER_ID,
};
use longshore_auth::rights::{Action, ActionSet, Object, Via, Who};
use longshore_core::{Code, Result};
use longshore_meta::audit::AuditRow;
use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::namespaces::{NamespaceId, Visibility};
use longshore_meta::principals::{Kind, PrincipalId, principal_named};
use longshore_meta::repos::repo_open;
use longshore_meta::{Db, Durability};

use crate::accounts::NewAccount;
use crate::audit::Sign;
use crate::edits::Edit;
use crate::gives::Give;
use crate::repositories::Said;
use crate::views::{Part, Suppositions, Whom};
use crate::{Caller, Hub};

mod arrivals;
mod brought;
mod carried;
mod chains;
mod changes;
mod comings;
mod credentials;
mod emptied;
mod factors;
mod gains;
mod homes;
mod lasting;
mod ledger;
mod log;
mod mail;
mod names;
mod narrowed;
mod oneself;
mod pushes;
mod reads;
mod refusals;
mod repositories;
mod robots;
mod roles;
mod strangers;
mod supposing;
mod tend;
mod trust;
mod turned;

const NOW: i64 = 1_800_000_000_000_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

struct House {
    hub: Hub,
    dir: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        let key = SealingKey::open(&dir.path().join("index.key"), true).unwrap();
        let options = IndexOptions::new("https://index.example", "reg.example");
        let index = Index::open(db, Arc::new(key), options, now())
            .await
            .unwrap();
        Self {
            hub: Hub::new(index),
            dir,
        }
    }

    async fn user(&self, name: &str) -> Caller {
        let new = NewAccount {
            name: name.to_owned(),
            ..NewAccount::default()
        };
        let id = self.hub.user_create(&operator(), new).await.unwrap();
        caller(id, name)
    }

    async fn repo(&self, name: &str) -> i64 {
        let name: longshore_spec::RepoName = name.parse().unwrap();
        let write = self.hub.db.write(Durability::Process, name, |tx, name| {
            Box::pin(repo_open(tx, name, NOW))
        });
        write.await.unwrap()
    }

    async fn home(&self, path: &str) -> NamespaceId {
        self.hub.namespace_id(path).await.unwrap()
    }

    async fn rows(&self) -> Vec<AuditRow> {
        self.hub.audit_rows(0, 1000).await.unwrap()
    }

    async fn may(&self, caller: &Caller, action: Action, repo: &str) -> bool {
        let object = Object::Repository(repo.parse().unwrap());
        self.hub
            .judge()
            .allows(&caller.who, action, &object, now())
            .await
            .unwrap()
    }

    /// Switches a user on or off.
    async fn enable(&self, by: &Caller, name: &str, enabled: bool) -> Result<i64> {
        let edit = Edit {
            enabled: Some(enabled),
            ..Edit::default()
        };
        self.hub.account_edit(by, Kind::User, name, edit).await
    }

    /// The id of an account, if there is one of that name.
    async fn id(&self, name: &'static str) -> Option<PrincipalId> {
        let read = self.hub.db.read(&name, |tx, name| {
            Box::pin(principal_named(tx, PrincipalId(0), name))
        });
        read.await.unwrap().map(|it| it.id)
    }
}

fn operator() -> Caller {
    Caller::operator(1, now())
}

fn caller(id: PrincipalId, name: &str) -> Caller {
    Caller {
        who: Who::principal(id, Via::Password, IpAddr::V4(Ipv4Addr::LOCALHOST)),
        name: name.to_owned(),
        request: 2,
        now: now(),
    }
}

/// Somebody who pushes and deletes by a personal token.
fn by(name: &str) -> crate::pushes::By {
    crate::pushes::By {
        actor: name.to_owned(),
        origin: longshore_core::Origin {
            way: Via::PersonalToken.way(3),
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        },
        request: 7,
        now: NOW,
    }
}

fn account(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        ..NewAccount::default()
    }
}

fn binding(subject: impl Into<Subject>, role: i64, namespace: NamespaceId) -> Binding {
    Binding::plain(subject, role, namespace, (PrincipalId(0), 0))
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code()
}
