//! Basic credentials against an htpasswd file, at the cost of one hash a minute and user.
//!
//! Docker sends the password with each request, some hundred times in a push, and a hash takes a twentieth of a second.
//! So a verdict is remembered for a minute, under a keyed hash of user, password and reading of the file; the key is
//! made at start and never leaves the process. Requests that ask the same at the same time wait for one hash. What is
//! remembered also keeps a client that repeats one wrong password from counting as many failures.

pub(crate) mod fuzzing;
mod line;
mod list;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::{hmac, rand::SystemRandom};
use longshore_core::{Actor, Rights};
use moka::sync::Cache;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use self::list::UserList;
use crate::age::apart;
use crate::hashing::Hashing;
use crate::identity::{Identity, IdentityKind, Refusal};
use crate::options::{HtpasswdOptions, SetupError};
use crate::throttle::Throttle;
use crate::watched::WatchedFile;

/// How long a verdict is remembered.
const REMEMBER: Duration = Duration::from_mins(1);
/// The most verdicts that are remembered, some 200 bytes each.
const MAX_VERDICTS: u64 = 10_000;
/// What to do where there is no file.
const MISSING_HINT: &str = "make it with `htpasswd -Bc FILE USER`, or take the setting out";

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

/// Checks user names and passwords.
pub(crate) struct Htpasswd {
    pub(crate) realm: String,
    users: Arc<WatchedFile<UserList>>,
    key: hmac::Key,
    verdicts: Cache<[u8; 32], Arc<Verdict>>,
    hashing: Hashing,
    throttle: Throttle,
}

impl Htpasswd {
    pub(crate) async fn open(
        options: &HtpasswdOptions,
        now: SystemTime,
    ) -> Result<Self, SetupError> {
        let users = WatchedFile::<UserList>::open(options.file.clone(), MISSING_HINT, now).await?;
        if users.current().value.is_useless() {
            return Err(SetupError::Broken {
                path: options.file.clone(),
                problem: "none of its lines has a hash that is accepted; make each anew with `htpasswd -B FILE USER`"
                    .to_owned(),
            });
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
            SetupError::Option {
                option: "htpasswd",
                problem: "the system gives no random numbers".to_owned(),
            }
        })?;
        Ok(Htpasswd {
            realm: options.realm.clone(),
            users: Arc::new(users),
            key,
            verdicts: Cache::new(MAX_VERDICTS),
            hashing: Hashing::new(&options.limits),
            throttle: Throttle::new(&options.limits),
        })
    }

    /// Checks one pair.
    ///
    /// # Errors
    /// It is wrong, or nobody may try just now.
    pub(crate) async fn identify(
        &self,
        user: &str,
        password: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        self.users.refresh(now).await;
        let users = self.users.current();
        let tag = self.tag(user, &password, users.generation);
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
            let seat = self.verdicts.entry(tag);
            seat.or_insert_with_if(Arc::default, |verdict| verdict.is_stale(now))
                .into_value()
        };
        let (good, _) = verdict
            .0
            .get_or_try_init(|| async {
                let attempt = self.throttle.begin(user, peer, now).map_err(throttled)?;
                let owner = user.to_owned();
                let picked = self.decoy(user);
                let good = self
                    .hashing
                    .run(move || users.value.verify(&owner, &password, picked))
                    .await
                    .map_err(|_| {
                        Refusal::throttled(
                            Duration::from_secs(1),
                            "too many passwords wait for their hash",
                        )
                    })?;
                attempt.end(good, now);
                Ok((good, now))
            })
            .await?;
        if *good {
            Ok(Identity {
                actor: Actor::Named(user.into()),
                rights: Rights::Everything,
                kind: IdentityKind::Password,
            })
        } else {
            Err(Refusal::password("no such user, or another password"))
        }
    }

    /// What a verdict is remembered under. Lengths come first: no two different questions give one text.
    fn tag(&self, user: &str, password: &[u8], generation: u64) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"verdict");
        context.update(&generation.to_be_bytes());
        context.update(&(user.len() as u64).to_be_bytes());
        context.update(user.as_bytes());
        context.update(password);
        let mut tag = [0; 32];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }

    /// A number that is always the same for a user name and that nobody outside can foretell.
    fn decoy(&self, user: &str) -> u64 {
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

fn throttled(wait: Duration) -> Refusal {
    Refusal::throttled(wait, "too many failures of this account or address")
}

#[cfg(test)]
mod tests;
