//! Token scopes: what a client asks a token for, and what a token allows.
//!
//! Source: the Docker registry token specification, "scope" and "access". Unknown resource types and actions are part
//! of the grammar and are kept or dropped, never granted more than they say.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::host::Host;
use crate::name::RepoName;

/// What a scope is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A repository, `repository:acme/app`; some clients put the registry's host before its name.
    Repository {
        /// The host before the name.
        host: Option<Host>,
        /// The repository.
        repo: RepoName,
    },
    /// Something of the registry as a whole, `registry:catalog`.
    Registry(Box<str>),
    /// A type this registry has nothing of. Allowed to be asked for; grants nothing.
    Other {
        /// The type.
        kind: Box<str>,
        /// The name, not interpreted.
        name: Box<str>,
    },
}

/// What may be done: a set of `pull`, `push`, `delete` and `*`.
///
/// `*` is an action of its own that stands for every other one. Actions with other names are dropped when read: they
/// could not be granted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Actions(u8);

/// Names and bits, in the order they are written.
const ACTIONS: [(&str, Actions); 4] = [
    ("pull", Actions::PULL),
    ("push", Actions::PUSH),
    ("delete", Actions::DELETE),
    ("*", Actions::ALL),
];

impl Actions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Read content and lists.
    pub const PULL: Self = Self(1);
    /// Add content.
    pub const PUSH: Self = Self(2);
    /// Remove content.
    pub const DELETE: Self = Self(4);
    /// Everything.
    pub const ALL: Self = Self(8);

    /// Whether this allows everything that `other` asks for.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & Self::ALL.0 != 0 || self.0 & other.0 == other.0
    }

    /// Whether this allows nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What either allows.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both allow.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        match (self.contains(Self::ALL), other.contains(Self::ALL)) {
            (true, _) => other,
            (_, true) => self,
            _ => Self(self.0 & other.0),
        }
    }

    /// The actions' names, in the order `pull`, `push`, `delete`, `*`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ACTIONS
            .into_iter()
            .filter(move |(_, action)| self.0 & action.0 != 0)
            .map(|(name, _)| name)
    }

    /// Reads one action; an unknown one is [`Actions::NONE`].
    fn named(name: &str) -> Self {
        ACTIONS
            .into_iter()
            .find(|(known, _)| *known == name)
            .map_or(Self::NONE, |(_, action)| action)
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actions({self})")
    }
}

/// As in a scope: `pull,push`.
impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Why a text is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// The grammar is broken.
    #[error(
        "a scope is written <type>:<name>:<action>[,<action>], as in repository:acme/app:pull,push"
    )]
    Malformed,
    /// More than [`Scopes::MAX`] scopes.
    #[error("one request asks for at most {} scopes", Scopes::MAX)]
    TooMany,
}

/// One scope: a resource and what to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// What it is about.
    pub resource: Resource,
    /// What may be done with it.
    pub actions: Actions,
}

