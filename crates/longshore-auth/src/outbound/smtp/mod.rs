//! The way out of mail: one message to one address, over a connection of its own, to the server that the operator named.
//!
//! The server may be anything, also one that means ill or is broken: whatever it does, a sending ends within three times its patience and reads
//! at most some kilobytes. Secrets travel by TLS: without it, only to a server that is inside, and a password to this machine
//! only. What fails is told by what is wrong ([`SmtpError`]), as people have to put it right.

mod error;
mod link;
mod reply;
mod talk;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

pub use self::error::SmtpError;
use self::link::Dial;
use self::talk::Talk;
use crate::options::SetupError;

/// How long an answer of a server may take where nobody says.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How what is said stays between us and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// TLS is asked for (STARTTLS), and nothing is sent without.
    #[default]
    Required,
    /// TLS from the first byte.
    Implicit,
    /// None: the server must be inside.
    None,
}

/// A mail server.
#[derive(Clone)]
pub struct SmtpOptions {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said stays between us.
    pub security: Security,
    /// The authorities whose certificates are trusted; unset, those of the system.
    pub ca_file: Option<PathBuf>,
    /// Who logs in there, and by which password; `None`: nobody does.
    pub login: Option<(String, Zeroizing<String>)>,
    /// What we are called when we say hello; empty: our address.
    pub hello: String,
    /// How long one answer may take. A sending takes three times that at the most, and is given up then.
    pub patience: Duration,
}

impl fmt::Debug for SmtpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// Sends mail by a server.
#[derive(Debug)]
pub struct Smtp {
    dial: Dial,
    login: Option<(String, Zeroizing<String>)>,
    hello: String,
    patience: Duration,
}

impl Smtp {
    /// A way to a server. Nothing is asked yet.
    ///
    /// # Errors
    /// An option cannot be used, or the certificates cannot be read.
    pub fn new(options: SmtpOptions) -> Result<Self, SetupError> {
        if let Some((user, password)) = &options.login {
            let has_control = |text: &str| text.chars().any(char::is_control);
            if user.is_empty() || has_control(user) || has_control(password) {
                return Err(SetupError::Option {
                    option: "user",
                    problem: "the user must have a name, and neither name nor password a control character"
                        .to_owned(),
                });
            }
            if options.security == Security::None && !link::is_loopback(&options.host) {
                return Err(SetupError::Option {
                    option: "user",
                    problem:
                        "the password would travel in the clear: set `tls`, or leave the user out"
                            .to_owned(),
                });
            }
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let fits = options.hello.len() <= 255 && options.hello.bytes().all(is_word);
        Ok(Smtp {
            dial: Dial::new(&options)?,
            login: options.login,
            patience: options.patience,
            hello: if fits { options.hello } else { String::new() },
        })
    }

    /// Sends `message` (RFC 5322, lines that end with CR LF) from one address to another. Each address is ASCII without
    /// spaces and angle brackets; others are refused.
    ///
    /// # Errors
    /// What went wrong. The message may have arrived all the same after [`SmtpError::Unanswered`] only.
    pub async fn send(&self, from: &str, to: &str, message: &[u8]) -> Result<(), SmtpError> {
        for address in [from, to] {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>".contains(&byte);
            if address.is_empty() || address.len() > 320 || !address.bytes().all(is_plain) {
                return Err(SmtpError::Address);
            }
        }
        // What was said when the time ran out decides whether the message may have arrived.
        let mut sent = false;
        let sending = self.deliver((from, to), message, &mut sent);
        let ended = tokio::time::timeout(self.patience * 3, sending).await;
        match ended {
            Ok(ended) => ended,
            Err(_) if sent => Err(SmtpError::Unanswered),
            Err(_) => Err(SmtpError::Slow),
        }
    }

    async fn deliver(
        &self,
        (from, to): (&str, &str),
        message: &[u8],
        sent: &mut bool,
    ) -> Result<(), SmtpError> {
        let mut talk = self.open().await?;
        if let Some((user, password)) = &self.login {
            talk.login(user, password).await?;
        }
        talk.envelope(from, to).await?;
        talk.message(message, sent).await?;
        talk.quit().await;
        Ok(())
    }

    /// A connection on which both sides have said hello, secured as it must be.
    async fn open(&self) -> Result<Talk, SmtpError> {
        let (stream, local) = self.dial.open().await?;
        let hello = if self.hello.is_empty() {
            link::literal(local)
        } else {
            self.hello.clone()
        };
        let mut talk = match self.dial.security {
            Security::Implicit => {
                Talk::new(self.dial.secure(Box::new(stream)).await?, self.patience)
            }
            _ => Talk::new(Box::new(stream), self.patience),
        };
        talk.greeting().await?;
        talk.hello(&hello).await?;
        if self.dial.security == Security::Required {
            let plain = talk.start_tls().await?;
            talk = Talk::new(self.dial.secure(plain).await?, self.patience);
            // What was said in the clear counts no more.
            talk.hello(&hello).await?;
        }
        Ok(talk)
    }
}
