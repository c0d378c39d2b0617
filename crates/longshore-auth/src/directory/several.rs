//! Several directories, asked one after the other within one time limit.
//!
//! A login is answered within five seconds whatever is down: each directory gets its share of the time. The
//! first that knows the person decides. Where none does, and one could not be asked, the login fails for that reason, for
//! it may be the one that knows. Answers are remembered for a minute under a keyed hash, since a push repeats its password
//! some hundred times, and a wrong one that a client repeats must not use up the attempts that a directory allows.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::{Directory, DirectoryError, Person};
use crate::age::apart;
use crate::options::SetupError;
use crate::seat;

/// A login is answered within this time.
pub const LOGIN_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer is remembered.
const REMEMBER: Duration = Duration::from_mins(1);
/// The most answers that are remembered.
const MAX_ANSWERS: usize = 10_000;
/// The longest name that is asked for, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The longest password, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// An answer, once there is one, and when it was asked for.
#[derive(Debug, Default)]
struct Answer(OnceCell<(Option<Person>, SystemTime)>);

impl Answer {
    fn is_stale(&self, now: SystemTime) -> bool {
        self.0
            .get()
            .is_some_and(|(_, asked)| apart(now, *asked) >= REMEMBER)
    }
}

/// All directories of this system. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct Directories {
    list: Arc<[Arc<dyn Directory>]>,
    key: Arc<hmac::Key>,
    answers: Arc<Cache<[u8; 32], Arc<Answer>>>,
    /// How long each may take.
    share: Duration,
}

impl Directories {
    /// These, to be asked in this order.
    ///
    /// # Errors
    /// Two have one name, or the system gives no random numbers.
    pub fn new(list: Vec<Arc<dyn Directory>>) -> Result<Self, SetupError> {
        Self::within(LOGIN_WITHIN, list)
    }

