//! A small installation: people, namespaces, repositories and bindings, in a database.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use longshore_core::{Grant, Reach};
use longshore_meta::bindings::{Binding, Subject, binding_put};
use longshore_meta::members::member_put;
use longshore_meta::namespaces::{
    NamespaceId, NewNamespace, Visibility, namespace_at, namespace_change, namespace_put,
};
use longshore_meta::principals::{
    Kind, NewPrincipal, PrincipalId, State, principal_put, principal_state,
};
use longshore_meta::profiles::{Profile, profile_change, profile_open};
use longshore_meta::repos::repo_open;
use longshore_meta::{Body, Db, Durability};

use crate::rights::{Action, Explanation, Judge, Object, Sight, Via, Who, role};

pub(super) const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

/// Microseconds, some seconds after `now`.
pub(super) fn at(seconds: i64) -> i64 {
    (1_800_000_000 + seconds) * 1_000_000
}

pub(super) struct World {
    pub(super) db: Db,
    pub(super) judge: Judge,
    _dir: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        let world = Self {
            judge: Judge::new(db.clone(), Sight::Here),
            db,
            _dir: dir,
        };
        world
            .write((), |tx, ()| Box::pin(role::install(tx, at(0))))
            .await;
        world
    }

    pub(super) async fn write<A, T>(&self, args: A, body: Body<A, T>) -> T
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.db
            .write(Durability::Process, args, body)
            .await
            .unwrap()
    }

    pub(super) async fn principal(
        &self,
        kind: Kind,
        name: &str,
        owner: PrincipalId,
        by: PrincipalId,
    ) -> PrincipalId {
        let args = (kind, name.to_owned(), owner, by);
        self.write(args, |tx, (kind, name, owner, by)| {
            Box::pin(async move {
                let new = NewPrincipal {
                    kind: *kind,
                    owner: *owner,
                    name,
                    full_name: "",
                    mail: "",
                    description: "",
                    state: State::Active,
                    expires: None,
                    by: *by,
                    now: at(0),
                };
                principal_put(tx, &new).await
            })
        })
        .await
    }

    pub(super) async fn user(&self, name: &str) -> PrincipalId {
        self.principal(Kind::User, name, PrincipalId(0), PrincipalId(0))
            .await
    }

    pub(super) async fn robot(&self, name: &str, by: PrincipalId) -> PrincipalId {
        self.principal(Kind::Robot, name, PrincipalId(0), by).await
    }

    pub(super) async fn state(&self, id: PrincipalId, state: State) {
        self.write((id, state), |tx, (id, state)| {
            Box::pin(principal_state(tx, *id, *state, at(0)))
        })
        .await;
    }

    pub(super) async fn member(&self, party: PrincipalId, principal: PrincipalId) {
        self.write((party, principal), |tx, (party, principal)| {
            Box::pin(member_put(tx, *party, *principal, "", at(0)))
        })
        .await;
    }

    /// A namespace at `path`, whose parent is there; `library` is, and only changes.
    pub(super) async fn namespace(
        &self,
        path: &str,
        visibility: Visibility,
        read_only: bool,
    ) -> NamespaceId {
        let args = (path.to_owned(), visibility, read_only);
        self.write(args, |tx, (path, visibility, read_only)| {
            Box::pin(async move {
                let parent = match path.rsplit_once('/') {
                    Some((parent, _)) => namespace_at(tx, parent).await?.unwrap().id,
                    None => NamespaceId(0),
                };
                if namespace_at(tx, path).await?.is_none() {
                    let new = NewNamespace {
                        parent,
                        path,
                        owner: PrincipalId(0),
                        visibility: *visibility,
                        description: "",
                        now: at(0),
                    };
                    namespace_put(tx, &new).await?;
                }
                let mut namespace = namespace_at(tx, path).await?.unwrap();
                namespace.visibility = *visibility;
                namespace.read_only = *read_only;
                namespace_change(tx, &namespace, at(0)).await?;
                Ok(namespace.id)
            })
        })
        .await
    }

    pub(super) async fn repo(
        &self,
        name: &str,
        visibility: Option<Visibility>,
        read_only: bool,
    ) -> i64 {
        let args = (name.parse().unwrap(), visibility, read_only);
        self.write(args, |tx, (name, visibility, read_only)| {
            Box::pin(async move {
                let id = repo_open(tx, name, at(0)).await?;
                profile_open(tx, id, PrincipalId(0), at(0)).await?;
                let profile = Profile {
                    visibility: *visibility,
                    read_only: *read_only,
                    ..Profile::default()
                };
                profile_change(tx, id, &profile, at(0)).await?;
                Ok(id)
            })
        })
        .await
    }

    pub(super) async fn bind(&self, binding: Binding) -> i64 {
        self.write(binding, |tx, binding| Box::pin(binding_put(tx, binding)))
            .await
    }

    pub(super) async fn may(&self, who: &Who, action: Action, object: &str) -> bool {
        let object = object_of(object);
        self.judge
            .allows(who, action, &object, now())
            .await
            .unwrap()
    }

    pub(super) async fn why(&self, who: &Who, action: Action, object: &str) -> Explanation {
        let object = object_of(object);
        self.judge
            .explain(who, action, &object, now())
            .await
            .unwrap()
    }

    pub(super) async fn grant(&self, who: &Who, scope: &str) -> Vec<Grant> {
        let asked = [scope.parse().unwrap()];
        self.judge
            .grant(who, &asked, Sight::Here, now())
            .await
            .unwrap()
            .grants
    }

    pub(super) async fn reach(&self, who: &Who, action: Action) -> Reach {
        self.judge.reach(who, action, now()).await.unwrap()
    }
}

/// `acme/app` or `acme/app:1.0`; the empty text is the system.
pub(super) fn object_of(text: &str) -> Object {
    match text.split_once(':') {
        _ if text.is_empty() => Object::System,
        Some((repo, tag)) => Object::Tag(repo.parse().unwrap(), tag.parse().unwrap()),
        None => Object::Repository(text.parse().unwrap()),
    }
}

pub(super) fn who(id: PrincipalId) -> Who {
    Who::principal(id, Via::Password, HERE)
}

pub(super) fn stranger() -> Who {
    Who::stranger(HERE)
}

/// A binding without any condition.
pub(super) fn binding(subject: impl Into<Subject>, role: i64, namespace: NamespaceId) -> Binding {
    Binding::plain(subject, role, namespace, (PrincipalId(0), at(0)))
}
