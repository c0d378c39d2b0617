//! Bearer tokens that an outside token server has signed, or the index in this process (Docker token specification; RFC 7519).
//!
//! The checks are our own, on the primitives of the one cryptographic library, because every general JWT library that
//! was looked at had at some time let the token choose how it is checked. A token that passed is remembered until it
//! expires or any key changes, so that the next hundred requests of a push cost a hash of its signature and one look-up each.

mod access;
mod chain;
pub(crate) mod claims;
pub(crate) mod fuzzing;
pub(crate) mod json;
pub(crate) mod jws;
pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod remote;

pub(crate) use self::access::SEEN;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use longshore_core::Rights;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use self::claims::{Claims, Expected, Leeway};
use self::jws::Jws;
use self::key::Key;
use self::keys::{Bundle, JwkSet, Keys};
use self::remote::{RemoteKeys, SEEK_EVERY};
use crate::identity::{Identity, IdentityKind, Refusal};
use crate::index::Index;
use crate::issuer::OwnKeys;
use crate::options::{KEYS_USED_FOR, SetupError, TokenOptions};
use crate::outbound::Document;
use crate::watched::{Loaded, WatchedFile};

/// The most memory for tokens that are remembered, in bytes; some 50,000 of them.
const MAX_REMEMBERED_BYTES: u64 = 64 << 20;

/// Checks tokens.
pub(crate) struct Tokens {
    /// Where clients ask for one.
    pub(crate) realm: String,
    /// The name of this registry at the token server.
    pub(crate) service: String,
    leeway: Leeway,
    token_bytes: usize,
    expected: Expected,
    bundle: Option<Arc<WatchedFile<Bundle>>>,
    jwks: Option<Arc<WatchedFile<JwkSet>>>,
    remote: Option<Arc<RemoteKeys>>,
    own: Option<Index>,
    remembered: Cache<[u8; 32], Arc<Remembered>, Size>,
    checked: AtomicU64,
}

/// A token that passed.
pub(crate) struct Remembered {
    pub(crate) claims: Claims,
    /// What was signed, letter by letter. It is no secret: a token is one by its signature, of which only a hash is kept.
    said: Box<[u8]>,
    /// The end of the certificates that vouch for its key.
    chain_until: Option<SystemTime>,
    /// The keys it was checked with.
    keys: Generations,
}

/// Which reading of each source is in force; any change forgets all that was checked before.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Generations([Option<u64>; 4]);

/// The trusted keys at one moment.
struct Trusted {
    bundle: Option<Arc<Loaded<Bundle>>>,
    jwks: Option<Arc<Loaded<JwkSet>>>,
    remote: Option<Arc<Loaded<JwkSet>>>,
    own: Option<OwnKeys>,
}

impl Trusted {
    fn generations(&self) -> Generations {
        Generations([
            self.bundle.as_ref().map(|loaded| loaded.generation),
            self.jwks.as_ref().map(|loaded| loaded.generation),
            self.remote.as_ref().map(|loaded| loaded.generation),
            self.own.as_ref().map(OwnKeys::generation),
        ])
    }

    /// The keys of all sources that go by `kid`.
    fn named(&self, kid: &str) -> Vec<&Key> {
        let bundle = self.bundle.iter().map(|loaded| &loaded.value.0);
        let sets = self
            .jwks
            .iter()
            .chain(&self.remote)
            .map(|loaded| &loaded.value.0);
        let own = self.own.iter().map(OwnKeys::keys);
        bundle
            .chain(sets)
            .chain(own)
            .flat_map(|keys: &Keys| keys.named(kid))
            .map(Arc::as_ref)
            .collect()
    }
}

