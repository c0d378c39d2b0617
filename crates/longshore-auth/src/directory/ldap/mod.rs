//! LDAP directories and Active Directory (RFC 4511 to 4519).
//!
//! A login is a search by somebody who may search, on one connection, and a bind as whoever was found, on another: a bind
//! changes who a connection is, and the pooled one must stay what it was. The password goes nowhere but into that bind, and
//! an empty one never does, since directories take it for no login at all and say yes. Then the groups are read, whole or
//! not at all. What happens in one login is bounded: its time, its searches, the bytes and the depth of answers.

mod guard;
mod link;
mod options;
mod pool;
mod search;
mod text;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use ldap3::LdapResult;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

use self::link::{Connection, Dial};
pub use self::options::{GroupSearch, Groups, LdapOptions};
use self::pool::Pool;
use self::search::Found;
use self::text::{fill, plain};
use super::several::may_be;
use super::{Directory, DirectoryError, Person};
use crate::options::SetupError;

/// How many logins may wait while all connections are in use.
const QUEUE: usize = 64;

/// An LDAP directory.
#[derive(Clone)]
pub struct Ldap(Arc<Inner>);

struct Inner {
    options: LdapOptions,
    pool: Pool,
    running: Semaphore,
    admitted: Semaphore,
}

impl fmt::Debug for Ldap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ldap").field(&self.0.options).finish()
    }
}

/// Why a login there came to no answer.
#[derive(Debug)]
enum Trouble {
    /// Something is wrong with the directory, or the way to it.
    Down(String),
    /// Something is wrong with one entry: nobody else waits for that.
    Entry(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Trouble::Down(why)
    }
}

impl Ldap {
    /// A directory that is asked as `options` say. Nothing is asked yet: it may start after us.
    ///
    /// # Errors
    /// An option cannot be used, or the certificates cannot be read.
    pub fn new(options: LdapOptions) -> Result<Self, SetupError> {
        check(&options)?;
        let dial = Dial::new(&options)?;
        let searcher = searcher(&options)?;
        let connections = options.connections.clamp(1, 64);
        Ok(Ldap(Arc::new(Inner {
            pool: Pool::new(dial, searcher, connections),
            running: Semaphore::new(connections),
            admitted: Semaphore::new(connections + QUEUE),
            options,
        })))
    }

    fn unavailable(&self, why: impl Into<String>) -> DirectoryError {
        DirectoryError::Unavailable {
            name: self.0.options.name.clone(),
            why: why.into(),
        }
    }
}

impl LdapOptions {
    /// Whether a directory can be asked so, as far as that can be said without its certificates.
    ///
    /// # Errors
    /// An option cannot be used.
    pub fn check(&self) -> Result<(), SetupError> {
        check(self)?;
        searcher(self)?;
        let without_file = LdapOptions {
            ca_file: None,
            ..self.clone()
        };
        Dial::new(&without_file).map(drop)
    }
}

/// Who searches, where that is somebody in particular.
fn searcher(options: &LdapOptions) -> Result<Option<(String, Zeroizing<String>)>, SetupError> {
    match (&options.bind_dn, &options.bind_password) {
        (None, None) => Ok(None),
        (Some(dn), Some(password))
            if !dn.trim().is_empty() && may_be("searcher", password.as_bytes()) =>
        {
            Ok(Some((dn.clone(), password.clone())))
        }
        _ => Err(SetupError::Option {
            option: "bind_dn",
            problem: "who searches needs a name and a password, neither of them empty; leave both out to search as nobody"
                .to_owned(),
        }),
    }
}

