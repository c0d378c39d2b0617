//! What is asked about, and what lies around it.

use std::fmt;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use longshore_core::Result;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, Visibility, namespace_chain, namespace_get,
};
use longshore_meta::profiles::profile_standing;
use longshore_meta::settings::setting_get;
use longshore_meta::time::micros;
use longshore_meta::{Tx, names, repos};
use longshore_spec::name::{RepoName, Tag};

use super::role::LIBRARY;

/// The setting that says whether the system is read-only: `true` where it is.
pub const READ_ONLY: &str = "index.read_only";

/// The id of no repository. What is not there is looked up like what is there, and what is there and not everybody's like what is not:
/// the time that an answer takes would tell them apart.
pub(super) const NO_REPO: i64 = -1;
/// The same of a namespace.
pub(super) const NO_PLACE: NamespaceId = NamespaceId(-1);

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// The installation.
    System,
    /// A namespace.
    Namespace(NamespaceId),
    /// A repository, whether there is one of that name or not.
    Repository(RepoName),
    /// A tag of it, whether there is one or not.
    Tag(RepoName, Tag),
}

impl Object {
    /// The repository that is asked about, by the name that was used.
    pub fn repo(&self) -> Option<&RepoName> {
        match self {
            Object::Repository(name) | Object::Tag(name, _) => Some(name),
            Object::System | Object::Namespace(_) => None,
        }
    }

    /// The tag that is asked about.
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Object::Tag(_, tag) => Some(tag),
            _ => None,
        }
    }
}

/// Whether the content of what is asked about can be seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sight {
    /// It lies in this node's registry: a repository that has no row is not there.
    #[default]
    Here,
    /// It lies at a registry elsewhere, which says what is there. A repository that has no row may be, so rights on it are those of
    /// its name.
    Elsewhere,
}

/// A repository that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoGround {
    /// Its id, if it is there.
    pub id: Option<i64>,
    /// Its name of today.
    pub name: RepoName,
    /// Its own visibility; it narrows that of its namespace.
    pub visibility: Option<Visibility>,
    /// Whether nothing in it can be changed.
    pub read_only: bool,
}

/// What lies around what is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ground {
    /// The namespaces it lies in, the outermost first.
    pub chain: Vec<Namespace>,
    /// The repository, where one is asked about.
    pub repo: Option<RepoGround>,
    /// Whether nothing in the installation can be changed.
    pub read_only: bool,
    /// A namespace was asked about that is not there.
    pub is_nowhere: bool,
    /// Whether what is not known here could be there all the same.
    pub sight: Sight,
}

/// What is read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnly<'g> {
    /// The installation.
    System,
    /// A namespace, by its path.
    Namespace(&'g str),
    /// The repository.
    Repository,
}

impl fmt::Display for ReadOnly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadOnly::System => f.write_str("the whole system is read-only now"),
            ReadOnly::Namespace(path) => write!(f, "the namespace `{path}` is read-only"),
            ReadOnly::Repository => f.write_str("the repository is read-only"),
        }
    }
}

impl Ground {
    /// Looks around `object`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn load<'a>(
        tx: &'a mut Tx<'_>,
        object: &'a Object,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move {
            let read_only = setting_get(tx, READ_ONLY).await?.as_deref() == Some("true");
            let mut ground = Self {
                read_only,
                ..Self::default()
            };
            match object {
                Object::System => {}
                Object::Namespace(id) => {
                    let found = namespace_get(tx, *id).await?;
                    ground.is_nowhere = found.is_none();
                    // As much is read where there is none.
                    let path = found.map_or_else(String::new, |found| found.path);
                    ground.chain = namespace_chain(tx, &path).await?;
                }
                Object::Repository(name) | Object::Tag(name, _) => {
                    let found = names::name_resolve(tx, name, micros(now)).await?;
                    ground.is_nowhere = is_removed(&found.name);
                    ground.chain = namespace_chain(tx, home(&found.name)).await?;
                    let standing = profile_standing(tx, found.repo.unwrap_or(NO_REPO)).await?;
                    let (visibility, read_only) = standing.unwrap_or_default();
                    ground.repo = Some(RepoGround {
                        id: found.repo,
                        name: found.name,
                        visibility,
                        read_only,
                    });
                    if found.repo.is_some() && ground.visibility() != Visibility::Public {
                        names::name_past(tx, name, micros(now)).await?;
                    }
                }
            }
            Ok(ground)
        })
    }

    /// Looks around where a repository would lie that had exactly that name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn at(tx: &mut Tx<'_>, name: &RepoName) -> Result<Self> {
        let read_only = setting_get(tx, READ_ONLY).await?.as_deref() == Some("true");
        Ok(Self {
            chain: namespace_chain(tx, home(name)).await?,
            repo: Some(RepoGround {
                id: None,
                name: name.clone(),
                visibility: None,
                read_only: false,
            }),
            read_only,
            is_nowhere: is_removed(name),
            ..Self::default()
        })
    }

    /// Whether what is asked about is, or lies in, that namespace.
    pub fn lies_in(&self, namespace: NamespaceId) -> bool {
        self.chain.iter().any(|around| around.id == namespace)
    }

    /// The repository's name as seen from a namespace that it lies in; the whole of it from everywhere.
    pub fn below(&self, namespace: NamespaceId) -> Option<&str> {
        let name = self.repo.as_ref()?.name.as_str();
        if namespace == NamespaceId::EVERYWHERE {
            return Some(name);
        }
        let around = self.chain.iter().find(|around| around.id == namespace)?;
        let below = name
            .strip_prefix(around.path.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        Some(below.unwrap_or(name))
    }

    /// Who may read it without being given a right: the narrowest word of the repository and all around it. What is not there
    /// is nobody's to see, or else it could be told from what is hidden; what could be elsewhere is what all around it says, and
    /// the registry there answers for what is not.
    pub fn visibility(&self) -> Visibility {
        let around = self.chain.iter().map(|namespace| namespace.visibility);
        let own = match &self.repo {
            Some(repo) if repo.id.is_none() && self.sight == Sight::Here => {
                Some(Visibility::Private)
            }
            Some(repo) => repo.visibility,
            None => None,
        };
        around.chain(own).min().unwrap_or_default()
    }

    /// What keeps everything here from being changed.
    pub fn is_read_only(&self) -> Option<ReadOnly<'_>> {
        if self.read_only {
            return Some(ReadOnly::System);
        }
        if let Some(namespace) = self.chain.iter().find(|around| around.read_only) {
            return Some(ReadOnly::Namespace(&namespace.path));
        }
        let repo = self.repo.as_ref()?;
        repo.read_only.then_some(ReadOnly::Repository)
    }

    /// The ids of the places where bindings count, everywhere first.
    pub fn places(&self) -> Vec<NamespaceId> {
        let around = self.chain.iter().map(|namespace| namespace.id);
        std::iter::once(NamespaceId::EVERYWHERE)
            .chain(around)
            .collect()
    }
}

/// Whether a name is one of what was deleted: that is nobody's, also not that of those who may do everything everywhere.
fn is_removed(name: &RepoName) -> bool {
    let below = name.as_str().strip_prefix(repos::REMOVED);
    below.is_some_and(|below| below.starts_with('/'))
}

/// The path in which the namespaces of a repository's name are looked for.
pub fn home(name: &RepoName) -> &str {
    name.as_str()
        .rsplit_once('/')
        .map_or(LIBRARY, |(home, _)| home)
}
