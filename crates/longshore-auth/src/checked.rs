//! Checking a password at the cost of one hash a minute and user.
//!
//! Docker sends the password with each request, some hundred times in a push, and a hash takes a twentieth of a second.
//! So a verdict is remembered for a minute, under a keyed hash of user, password and what it was checked against; the key
//! is made at start and never leaves the process. Requests that ask the same at the same time wait for one hash. What is
//! remembered also keeps a client that repeats one wrong password from counting as many failures.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::{hmac, rand::SystemRandom};
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use crate::age::apart;
use crate::hashing::Hashing;
use crate::identity::Refusal;
use crate::options::{Limits, SetupError};
use crate::seat;
use crate::throttle::Throttle;

/// How long a verdict is remembered.
const REMEMBER: Duration = Duration::from_mins(1);
/// The most verdicts that are remembered, some 200 bytes each.
const MAX_VERDICTS: usize = 10_000;

/// Whether a password is right, once that is known.
#[derive(Default)]
struct Verdict(OnceCell<(bool, SystemTime)>);

impl Verdict {
    /// Whether the verdict was made too long ago.
    fn is_stale(&self, now: SystemTime) -> bool {
        self.0
            .get()
            .is_some_and(|(_, made)| apart(now, *made) >= REMEMBER)
    }
}

/// Checks passwords.
pub(crate) struct Checks {
    key: hmac::Key,
    verdicts: Cache<[u8; 32], Arc<Verdict>>,
    pub(crate) hashing: Hashing,
    pub(crate) throttle: Throttle,
}

impl Checks {
    pub(crate) fn new(limits: &Limits) -> Result<Self, SetupError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
            SetupError::Option {
                option: "passwords",
                problem: "the system gives no random numbers".to_owned(),
            }
        })?;
        Ok(Checks {
            key,
            verdicts: Cache::new(MAX_VERDICTS),
            hashing: Hashing::new(limits),
            throttle: Throttle::new(limits),
        })
    }

    /// Whether `verify` accepts the password, or did lately. `against` is what it is checked against: where that changes,
    /// nothing of before counts.
    ///
    /// # Errors
    /// Nobody may try just now.
    pub(crate) async fn check(
        &self,
        question: (&str, &[u8], &[u8]),
        peer: IpAddr,
        now: SystemTime,
        verify: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<bool, Refusal> {
        let hashed = async {
            self.hashing.run(verify).await.map_err(|_| {
                Refusal::throttled(
                    Duration::from_secs(1),
                    "too many passwords wait for their hash",
                )
            })
        };
        self.ask(question, peer, now, hashed).await
    }

    /// The same for a password that somebody else checks. An error of theirs is no failure, and is not remembered.
    ///
    /// # Errors
    /// Nobody may try just now, or it cannot be checked.
    pub(crate) async fn ask(
        &self,
        (user, password, against): (&str, &[u8], &[u8]),
        peer: IpAddr,
        now: SystemTime,
        verify: impl Future<Output = Result<bool, Refusal>>,
    ) -> Result<bool, Refusal> {
        let tag = self.tag(user, password, against);
        let remembered = self
            .verdicts
            .get(&tag)
            .filter(|verdict| !verdict.is_stale(now));
        let verdict = if let Some(verdict) = remembered {
            verdict
        } else {
            // Before anything is kept: attempts that may not be made must not push out what is remembered.
            if let Some(wait) = self.throttle.wait(user, peer, now) {
                return Err(throttled(wait));
            }
            seat::at(&self.verdicts, &tag, |verdict| verdict.is_stale(now))
        };
        let (good, _) = verdict
            .0
            .get_or_try_init(|| async {
                let attempt = self.throttle.begin(user, peer, now).map_err(throttled)?;
                let good = verify.await?;
                attempt.end(good, now);
                Ok((good, now))
            })
            .await?;
        Ok(*good)
    }

    /// What a verdict is remembered under. Lengths come first: no two different questions give one text.
    pub(crate) fn tag(&self, user: &str, password: &[u8], against: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"verdict");
        for part in [against, user.as_bytes(), password] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }

    /// A number that is always the same for a user name and that nobody outside can foretell.
    pub(crate) fn decoy(&self, user: &str) -> u64 {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"decoy");
        context.update(user.as_bytes());
        context
            .sign()
            .as_ref()
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

pub(crate) fn throttled(wait: Duration) -> Refusal {
    Refusal::throttled(wait, "too many failures of this account or address")
}
