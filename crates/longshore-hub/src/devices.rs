//! Logins of command lines that wait for somebody at a browser (RFC 8628).
//!
//! The command line gets two codes: one that it asks with, and one that a person types on a page where they are logged in. What
//! it gets in the end is a personal token of theirs, made as one that they make by hand is: with their permit, in the audit log,
//! and in the list from which they revoke it.

mod steps;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use longshore_auth::index::keep::{PERSONAL_LIVES, Wanted};
use longshore_auth::index::{UserCode, counted_as};
use longshore_auth::rights::{Narrow, Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::Durability;
use longshore_meta::devices::{Codes, Decision, Device, device_by_code, device_find};
use longshore_meta::principals::PrincipalId;
use longshore_meta::secrets::Kind;
use longshore_meta::time::{micros, span};
use zeroize::Zeroizing;

use self::steps::{Polled, begin, decide, give, is_open, no_code, poll};
use crate::caller::Caller;
use crate::hub::Hub;
use crate::tokens::{Made, no_random};

/// How long a code is good.
pub const CODE_LIVES: Duration = Duration::from_mins(10);
/// How often a command line may ask, at first.
pub const PACE: Duration = Duration::from_secs(5);
/// How much longer it waits each time that it asked too soon (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// How much too soon is not counted: networks hasten as they delay.
const HASTE: Duration = Duration::from_secs(1);
/// How long what has ended is kept, so that who asks is told that it has ended, and not that there is no such.
pub(crate) const KEPT: Duration = Duration::from_mins(20);
/// The most that may wait from one address.
const FROM_ONE: u64 = 50;
/// The most there are; the oldest goes when there is one more.
const MOST: u64 = 10_000;
/// How many of before are forgotten with each new one.
const FORGET: usize = 100;
/// The longest name of a client, in bytes, and the longest scope.
const CLIENT: usize = 64;
const SCOPE: usize = 1024;

/// A login that was begun.
#[derive(Debug)]
pub struct DeviceStart {
    /// What the client asks with.
    pub device_code: Zeroizing<String>,
    /// What a person types.
    pub user_code: UserCode,
}

/// What a command line hears that asks.
#[derive(Debug)]
pub enum DevicePoll {
    /// Nobody has said anything yet.
    Waiting,
    /// It asks too often.
    TooSoon,
    /// Somebody said no, or may not be logged in any more.
    Denied,
    /// Nobody said anything in time.
    Expired,
    /// There is no such code, it was used, or it is another client's.
    Unknown,
    /// It is logged in.
    Given(Box<DeviceLogin>),
}

/// What a command line logs in with from now on.
#[derive(Debug)]
pub struct DeviceLogin {
    /// As whom.
    pub user: String,
    /// A personal token.
    pub token: Made,
    /// What it asked for, in words; empty: everything.
    pub scope: String,
}

/// What a person is shown before they decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What the client calls itself.
    pub client: String,
    /// The address it began from.
    pub origin: String,
    /// When, in microseconds.
    pub created: i64,
    /// What it asks for, in words; empty: everything.
    pub scope: String,
}

/// What a client asks for: the words `pull`, `push`, `delete` and `repository:PATTERN`; nothing: everything.
///
/// # Errors
/// Which word is none of them.
pub fn device_scope(text: &str) -> std::result::Result<Option<Narrow>, String> {
    if text.len() > SCOPE {
        return Err(format!("a scope has at most {SCOPE} bytes"));
    }
    let (patterns, words): (Vec<&str>, Vec<&str>) = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .partition(|word| word.starts_with("repository:"));
    let patterns: Vec<&str> = patterns
        .iter()
        .filter_map(|word| word.strip_prefix("repository:"))
        .collect();
    if patterns.contains(&"") {
        return Err("`repository:` needs a pattern after it".to_owned());
    }
    Narrow::of_words(&patterns, words).map_err(|error| error.to_string())
}

/// Whether a text can be the name of a client: RFC 6749, A.1, and shown to people.
pub fn is_client(text: &str) -> bool {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte);
    !text.trim().is_empty() && text.len() <= CLIENT && text.bytes().all(is_plain)
}

impl Hub {
    /// Begins a login of a command line. `client` passed [`is_client`], `scope` [`device_scope`].
    ///
    /// # Errors
    /// `TooManyRequests` when too many wait from that address, or `Unavailable`.
    pub async fn device_begin(
        &self,
        client: &str,
        scope: &str,
        from: IpAddr,
        now: SystemTime,
    ) -> Result<DeviceStart> {
        let codes = self.index.new_device().map_err(no_random)?;
        let kept = Codes {
            device: self.index.device_hash(&codes.device),
            user: self.index.user_code_hash(&codes.user),
        };
        let at = micros(now);
        let device = Device {
            client: client.to_owned(),
            scope: scope.trim().to_owned(),
            origin: from.to_canonical().to_string(),
            network: counted_as(from).to_string(),
            created: at,
            expires: at.saturating_add(span(CODE_LIVES)),
            polled: None,
            pace: span(PACE),
            decision: Decision::Waiting,
            principal: 0,
            version: 0,
        };
        self.db
            .write(Durability::Process, (kept, device), |tx, (kept, device)| {
                Box::pin(begin(tx, kept, device))
            })
            .await?;
        Ok(DeviceStart {
            device_code: codes.device,
            user_code: codes.user,
        })
    }

