//! From a name and a password, a personal token or a robot's secret to a principal.
//!
//! Every way in answers the same for an unknown name and a wrong secret, and takes a password hash's time for both. A
//! secret of 256 bits needs no slow hash and no remembered verdict: it is one look into an index.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use longshore_meta::Durability;
use longshore_meta::logins::{Login, login_by_id, login_by_name, login_seen, password_upgrade};
use longshore_meta::secrets::{Kind, Secret, secret_find, secret_used};
use longshore_meta::time::{micros, span};
use zeroize::Zeroizing;

use super::known::{Known, Proof};
use super::secret::{Looks, hash, looks, prefix};
use super::{Index, password};
use crate::checked::throttled;
use crate::identity::Refusal;
use crate::rights::Narrow;

/// What users and robots are in the table of principals.
pub const USER: i64 = 0;
/// See [`USER`].
pub const ROBOT: i64 = 3;
/// What a robot's name begins with where it belongs to the system.
pub const SYSTEM: &str = "robot";
/// How old the note of a secret's last use may be: one write an hour, not one a request.
const USED_EVERY: Duration = Duration::from_hours(1);

/// The name by which a principal logs in: robots carry whom they belong to before a `+`, which no other name has.
pub fn login_name(login: &Login) -> String {
    if login.kind == ROBOT {
        let owner = login.owner_name.as_deref().unwrap_or(SYSTEM);
        format!("{owner}+{}", login.name)
    } else {
        login.name.clone()
    }
}

impl Index {
    /// Who logs in with this name and password, token or secret.
    ///
    /// `peer` is the address that failures are counted for.
    ///
    /// # Errors
    /// It is wrong, or nobody may try just now.
    pub fn login<'a>(
        &'a self,
        user: &'a str,
        secret: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Known, Refusal>> {
        Box::pin(async move {
            let known = self.look_at(user, secret, peer, now).await;
            self.noted(user, known, peer, now)
        })
    }

    /// The same answer, noted: that it failed, or that somebody was seen.
    pub(super) fn noted(
        &self,
        user: &str,
        known: Result<Known, Refusal>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        known
            .inspect(|known| self.saw(known, now))
            .inspect_err(|refusal| self.0.failures.note(user, peer, now, refusal))
    }

    async fn look_at(
        &self,
        user: &str,
        secret: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        match looks(&secret) {
            Looks::Other => {}
            looks => return self.by_secret(user, &secret, looks, (peer, now)).await,
        }
        if let Some(rules) = self.rules_for(&secret, now).await? {
            return self.by_assertion(user, &secret, rules, (peer, now)).await;
        }
        let (known, has_factor) = self.password_alone(user, secret, peer, now).await?;
        if has_factor {
            return Err(Refusal::second_factor());
        }
        Ok(known)
    }