    fn within(time: Duration, list: Vec<Arc<dyn Directory>>) -> Result<Self, SetupError> {
        for (at, directory) in list.iter().enumerate() {
            if list
                .iter()
                .skip(at + 1)
                .any(|other| other.name() == directory.name())
            {
                return Err(SetupError::Option {
                    option: "name",
                    problem: format!("two directories are called `{}`", directory.name()),
                });
            }
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
            SetupError::Option {
                option: "directories",
                problem: "the system gives no random numbers".to_owned(),
            }
        })?;
        let count = u32::try_from(list.len().max(1)).unwrap_or(u32::MAX);
        Ok(Directories {
            share: time / count,
            list: list.into(),
            key: Arc::new(key),
            answers: Arc::new(Cache::new(MAX_ANSWERS)),
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Who logs in with this name and password. Limits on attempts are the caller's.
    ///
    /// # Errors
    /// Nobody was found, and a directory that might know them could not be asked.
    pub async fn check(
        &self,
        user: &str,
        password: &[u8],
        now: SystemTime,
    ) -> Result<Option<Person>, DirectoryError> {
        if self.list.is_empty() || !may_be(user, password) {
            return Ok(None);
        }
        let tag = self.tag(user, password);
        let answer = seat::at(&self.answers, &tag, |answer| answer.is_stale(now));
        let (person, _) = answer
            .0
            .get_or_try_init(|| async {
                let person = self.ask(user, password, now).await?;
                Ok((person, now))
            })
            .await?;
        Ok(person.clone())
    }

    /// Forgets all answers, so that the next login asks.
    pub fn forget(&self) {
        self.answers.clear();
    }

    async fn ask(
        &self,
        user: &str,
        password: &[u8],
        now: SystemTime,
    ) -> Result<Option<Person>, DirectoryError> {
        let mut failed = None;
        for directory in self.list.iter() {
            match timeout(self.share, directory.check(user, password, now)).await {
                Ok(Ok(Some(person))) => return Ok(Some(person)),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => {
                    tracing::warn!("{error}");
                    failed = Some(error);
                }
                Err(_) => {
                    let error = DirectoryError::Unavailable {
                        name: directory.name().to_owned(),
                        why: "it did not answer in time".to_owned(),
                    };
                    tracing::warn!("{error}");
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }

    /// What an answer is remembered under. The length of the name comes first, so that no two questions give one text.
    fn tag(&self, user: &str, password: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(user.len() as u64).to_be_bytes());
        context.update(user.as_bytes());
        context.update(password);
        let mut tag = [0; 32];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

/// Whether a directory may be asked at all. A bind with an empty password is one without any, which directories accept for
/// every name; a NUL ends the text in some, and then what is left may be empty.
pub(crate) fn may_be(user: &str, password: &[u8]) -> bool {
    let is_blank = std::str::from_utf8(password).is_ok_and(|text| text.trim().is_empty());
    !is_blank
        && !password.contains(&0)
        && password.len() <= MAX_PASSWORD_BYTES
        && !user.trim().is_empty()
        && user.len() <= MAX_NAME_BYTES
        && !user.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    /// A directory that knows one name and password, or none, or never answers.
    #[derive(Debug)]
    struct Fake {
        name: &'static str,
        knows: Option<(&'static str, &'static str)>,
        answers: bool,
        asked: AtomicUsize,
    }

    impl Fake {
        fn new(name: &'static str, knows: Option<(&'static str, &'static str)>) -> Arc<Self> {
            Arc::new(Fake {
                name,
                knows,
                answers: true,
                asked: AtomicUsize::new(0),
            })
        }

        fn dead(name: &'static str) -> Arc<Self> {
            Arc::new(Fake {
                name,
                knows: None,
                answers: false,
                asked: AtomicUsize::new(0),
            })
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    fn person(source: &str, name: &str) -> Person {
        Person {
            source: source.to_owned(),
            subject: name.to_owned(),
            name: name.to_owned(),
            mail: None,
            mail_verified: false,
            full_name: None,
            groups: None,
            admin: None,
        }
    }

    #[async_trait]
    impl Directory for Fake {
        fn name(&self) -> &str {
            self.name
        }

        async fn check(
            &self,
            user: &str,
            password: &[u8],
            _: SystemTime,
        ) -> Result<Option<Person>, DirectoryError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if !self.answers {
                std::future::pending::<()>().await;
            }
            let is_it = self
                .knows
                .is_some_and(|(name, right)| name == user && right.as_bytes() == password);
            Ok(is_it.then(|| person(self.name, user)))
        }
    }

    #[tokio::test]
    async fn a_login_is_answered_although_a_directory_never_answers() {
        let (dead, alive) = (Fake::dead("a"), Fake::new("b", Some(("alice", "secret"))));
        let both = || vec![dead.clone() as Arc<dyn Directory>, alive.clone()];
        assert_eq!(Directories::new(both()).unwrap().share, LOGIN_WITHIN / 2);
        let directories = Directories::within(Duration::from_millis(20), both()).unwrap();
        let found = directories.check("alice", b"secret", NOW).await.unwrap();
        assert_eq!(found, Some(person("b", "alice")));
        let lost = directories.check("bob", b"secret", NOW).await;
        assert!(
            matches!(lost, Err(DirectoryError::Unavailable { name, .. }) if name == "a"),
            "the one that could not be asked may know them"
        );
        assert_eq!(dead.asked(), 2, "and that was not remembered");
    }

    #[tokio::test]
    async fn the_first_that_knows_decides_and_names_are_unique() {
        let (first, second) = (
            Fake::new("a", Some(("alice", "one"))),
            Fake::new("b", Some(("alice", "two"))),
        );
        let directories = Directories::new(vec![first.clone(), second.clone()]).unwrap();
        let found = directories.check("alice", b"one", NOW).await.unwrap();
        assert_eq!(found, Some(person("a", "alice")));
        assert_eq!(second.asked(), 0, "no password goes further than it must");
        let found = directories.check("alice", b"two", NOW).await.unwrap();
        assert_eq!(found, Some(person("b", "alice")), "another person");
        assert!(Directories::new(vec![first.clone(), first]).is_err());
    }

    #[tokio::test]
    async fn an_answer_is_remembered_for_a_minute_whether_good_or_bad() {
        let directory = Fake::new("a", Some(("alice", "secret")));
        let directories = Directories::new(vec![directory.clone()]).unwrap();
        for _ in 0..10 {
            assert!(
                directories
                    .check("alice", b"secret", NOW)
                    .await
                    .unwrap()
                    .is_some()
            );
            assert!(
                directories
                    .check("alice", b"wrong", NOW)
                    .await
                    .unwrap()
                    .is_none()
            );
        }
        assert_eq!(directory.asked(), 2);
        directories
            .check("alice", b"secret", NOW + REMEMBER)
            .await
            .unwrap();
        assert_eq!(directory.asked(), 3);
        directories.forget();
        directories
            .check("alice", b"secret", NOW + REMEMBER)
            .await
            .unwrap();
        assert_eq!(directory.asked(), 4);
    }

    #[tokio::test]
    async fn passwords_that_a_directory_takes_for_none_are_never_sent() {
        let directory = Fake::new("a", Some(("alice", "")));
        let directories = Directories::new(vec![directory.clone()]).unwrap();
        let long = "x".repeat(1025);
        for password in [
            "", " ", "\t\n", "\u{a0}", "\0", "\0secret", "secret\0", &long,
        ] {
            let found = directories.check("alice", password.as_bytes(), NOW).await;
            assert_eq!(found, Ok(None), "{password:?}");
        }
        for user in ["", " ", "a\0b", "a\nb", &long] {
            assert_eq!(
                directories.check(user, b"secret", NOW).await,
                Ok(None),
                "{user:?}"
            );
        }
        assert_eq!(directory.asked(), 0);
    }
}