    /// What waits under a code that the caller typed. Wrong ones count against whoever types them, where they are, and nobody
    /// else.
    ///
    /// # Errors
    /// `NameUnknown` when nothing does, `TooManyRequests` after too many wrong ones, or `Unavailable`.
    pub async fn device_look(&self, caller: &Caller, code: &UserCode) -> Result<Waiting> {
        let counted = format!("codes typed by {}", caller.name);
        let (from, now) = (caller.who.from, caller.now);
        self.index
            .try_code(&counted, from, now)
            .map_err(Error::from)?;
        let hash = self.index.user_code_hash(code);
        let found = self
            .db
            .read(&hash, |tx, hash| Box::pin(device_by_code(tx, hash)))
            .await?;
        let found = found.filter(|it| is_open(it, micros(now)));
        let Some(found) = found else {
            self.index.failed_code(&counted, from, now);
            return Err(no_code());
        };
        Ok(Waiting {
            client: found.client,
            origin: found.origin,
            created: found.created,
            scope: found.scope,
        })
    }

    /// Says whether what waits under a code is the caller's.
    ///
    /// # Errors
    /// `NameUnknown` when nothing waits, `Denied` to who did not log in with a browser or a password, `TooManyRequests`, or
    /// `Unavailable`.
    pub async fn device_decide(
        &self,
        caller: &Caller,
        code: &UserCode,
        approve: bool,
    ) -> Result<()> {
        self.device_look(caller, code).await?;
        let decision = if approve {
            Decision::Approved
        } else {
            Decision::Denied
        };
        let args = (self.index.user_code_hash(code), decision);
        self.act_on(caller, &caller.name, args, |tx, permit, args| {
            Box::pin(decide(tx, permit, args))
        })
        .await
    }

    /// What became of a login, for the command line that began it as `client`. It is given to one asker, once.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn device_poll(
        &self,
        (device_code, client): (&str, &str),
        from: IpAddr,
        request: u128,
        now: SystemTime,
    ) -> Result<DevicePoll> {
        let hash = self.index.device_hash(device_code);
        let found = self
            .db
            .read(&hash, |tx, hash| Box::pin(device_find(tx, hash)))
            .await?;
        if found.is_none_or(|device| device.client != client) {
            // Strangers do not get as far as a write.
            return Ok(DevicePoll::Unknown);
        }
        let args = (hash, client.to_owned(), micros(now));
        let polled = self
            .db
            .write(Durability::Process, args, |tx, (hash, client, now)| {
                Box::pin(poll(tx, hash, client, *now))
            })
            .await?;
        let (device, login) = match polled {
            Polled::Said(said) => return Ok(said),
            Polled::Approved(both) => *both,
        };
        let Ok(narrow) = device_scope(&device.scope) else {
            return Ok(DevicePoll::Denied);
        };
        let wanted = Wanted {
            kind: Kind::Personal,
            // Known in the transaction.
            principal: 0,
            label: format!("{} at {}", device.client, device.origin),
            narrow,
            expires: Some(now + PERSONAL_LIVES),
        };
        let (secret, row) = self.index.new_secret(wanted).map_err(no_random)?;
        let expires = row.expires;
        // Who approved it did so in a browser, and may do what they could do there.
        let caller = Caller {
            who: Who::principal(PrincipalId(login.id), Via::Session, from),
            name: login.name.clone(),
            request,
            now,
        };
        let args = (hash, row, login.version);
        let given = self
            .act_on(&caller, &login.name, args, |tx, permit, args| {
                Box::pin(give(tx, permit, args))
            })
            .await;
        match given {
            Ok(Some(id)) => Ok(DevicePoll::Given(Box::new(DeviceLogin {
                user: login.name,
                token: Made {
                    id,
                    secret,
                    expires,
                    by_name: Vec::new(),
                },
                scope: device.scope,
            }))),
            Ok(None) => Ok(DevicePoll::Denied),
            // Somebody else has used it since.
            Err(error) if error.code() == Code::NameUnknown => Ok(DevicePoll::Unknown),
            // Too many tokens.
            Err(error) if error.code() == Code::Denied => Ok(DevicePoll::Denied),
            Err(error) => Err(error),
        }
    }
}