    /// Who has this name and password, and whether that is not enough.
    pub(super) fn password_alone<'a>(
        &'a self,
        user: &'a str,
        secret: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> BoxFuture<'a, Result<(Known, bool), Refusal>> {
        Box::pin(async move {
            let wrong = || Refusal::password("no such user, or another password");
            let limits = &self.0.options.limits;
            if secret.len() > limits.password_bytes {
                // A token whose issuer nobody trusts: counted like a wrong password, and never hashed.
                self.count_wrong(user, peer, now)?;
                return Err(wrong());
            }
            let found = self
                .principal(user)
                .await?
                .filter(|login| login.kind == USER && login.owner == 0 && login.password.is_some());
            if found.is_none() && self.has_directories() {
                let known = self.by_directory(user, secret, peer, now).await?;
                return Ok((known, false));
            }
            #[cfg(feature = "broken")]
            if found.is_none() && longshore_core::broken::is("unknown-names-are-quick") {
                return Err(wrong());
            }
            let hash = found
                .as_ref()
                .and_then(|login| login.password.as_ref())
                .map_or(&*self.0.decoy, |(hash, _)| hash.as_str());
            let against: Arc<str> = hash.into();
            let (checked, tried) = (against.clone(), secret.clone());
            let good = self
                .0
                .checks
                .check((user, &secret, against.as_bytes()), peer, now, move || {
                    password::verify(&checked, &tried)
                })
                .await?;
            let Some(login) = found.filter(|login| good && may_act(login, now)) else {
                return Err(wrong());
            };
            if !password::is_ours(&against) {
                self.upgrade(login.id, against.to_string(), secret).await;
            }
            let has_factor = login.second_factor;
            let known = Known {
                principal: login.id,
                name: login.name.into(),
                version: login.version,
                proof: Proof::Password,
                narrowed: None,
                until: None,
            };
            Ok((known, has_factor))
        })
    }

    async fn by_secret(
        &self,
        user: &str,
        secret: &[u8],
        looks: Looks,
        (peer, now): (IpAddr, SystemTime),
    ) -> Result<Known, Refusal> {
        let kind = match looks {
            Looks::Like(found) if found == prefix(Kind::Personal) => Some(Kind::Personal),
            Looks::Like(found) if found == prefix(Kind::Robot) => Some(Kind::Robot),
            _ => None,
        };
        let known = match kind {
            Some(kind) => self.by_hash(secret, kind, peer, now).await?,
            None => None,
        };
        // The name is part of what must be right: it is in logs, and whoever reads them believes it.
        let known = match known {
            Some(known) if &*known.name != user => {
                let had = self.had_name(known.principal, user, now).await?;
                Some(known).filter(|_| had)
            }
            known => known,
        };
        let Some(known) = known else {
            self.count_wrong(user, peer, now)?;
            let why = "no such token, or not of this user, or it has ended";
            return Err(Refusal::password(why));
        };
        Ok(known)
    }

    /// Counts a secret that is none, where whoever sent it may try at all.
    ///
    /// Secrets are looked up before anybody is held off: 256 bits are not guessed, and behind one address there is a whole company. So
    /// a good one gets in whatever was typed wrong there before, and it clears nothing either: a token that leaked must not buy guesses
    /// at its owner's password. A wrong one is answered as any other try there.
    pub(super) fn count_wrong(
        &self,
        account: &str,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<(), Refusal> {
        let attempt = self.0.checks.throttle.begin(account, peer, now);
        attempt.map_err(throttled)?.end(false, now);
        Ok(())
    }

    /// Whoever holds a refresh token.
    ///
    /// # Errors
    /// There is no such, it has ended, or nobody may try just now.
    pub async fn by_refresh(
        &self,
        secret: &[u8],
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        let looked_at = async {
            let known = match looks(secret) {
                Looks::Like(found) if found == prefix(Kind::Refresh) => {
                    self.by_hash(secret, Kind::Refresh, peer, now).await?
                }
                _ => None,
            };
            let Some(known) = known else {
                self.count_wrong("refresh token", peer, now)?;
                let why = "no such refresh token, or it has ended";
                return Err(Refusal::password(why));
            };
            Ok(known)
        };
        let known = looked_at.await;
        self.noted("", known, peer, now)
    }

    pub(super) async fn by_hash(
        &self,
        secret: &[u8],
        kind: Kind,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Known>, Refusal> {
        let hash = hash(&self.0.secrets, secret);
        let found = self
            .0
            .db
            .read(&hash, |tx, hash| {
                Box::pin(async move {
                    let Some(secret) = secret_find(tx, hash).await? else {
                        return Ok(None);
                    };
                    let Some(login) = login_by_id(tx, secret.principal).await? else {
                        return Ok(None);
                    };
                    Ok(Some((secret, login)))
                })
            })
            .await
            .map_err(|error| unavailable(&error))?;
        let Some((secret, login)) = found else {
            return Ok(None);
        };
        let at = micros(now);
        let is_alive = secret.kind == kind.number()
            && secret.expires.is_none_or(|end| at < end)
            && may_act(&login, now);
        if !is_alive {
            return Ok(None);
        }
        let narrowed = match secret.scope.as_deref().map(Narrow::parse) {
            None => None,
            Some(Ok(narrow)) => Some(Arc::new(narrow)),
            Some(Err(error)) => {
                tracing::error!(secret = secret.id, %error, "what narrows this secret cannot be read, so it is refused");
                return Ok(None);
            }
        };
        self.note_use(&secret, &login, peer, at).await;
        Ok(Some(Known {
            principal: login.id,
            name: login_name(&login).into(),
            version: login.version,
            proof: match kind {
                Kind::Robot => Proof::Robot(secret.id),
                Kind::Refresh => Proof::Refresh(secret.id),
                Kind::Session => Proof::Session(secret.id),
                _ => Proof::Personal(secret.id),
            },
            narrowed,
            until: secret.expires,
        }))
    }

    /// A principal by the name it logs in with.
    async fn principal(&self, user: &str) -> Result<Option<Login>, Refusal> {
        self.0
            .db
            .read(&user, |tx, user| Box::pin(login_by_name(tx, 0, user)))
            .await
            .map_err(|error| unavailable(&error))
    }

    /// Keeps a password as we keep them today. A login succeeds whether this does or not.
    async fn upgrade(&self, principal: i64, old: String, secret: Zeroizing<Vec<u8>>) {
        let Ok(Ok(new)) = self
            .0
            .checks
            .hashing
            .run(move || password::hash(&secret))
            .await
        else {
            return;
        };
        let kept = self
            .0
            .db
            .write(
                Durability::Power,
                (principal, old, new),
                |tx, (id, old, new)| Box::pin(password_upgrade(tx, *id, old, new)),
            )
            .await;
        if kept.is_err() {
            tracing::warn!("a password that was checked could not be kept in a better way");
        }
    }

    /// Notes when a secret and its principal were last used, to the hour.
    async fn note_use(&self, secret: &Secret, login: &Login, peer: IpAddr, now: i64) {
        let is_recent = secret
            .used
            .is_some_and(|used| (now - used).abs() < span(USED_EVERY));
        if is_recent {
            return;
        }
        let args = (secret.id, login.id, now, peer.to_string());
        let noted = self
            .0
            .db
            .write(
                Durability::Process,
                args,
                |tx, (secret, login, now, from)| {
                    Box::pin(async move {
                        secret_used(tx, *secret, *now, from).await?;
                        login_seen(tx, *login, *now).await
                    })
                },
            )
            .await;
        if noted.is_err() {
            tracing::warn!("the last use of a token could not be noted");
        }
    }
}

/// Whether a principal may act at all. What belongs to somebody who may not, may not either.
pub(super) fn may_act(login: &Login, now: SystemTime) -> bool {
    let is_lost = login.owner != 0 && login.owner_name.is_none();
    let active = login.state == 0 && login.owner_state == 0 && !is_lost;
    active && login.expires.is_none_or(|end| micros(now) < end)
}

/// Nobody can be known while the database cannot be read.
pub(crate) fn unavailable(error: &longshore_core::Error) -> Refusal {
    tracing::error!(error = %longshore_core::error::Chain(error), "a login could not be looked up");
    Refusal::unavailable("the database cannot be read")
}