/// Whether filters can be used: they must be whole, and one for a person must look at the name.
fn check(options: &LdapOptions) -> Result<(), SetupError> {
    let wrong = |option, problem: &str| SetupError::Option {
        option,
        problem: problem.to_owned(),
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !is_name(&options.name) {
        return Err(wrong(
            "name",
            "it must be letters, digits, `-`, `_` and `.`",
        ));
    }
    let parses = |template: &str| {
        let filled = fill(template, &[("user", "x"), ("dn", "cn=x")]);
        filled.starts_with('(') && ldap3::parse_filter(filled).is_ok()
    };
    if !options.user_filter.contains("{user}") || !parses(&options.user_filter) {
        return Err(wrong(
            "user_filter",
            "it must be a filter in parentheses with `{user}` where the name goes",
        ));
    }
    if let Groups::Search(by) = &options.groups {
        let has_member =
            by.filter.contains("{dn}") || (by.depth <= 1 && by.filter.contains("{user}"));
        if !has_member || !parses(&by.filter) {
            return Err(wrong(
                "group_filter",
                "it must be a filter in parentheses with `{dn}` where the member goes",
            ));
        }
    }
    if options.admin_group.is_some() && options.groups == Groups::None {
        return Err(wrong(
            "admin_group",
            "it is never found, as groups are not looked for; set how groups are found",
        ));
    }
    Ok(())
}

#[async_trait]
impl Directory for Ldap {
    fn name(&self) -> &str {
        &self.0.options.name
    }

    async fn check(
        &self,
        user: &str,
        password: &[u8],
        now: SystemTime,
    ) -> Result<Option<Person>, DirectoryError> {
        let Ok(text) = std::str::from_utf8(password) else {
            return Ok(None);
        };
        if !may_be(user, password) {
            return Ok(None);
        }
        let Ok(_admitted) = self.0.admitted.try_acquire() else {
            return Err(DirectoryError::Busy {
                name: self.0.options.name.clone(),
            });
        };
        let (inner, user, password) = (
            Arc::clone(&self.0),
            user.to_owned(),
            Zeroizing::new(text.to_owned()),
        );
        // A task of its own, so that an answer which breaks the library that reads it breaks one login. It ends with us.
        let mut task = JoinSet::new();
        task.spawn(async move { inner.login(&user, &password, now).await });
        match timeout(self.0.options.deadline, task.join_next()).await {
            Ok(Some(Ok(Ok(person)))) => Ok(person),
            Ok(Some(Ok(Err(Trouble::Down(why))))) => Err(self.unavailable(why)),
            Ok(Some(Ok(Err(Trouble::Entry(why))))) => Err(DirectoryError::Entry {
                name: self.0.options.name.clone(),
                why,
            }),
            Ok(Some(Err(_)) | None) => Err(self.unavailable("its answer cannot be read")),
            Err(_) => Err(self.unavailable("it did not answer in time")),
        }
    }
}

impl Inner {
    async fn login(
        &self,
        user: &str,
        password: &str,
        now: SystemTime,
    ) -> Result<Option<Person>, Trouble> {
        let _running = self
            .running
            .acquire()
            .await
            .map_err(|error| error.to_string())?;
        let (mut searcher, found) = self.find(user, now).await?;
        let Some(found) = found else {
            self.pool.give_back(searcher, now);
            return Ok(None);
        };
        if !self.accepts(&found.dn, password).await? {
            self.pool.give_back(searcher, now);
            return Ok(None);
        }
        let groups = search::groups(&mut searcher.ldap, &self.options, &found, user).await?;
        self.pool.give_back(searcher, now);
        Ok(Some(self.person(found, groups)))
    }

    /// The entry of `user`, and the connection it was found on. A kept connection may have died unnoticed, so a failure
    /// there is tried again on a new one.
    async fn find(
        &self,
        user: &str,
        now: SystemTime,
    ) -> Result<(Connection, Option<Found>), Trouble> {
        if let Some(mut used) = self.pool.used(now)
            && let Ok(found) = search::person(&mut used.ldap, &self.options, user).await
        {
            return Ok((used, found));
        }
        let mut fresh = self.pool.fresh().await?;
        let found = search::person(&mut fresh.ldap, &self.options, user).await?;
        Ok((fresh, found))
    }

    /// Whether the directory accepts the password, asked on a connection of its own.
    async fn accepts(&self, dn: &str, password: &str) -> Result<bool, String> {
        let mut connection = self.pool.dial.open().await?;
        let result = connection.ldap.simple_bind(dn, password).await;
        let result = result.map_err(|error| format!("a bind failed: {error}"))?;
        let accepted = verdict(&result).ok_or_else(|| format!("a bind failed: {result}"))?;
        connection.ldap.unbind().await.ok();
        Ok(accepted)
    }

    fn person(&self, found: Found, groups: Option<Vec<(String, String)>>) -> Person {
        let admin = self.options.admin_group.as_ref().map(|admin| {
            let (name, dn) = (admin.as_str(), plain(admin));
            let mut groups = groups.iter().flatten();
            groups.any(|group| group.0 == name || group.1 == dn)
        });
        let groups = groups.map(|groups| {
            let mut names: Vec<String> = groups.into_iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            names
        });
        Person {
            source: format!("ldap:{}", self.options.name),
            subject: found.subject,
            name: found.name,
            mail_verified: found.mail.is_some(),
            mail: found.mail,
            full_name: found.full_name,
            groups,
            admin,
        }
    }
}

/// Whether a bind was accepted (RFC 4511, A.1); none where the answer is about something else than the person.
fn verdict(result: &LdapResult) -> Option<bool> {
    match result.rc {
        0 => Some(true),
        // constraintViolation (locked), noSuchObject, inappropriateAuthentication, invalidCredentials,
        // insufficientAccessRights, unwillingToPerform.
        19 | 32 | 48 | 49 | 50 | 53 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_would_let_in_whom_they_should_not_are_refused() {
        let with = |change: fn(&mut LdapOptions)| {
            let mut options = LdapOptions::new("corp", "ldaps://ldap.example", "dc=example");
            change(&mut options);
            Ldap::new(options).map(drop)
        };
        assert!(with(|_| ()).is_ok());
        let bad: [fn(&mut LdapOptions); 9] = [
            |options| options.user_filter = "(uid=alice)".to_owned(),
            |options| options.user_filter = "(uid={user}".to_owned(),
            |options| options.user_filter = "uid={user}".to_owned(),
            |options| options.name = "a b".to_owned(),
            |options| options.name = String::new(),
            |options| options.bind_dn = Some("cn=search".to_owned()),
            |options| {
                options.bind_dn = Some("cn=search".to_owned());
                options.bind_password = Some(Zeroizing::new(" ".to_owned()));
            },
            |options| options.admin_group = Some("admins".to_owned()),
            |options| {
                options.groups = Groups::Search(GroupSearch {
                    filter: "(objectClass=group)".to_owned(),
                    ..GroupSearch::below("ou=groups")
                });
            },
        ];
        for change in bad {
            assert!(with(change).is_err());
        }
        assert!(with(|options| *options = options.clone().active_directory("ou=groups")).is_ok());
    }
}
