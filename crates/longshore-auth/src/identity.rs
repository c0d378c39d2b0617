//! The two answers to "who is this": an identity, or a refusal that tells the client no more than it needs.

use std::fmt;
use std::time::Duration;

use longshore_core::{Actor, Code, Error, Rights, Verb, Way};
use longshore_spec::name::RepoName;
use longshore_spec::scope::{Actions, Resource, Scope, Scopes};

use crate::options::AnonymousAccess;
use crate::rights::Via;

/// How an [`Authenticator`](crate::Authenticator) asks for credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthKind {
    /// Not at all; everybody may do everything.
    None,
    /// By Basic credentials, checked against an htpasswd file.
    Htpasswd,
    /// By Bearer tokens of an outside token server.
    Token,
    /// By Bearer tokens of the index in this process, or by what gets them.
    Index,
}

impl fmt::Display for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AuthKind::None => "none",
            AuthKind::Htpasswd => "htpasswd",
            AuthKind::Token => "token",
            AuthKind::Index => "index",
        })
    }
}

/// What an [`Identity`] rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// Nothing: the request brought no credentials, or none are asked for.
    Anonymous,
    /// A user name and its password.
    Password,
    /// A certificate that the connection was made with.
    Certificate,
    /// A signed token. Its subject may still be nobody: token servers give tokens to strangers too.
    Token,
}

/// What a request is about, as far as rights go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs<'a> {
    /// The repository; none for the registry as a whole.
    pub repo: Option<&'a RepoName>,
    /// What it does there; none for what needs no right.
    pub verb: Option<Verb>,
    /// The repository that a blob is to come from, which needs a right of its own.
    pub from: Option<&'a RepoName>,
    /// Whether it looks for repositories, which needs no right: it finds what may be seen.
    pub searches: bool,
}

impl Needs<'_> {
    /// Whether it changes anything.
    pub fn changes(&self) -> bool {
        matches!(self.verb, Some(Verb::Push | Verb::Delete))
    }

    /// What it changes and how; none where it does not.
    pub fn changed(&self) -> Option<(&RepoName, Verb)> {
        self.repo.zip(self.verb.filter(|_| self.changes()))
    }

    /// The same as scopes. Who pushes also pulls: clients look before they send.
    pub fn scopes(&self) -> Scopes {
        let mut scopes = Scopes::default();
        let mut add = |repo: &RepoName, actions| {
            let repo = repo.clone();
            scopes.add(Scope {
                resource: Resource::Repository { host: None, repo },
                actions,
            });
        };
        match (self.repo, self.verb) {
            (_, None) if !self.searches => {}
            (Some(repo), Some(verb)) => {
                add(
                    repo,
                    match verb {
                        Verb::Pull | Verb::Catalog => Actions::PULL,
                        Verb::Push => Actions::PULL.union(Actions::PUSH),
                        Verb::Delete => Actions::PULL.union(Actions::DELETE),
                    },
                );
                if let Some(from) = self.from {
                    add(from, Actions::PULL);
                }
            }
            (None, _) | (_, None) => scopes.add(Scope {
                resource: Resource::Registry("catalog".into()),
                actions: Actions::ALL,
            }),
        }
        scopes
    }
}

/// A caller whose credentials were checked, or who brought none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub actor: Actor,
    /// What it may do.
    pub rights: Rights,
    /// How it has shown who it is, for what is written down.
    pub way: Way,
    /// What that rests on. An edge answers `401` to an anonymous caller that lacks a right, so that it can log in, and
    /// tells a caller that has logged in that it is not allowed.
    pub kind: IdentityKind,
    /// Why it may not do what the request needs, where it may not and may know why: which right is missing, or what takes it away.
    /// There is nothing where a repository is not there, nor where it is hidden.
    pub lack: Option<Box<str>>,
}

impl Identity {
    pub(crate) fn anonymous(access: AnonymousAccess) -> Self {
        Identity {
            actor: Actor::Anonymous,
            rights: access.rights(),
            way: Via::Nothing.way(0),
            kind: IdentityKind::Anonymous,
            lack: None,
        }
    }
}

