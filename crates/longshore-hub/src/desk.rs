//! Where people come in who are not known yet: what that needs, and how often it may be asked for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_auth::index::secret::{Looks, looks};
use longshore_auth::pace::Pace;
use longshore_core::{Code, Error, Result};

use crate::hub::Hub;
use crate::mail::{Post, PostStats};
use crate::settings::SignUp;

/// How often one address may ask for accounts, mail and new passwords within an hour where nobody says.
pub const ASKS: u32 = 30;

/// What coming in needs. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct Desk {
    pub(crate) post: Option<Post>,
    pub(crate) without_mail: bool,
    pace: Arc<Pace>,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new(None, false, ASKS)
    }
}

/// How somebody can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doors {
    /// Who may make an account of their own, as far as that works here.
    pub sign_up: SignUp,
    /// Whether mail is sent: addresses are confirmed, and forgotten passwords replaced.
    pub mail: bool,
}

impl Desk {
    /// A desk that sends mail by `post`, if by any. `without_mail`: people may make accounts although nobody confirms their address.
    /// `asks`: how often one address may ask within an hour.
    pub fn new(post: Option<Post>, without_mail: bool, asks: u32) -> Self {
        Self {
            post,
            without_mail,
            pace: Arc::new(Pace::new(asks, Duration::from_hours(1))),
        }
    }

    /// Counts what somebody asks for from an address.
    ///
    /// # Errors
    /// `TooManyRequests`.
    pub(crate) fn take(&self, from: IpAddr, now: SystemTime) -> Result<()> {
        self.pace.take(from, now).map_err(|wait| {
            let what =
                "too much was asked for from your address; wait, or ask whoever runs this server";
            Error::new(Code::TooManyRequests, what).retry_after(wait)
        })
    }

    /// Says that there may be mail to send.
    pub(crate) fn wake(&self) {
        if let Some(post) = &self.post {
            post.wake();
        }
    }
}

impl Hub {
    /// The same use cases, with this desk.
    #[must_use]
    pub fn with_desk(mut self, desk: Desk) -> Self {
        self.desk = desk;
        self
    }

    /// How much mail there was since the start; `None` where there is no mail server.
    pub fn post_stats(&self) -> Option<PostStats> {
        self.desk.post.as_ref().map(Post::stats)
    }

    /// How somebody can come in.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn doors(&self) -> Result<Doors> {
        let mail = self.desk.post.is_some();
        let sign_up = match self.sign_up().await? {
            // Nobody confirms addresses, and nobody said that this does not matter.
            SignUp::Open if !mail && !self.desk.without_mail => SignUp::Invitation,
            other => other,
        };
        Ok(Doors { sign_up, mail })
    }

    /// What is kept of a token that came by letter or was shown once.
    ///
    /// # Errors
    /// `Unauthorized` when it has not the form of one: no work is done for it.
    pub(crate) fn letter_token(&self, token: &str) -> Result<[u8; 32]> {
        if !matches!(looks(token.as_bytes()), Looks::Like("lsi_")) {
            return Err(no_token());
        }
        Ok(self.index.hash(token))
    }
}

/// The answer to a token that is wrong, used, or has ended: the same for all.
pub(crate) fn no_token() -> Error {
    Error::new(
        Code::Unauthorized,
        "this code is not good, or not any more: each is good once and for a limited time; ask for a new one",
    )
}