impl Resource {
    /// A resource from its type and name, as in a token's access list.
    ///
    /// # Errors
    /// `Malformed`, when the type is not lower-case letters and digits, or the name does not fit the type.
    pub fn from_parts(kind: &str, name: &str) -> Result<Self, ScopeError> {
        // `repository(plugin)` is the old way to write the class of a repository; the class means nothing here.
        let kind = match kind.split_once('(') {
            Some((kind, class)) => {
                let class = class.strip_suffix(')').ok_or(ScopeError::Malformed)?;
                if !is_word(class) {
                    return Err(ScopeError::Malformed);
                }
                kind
            }
            None => kind,
        };
        if !is_word(kind) || name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ScopeError::Malformed);
        }
        match kind {
            "repository" => repository(name),
            "registry" if !name.contains(':') => Ok(Self::Registry(name.into())),
            "registry" => Err(ScopeError::Malformed),
            _ if name_with_port(name) => Ok(Self::Other {
                kind: kind.into(),
                name: name.into(),
            }),
            _ => Err(ScopeError::Malformed),
        }
    }

    /// The type, as in a token's access list.
    pub fn kind(&self) -> &str {
        match self {
            Self::Repository { .. } => "repository",
            Self::Registry(_) => "registry",
            Self::Other { kind, .. } => kind,
        }
    }

    /// The name, as in a token's access list.
    pub fn name(&self) -> String {
        match self {
            Self::Repository { host: None, repo } => repo.to_string(),
            Self::Repository {
                host: Some(host),
                repo,
            } => format!("{host}/{repo}"),
            Self::Registry(name) | Self::Other { name, .. } => name.to_string(),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `[hostname '/'] component ['/' component]*`. A name that is a repository's as it stands is one, even if its first
/// component looks like a host: `example.com/app` may be a repository of this registry.
fn repository(name: &str) -> Result<Resource, ScopeError> {
    if let Ok(repo) = name.parse() {
        return Ok(Resource::Repository { host: None, repo });
    }
    let (host, repo) = name.split_once('/').ok_or(ScopeError::Malformed)?;
    Ok(Resource::Repository {
        host: Some(host.parse().map_err(|_| ScopeError::Malformed)?),
        repo: repo.parse().map_err(|_| ScopeError::Malformed)?,
    })
}

/// Whether a colon, if there is one, stands in the first component and before a port.
fn name_with_port(name: &str) -> bool {
    match name.split_once('/') {
        Some((first, rest)) => {
            !rest.contains(':') && (!first.contains(':') || first.parse::<Host>().is_ok())
        }
        None => !name.contains(':'),
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        // The name may hold a host with a port: split at the first and the last colon only.
        let (kind, rest) = text.split_once(':').ok_or(ScopeError::Malformed)?;
        let (name, actions) = rest.rsplit_once(':').ok_or(ScopeError::Malformed)?;
        let is_action =
            |action: &str| action == "*" || action.bytes().all(|byte| byte.is_ascii_lowercase());
        if !actions.split(',').all(is_action) {
            return Err(ScopeError::Malformed);
        }
        Ok(Self {
            resource: Resource::from_parts(kind, name)?,
            actions: actions
                .split(',')
                .map(Actions::named)
                .fold(Actions::NONE, Actions::union),
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.resource.kind(),
            self.resource.name(),
            self.actions
        )
    }
}

/// Scopes together: each resource once, with all that may be done with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeMap<Resource, Actions>);

impl Scopes {
    /// The most scopes of one request, repeated ones counted.
    pub const MAX: usize = 50;

    /// Reads scopes from `texts`, each of which may hold several separated by spaces: a client may repeat the
    /// parameter or join its values. Empty texts ask for nothing.
    ///
    /// # Errors
    /// `Malformed` for the first bad scope, `TooMany` beyond [`Scopes::MAX`].
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopeError> {
        let mut scopes = Self::default();
        let words = texts.into_iter().flat_map(|text| text.split(' '));
        for (count, word) in words.filter(|word| !word.is_empty()).enumerate() {
            if count >= Self::MAX {
                return Err(ScopeError::TooMany);
            }
            scopes.add(word.parse()?);
        }
        Ok(scopes)
    }

    /// Adds a scope to what is there.
    pub fn add(&mut self, scope: Scope) {
        let actions = self.0.entry(scope.resource).or_default();
        *actions = actions.union(scope.actions);
    }

    /// What may be done with `resource`.
    pub fn actions(&self, resource: &Resource) -> Actions {
        self.0.get(resource).copied().unwrap_or_default()
    }

    /// Whether these allow everything that `other` asks for.
    pub fn contains(&self, other: &Self) -> bool {
        other
            .0
            .iter()
            .all(|(resource, actions)| self.actions(resource).contains(*actions))
    }

    /// Each resource with what may be done with it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, Actions)> {
        self.0
            .iter()
            .map(|(resource, actions)| (resource, *actions))
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<Scope> for Scopes {
    fn extend<I: IntoIterator<Item = Scope>>(&mut self, scopes: I) {
        scopes.into_iter().for_each(|scope| self.add(scope));
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut all = Self::default();
        all.extend(scopes);
        all
    }
}

/// Joined by spaces, as in a `scope` parameter and in a challenge.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (resource, actions)) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{}:{}:{actions}", resource.kind(), resource.name())?;
        }
        Ok(())
    }
}
