//! What can go wrong when mail is sent, by what people have to put right.

/// Why a message was not sent. The texts are for whoever runs the system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// The server's name leads to no address.
    #[error("the name `{host}` of the mail server is not found ({why}); check `index.mail.server`")]
    Name {
        /// The name.
        host: String,
        /// What the system says.
        why: String,
    },
    /// Without TLS, a server out in the world is not asked.
    #[error(
        "`{host}` is out in the world, and mail with secrets does not go there in the clear; set `index.mail.tls`"
    )]
    Outside {
        /// The server.
        host: String,
    },
    /// No connection.
    #[error(
        "no connection to the mail server at {at} ({why}); check `index.mail.server`, and that it runs"
    )]
    Connect {
        /// Host and port.
        at: String,
        /// What the system says.
        why: String,
    },
    /// It did not answer in time.
    #[error(
        "the mail server does not answer in time; check that `index.mail.server` and its port are right: a port for TLS from the start needs `index.mail.tls = \"implicit\"`"
    )]
    Slow,
    /// It did not answer after it had been given the whole message.
    #[error("the mail server took the message and did not say whether it keeps it")]
    Unanswered,
    /// It closed the connection.
    #[error("the mail server closed the connection ({0})")]
    Lost(String),
    /// TLS failed.
    #[error(
        "TLS with the mail server fails ({0}); check the name in its certificate and `index.mail.ca_file`"
    )]
    Tls(String),
    /// It has no STARTTLS.
    #[error(
        "the mail server offers no TLS (STARTTLS); use a port for TLS from the start and `index.mail.tls = \"implicit\"`, or `\"none\"` where it is inside"
    )]
    NoTls,
    /// What it says is no SMTP.
    #[error("the mail server speaks no SMTP that can be understood: {0}")]
    Protocol(&'static str),
    /// It takes no connection now.
    #[error("the mail server takes nothing from us: {0}")]
    Refused(String),
    /// The login is wrong.
    #[error("the mail server refuses the login: {0}; check `index.mail.user` and its password")]
    Login(String),
    /// It has no way to log in that we know.
    #[error(
        "the mail server offers no login by PLAIN or LOGIN; leave `index.mail.user` out, or use TLS"
    )]
    NoLogin,
    /// It does not take mail from that sender.
    #[error("the mail server refuses the sender: {0}; check `index.mail.from`")]
    Sender(String),
    /// It does not take mail for that address, now (`false`) or ever.
    #[error("the mail server refuses the address that the mail is for: {0}")]
    Recipient(String, bool),
    /// It does not take the message, now (`false`) or ever.
    #[error("the mail server refuses the message: {0}")]
    Message(String, bool),
    /// An address that cannot be sent.
    #[error("the address has characters that cannot be sent")]
    Address,
}

impl SmtpError {
    /// Whether trying this message again is of no use.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            SmtpError::Recipient(_, true) | SmtpError::Message(_, true) | SmtpError::Address
        )
    }

    /// Whether it is about this message; else every other would fail as well.
    pub fn is_of_message(&self) -> bool {
        matches!(
            self,
            SmtpError::Recipient(..)
                | SmtpError::Message(..)
                | SmtpError::Address
                | SmtpError::Unanswered
        )
    }
}