/// Credentials that are not accepted.
///
/// `Display` prints [`public`](Refusal::public). The same words serve for a user that does not exist and for a wrong
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{public}")]
pub struct Refusal {
    /// A sentence for the client.
    pub public: &'static str,
    /// The `error` parameter that belongs into the challenge (RFC 6750, 3.1): `invalid_token` or `invalid_request`.
    /// None where the scheme knows no such parameter.
    pub error: Option<&'static str>,
    /// How long to wait before the next attempt. Where it is there the credentials were not looked at: the answer is that of
    /// [`code`](Refusal::code), and not `401` with a challenge.
    pub retry_after: Option<Duration>,
    /// `Unauthorized`; `TooManyRequests` after too many attempts; `Unavailable` where nobody can be known just now.
    pub code: Code,
    /// What was wrong, for the log only: it may tell a stranger too much, and never holds a secret.
    pub why: &'static str,
    /// The same in a word for programs, where whoever asks has shown what they need to be told it.
    pub reason: Option<&'static str>,
}

/// Why a password that is right lets nobody in: the [`reason`](Refusal::reason) of an account with a second factor.
const SECOND_FACTOR: &str = "second-factor";

impl Refusal {
    /// Whether this refuses for something else than the credentials, so that the same may be good in a moment.
    pub fn is_throttled(&self) -> bool {
        self.retry_after.is_some()
    }

    /// Whether the password is right and a code of a second factor is wanted beside it.
    pub fn wants_factor(&self) -> bool {
        self.reason == Some(SECOND_FACTOR)
    }

    pub(crate) fn malformed(why: &'static str) -> Self {
        Refusal {
            public: "the Authorization header cannot be understood",
            error: Some("invalid_request"),
            retry_after: None,
            code: Code::Unauthorized,
            why,
            reason: None,
        }
    }

    pub(crate) fn wrong_scheme(why: &'static str) -> Self {
        Refusal {
            public: "this kind of credentials is not accepted here; the header `WWW-Authenticate` says which is, and where to get it",
            error: Some("invalid_request"),
            retry_after: None,
            code: Code::Unauthorized,
            why,
            reason: None,
        }
    }

    pub(crate) fn password(why: &'static str) -> Self {
        Refusal {
            public: "the user name or the password is wrong",
            error: None,
            retry_after: None,
            code: Code::Unauthorized,
            why,
            reason: None,
        }
    }

    pub(crate) fn throttled(retry_after: Duration, why: &'static str) -> Self {
        Refusal {
            public: "too many logins; wait before the next one",
            error: None,
            retry_after: Some(retry_after),
            code: Code::TooManyRequests,
            why,
            reason: None,
        }
    }

    /// Nobody can be known just now.
    pub(crate) fn unavailable(why: &'static str) -> Self {
        Refusal {
            public: "logins cannot be checked just now; try again in a moment",
            error: None,
            retry_after: Some(Duration::from_secs(5)),
            code: Code::Unavailable,
            why,
            reason: None,
        }
    }

    /// The password is right, and is not enough.
    pub(crate) fn second_factor() -> Self {
        Refusal {
            public: "this account has a second factor, which cannot be asked for here: use a personal access token as the password (`longshore admin token create NAME`, or your account's page)",
            reason: Some(SECOND_FACTOR),
            ..Refusal::password("a password alone, where there is a second factor")
        }
    }

    /// Somebody whom a source vouches for, and who has no account here.
    pub(crate) fn no_account(public: &'static str, why: &'static str) -> Self {
        Refusal {
            public,
            ..Refusal::password(why)
        }
    }

    pub(crate) fn token(why: &'static str) -> Self {
        Refusal {
            public: "the token is not valid here",
            error: Some("invalid_token"),
            retry_after: None,
            code: Code::Unauthorized,
            why,
            reason: None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let error = Error::new(refusal.code, refusal.public);
        match refusal.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }
}