impl Tokens {
    pub(crate) async fn open(options: &TokenOptions, now: SystemTime) -> Result<Self, SetupError> {
        let TokenOptions {
            realm,
            service,
            audience,
            issuer,
            root_bundle,
            jwks_file,
            jwks_url,
            jwks_refresh,
            leeway,
            anonymous,
            limits,
        } = options;
        if root_bundle.is_none() && jwks_file.is_none() && jwks_url.is_none() {
            return Err(SetupError::Option {
                option: "root_bundle",
                problem: "tokens cannot be checked without keys; give a root bundle, a JWKS file or a JWKS URL".to_owned(),
            });
        }
        let bundle = match root_bundle {
            Some(path) => {
                let hint = "give a PEM file with the token server's certificate or public key";
                Some(Arc::new(WatchedFile::open(path.clone(), hint, now).await?))
            }
            None => None,
        };
        let jwks = match jwks_file {
            Some(path) => {
                let hint = "give a file with the token server's JWK set";
                Some(Arc::new(WatchedFile::open(path.clone(), hint, now).await?))
            }
            None => None,
        };
        let remote = match jwks_url {
            Some(url) => {
                let document = Document::at(url).map_err(|problem| SetupError::Option {
                    option: "jwks_url",
                    problem,
                })?;
                if *jwks_refresh >= KEYS_USED_FOR {
                    return Err(SetupError::Option {
                        option: "jwks_refresh",
                        problem: format!(
                            "keys are used for {} seconds after they were fetched; fetch them more often",
                            KEYS_USED_FOR.as_secs()
                        ),
                    });
                }
                let remote = Arc::new(RemoteKeys::new(
                    Box::new(document),
                    *jwks_refresh,
                    SEEK_EVERY,
                ));
                remote.refresh(now).await;
                Some(remote)
            }
            None => None,
        };
        Ok(Tokens {
            realm: realm.clone(),
            service: service.clone(),
            leeway: Leeway {
                early: *leeway,
                late: *leeway,
            },
            token_bytes: limits.token_bytes,
            expected: Expected {
                issuer: issuer.clone(),
                audience: audience.as_ref().unwrap_or(service).clone(),
                entries: limits.token_access,
                strangers: anonymous.rights(),
                looked_up: false,
            },
            bundle,
            jwks,
            remote,
            own: None,
            remembered: remembered(),
            checked: AtomicU64::new(0),
        })
    }

    /// Tokens of the index in this process. Its keys are in memory, so nothing is fetched and no file is read.
    pub(crate) fn beside(index: &Index) -> Self {
        let options = index.options();
        Tokens {
            realm: String::new(),
            service: options.service.clone(),
            // Whoever issued it said its end by clocks that are ours: what it rests on ends then.
            leeway: Leeway {
                early: options.leeway,
                late: Duration::ZERO,
            },
            token_bytes: options.limits.token_bytes,
            expected: Expected {
                issuer: options.issuer.clone(),
                audience: options.service.clone(),
                entries: options.limits.token_access,
                strangers: Rights::Nothing,
                looked_up: true,
            },
            bundle: None,
            jwks: None,
            remote: None,
            own: Some(index.clone()),
            remembered: remembered(),
            checked: AtomicU64::new(0),
        }
    }

    /// Checks one token.
    ///
    /// # Errors
    /// It is not valid here and now.
    pub(crate) async fn identify(
        &self,
        token: &[u8],
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        Ok(identity(&self.known(token, now).await?.claims))
    }

    /// What one token says, once it is known to be valid.
    ///
    /// # Errors
    /// It is not valid here and now.
    pub(crate) async fn known(
        &self,
        token: &[u8],
        now: SystemTime,
    ) -> Result<Arc<Remembered>, Refusal> {
        let sources = [
            self.bundle
                .as_ref()
                .and_then(|bundle| bundle.refreshing(now)),
            self.jwks.as_ref().and_then(|jwks| jwks.refreshing(now)),
            self.remote
                .as_ref()
                .and_then(|remote| remote.refreshing(now)),
        ];
        for source in sources.into_iter().flatten() {
            source.await;
        }
        let trusted = self.trusted(now);
        // Only the signature is hashed, which is short. What else is in the token is compared.
        let signature = token.iter().rposition(|byte| *byte == b'.').unwrap_or(0);
        let (said, signature) = token.split_at(signature);
        let mut tag = [0; 32];
        for (to, from) in tag.iter_mut().zip(digest(&SHA256, signature).as_ref()) {
            *to = *from;
        }
        if let Some(known) = self.remembered.get(&tag)
            && *known.said == *said
            && known.keys == trusted.generations()
            && known.chain_until.is_none_or(|until| now < until)
        {
            known
                .claims
                .check_time(now, self.leeway)
                .map_err(Refusal::token)?;
            return Ok(known);
        }
        let known = Box::pin(self.check(token, trusted, now))
            .await
            .map_err(Refusal::token)?;
        let known = Arc::new(known);
        self.remembered.insert(tag, known.clone());
        Ok(known)
    }

