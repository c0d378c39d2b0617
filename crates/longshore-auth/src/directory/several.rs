//! Several directories, asked one after the other within one time limit.
//!
//! A login is answered within five seconds whatever is down: those that are asked share the time, and what one does not use
//! is for the next. One that was given up counts as failed, whoever gave it up, and is left alone for a while; the others have
//! its share meanwhile. The first that knows the person decides. Where none does, and one could not be asked, the login fails for that reason, for
//! it may be the one that knows. Answers are remembered for a minute under a keyed hash, since a push repeats its password
//! some hundred times, and a wrong one that a client repeats must not use up the attempts that a directory allows.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use super::breaker::Breaker;
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
    list: Arc<[Place]>,
    key: Arc<hmac::Key>,
    answers: Arc<Cache<[u8; 32], Arc<Answer>>>,
}

/// A directory, and whether it is left alone.
#[derive(Debug)]
struct Place {
    directory: Arc<dyn Directory>,
    breaker: Breaker,
}

impl Directories {
    /// These, to be asked in this order.
    ///
    /// # Errors
    /// Two have one name, or the system gives no random numbers.
    pub fn new(list: Vec<Arc<dyn Directory>>) -> Result<Self, SetupError> {
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
        let places = list.into_iter().map(|directory| Place {
            directory,
            breaker: Breaker::default(),
        });
        Ok(Directories {
            list: places.collect(),
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
        let begun = Instant::now();
        // Those that are left alone take no time.
        let waiting = self.list.iter().filter(|it| !it.breaker.pauses(now));
        let shares = u32::try_from(waiting.count().max(1)).unwrap_or(u32::MAX);
        let mut asked = 0;
        let mut failed = None;
        for place in self.list.iter() {
            let mut until = LOGIN_WITHIN;
            if !place.breaker.pauses(now) {
                asked = shares.min(asked + 1);
                until = LOGIN_WITHIN / shares * asked;
            }
            match place.ask((user, password), now, begun, begun + until).await {
                Ok(Some(person)) => return Ok(Some(person)),
                Ok(None) => {}
                Err(error) => {
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

impl Place {
    /// Asks it, unless it is left alone, and notes whether it answers. A login that began at `begun` waits for it `until` then.
    async fn ask(
        &self,
        (user, password): (&str, &[u8]),
        now: SystemTime,
        begun: Instant,
        until: Instant,
    ) -> Result<Option<Person>, DirectoryError> {
        let name = || self.directory.name().to_owned();
        if !self.breaker.lets(now) {
            return Err(DirectoryError::Unavailable {
                name: name(),
                why: "it failed a moment ago".to_owned(),
            });
        }
        let answer = match timeout_at(until, self.directory.check(user, password, now)).await {
            Ok(answer) => answer,
            Err(_) => Err(DirectoryError::Unavailable {
                name: name(),
                why: "it did not answer in time".to_owned(),
            }),
        };
        match &answer {
            Ok(_) | Err(DirectoryError::Entry { .. }) => self.breaker.answered(),
            // The pause begins when it is over with waiting: it would be gone before the next login comes.
            Err(DirectoryError::Unavailable { .. }) => {
                self.breaker
                    .failed(now + Instant::now().duration_since(begun));
            }
            // We are busy, and it may be well.
            Err(DirectoryError::Busy { .. }) => {}
        }
        answer
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
mod tests;