    /// How many tokens were checked in full so far.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "what the tests of remembered tokens count")
    )]
    pub(crate) fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    async fn check(
        &self,
        token: &[u8],
        mut trusted: Trusted,
        now: SystemTime,
    ) -> Result<Remembered, &'static str> {
        self.checked.fetch_add(1, Ordering::Relaxed);
        // Before anything is split or decoded: length is what attackers grow.
        if token.len() > self.token_bytes {
            return Err("the token is too long");
        }
        let jws = Jws::parse(token)?;
        let mut chain_until = None;
        if let Some(chain) = &jws.chain {
            let roots = trusted
                .bundle
                .as_ref()
                .map(|loaded| &loaded.value.0.roots)
                .filter(|roots| !roots.is_empty());
            let roots = roots
                .ok_or("the token brings certificates, and no root certificates are configured")?;
            let (key, until) = roots.key_of(chain, now)?;
            verify(&jws, [&key])?;
            chain_until = Some(until);
        } else {
            let kid = jws.kid.as_deref().ok_or("the header names no key")?;
            if let Some(remote) = &self.remote
                && trusted.named(kid).is_empty()
            {
                remote.seek(now).await;
                trusted = self.trusted(now);
            }
            verify(&jws, trusted.named(kid))?;
        }
        let claims = Claims::read(&jws.payload()?, &self.expected)?;
        claims.check_time(now, self.leeway)?;
        Ok(Remembered {
            claims,
            said: jws.signed.into(),
            chain_until,
            keys: trusted.generations(),
        })
    }

    fn trusted(&self, now: SystemTime) -> Trusted {
        Trusted {
            bundle: self.bundle.as_ref().map(|file| file.current()),
            jwks: self.jwks.as_ref().map(|file| file.current()),
            remote: self.remote.as_ref().and_then(|remote| remote.usable(now)),
            own: self.own.as_ref().map(|index| index.issuer().trusted()),
        }
    }
}

/// Whether one of `keys` signed the token, by the algorithm of that key.
pub(crate) fn verify<'a>(
    jws: &Jws<'_>,
    keys: impl IntoIterator<Item = &'a Key>,
) -> Result<(), &'static str> {
    let mut problem = "the token's key is not trusted";
    for key in keys {
        if key.algorithm() != jws.algorithm {
            problem = "the header's `alg` is not the one of the key";
        } else if key.verify(jws.signed, &jws.signature) {
            return Ok(());
        } else {
            problem = "the signature is wrong";
        }
    }
    Err(problem)
}

fn remembered() -> Cache<[u8; 32], Arc<Remembered>, Size> {
    let tokens = usize::try_from(MAX_REMEMBERED_BYTES / 1024).unwrap_or(usize::MAX);
    Cache::with_weighter(tokens, MAX_REMEMBERED_BYTES, Size)
}

fn identity(claims: &Claims) -> Identity {
    Identity {
        actor: claims.actor.clone(),
        rights: claims.rights.clone(),
        way: claims.way,
        kind: IdentityKind::Token,
        lack: None,
    }
}

/// About how many bytes a remembered token takes.
#[derive(Debug, Clone)]
struct Size;

impl Weighter<[u8; 32], Arc<Remembered>> for Size {
    fn weight(&self, _: &[u8; 32], known: &Arc<Remembered>) -> u64 {
        let grants = match &known.claims.rights {
            Rights::Listed(grants) => grants.len(),
            _ => 0,
        };
        512 + known.said.len() as u64 + grants as u64 * 160
    }
}

#[cfg(test)]
pub(crate) mod tests;
