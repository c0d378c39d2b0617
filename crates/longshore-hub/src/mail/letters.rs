//! The letters: plain text, in English, and nothing in them that a stranger wrote but names that were checked.

use std::time::SystemTime;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use longshore_auth::index::secret::ShownSecret;
use longshore_core::{Error, Result};

/// A letter, before it has its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Letter {
    /// Somebody signed up by this address.
    SignUp {
        /// The name they wished for.
        name: String,
    },
    /// Somebody signed up by the address of an account.
    Known {
        /// The account.
        name: String,
    },
    /// Somebody is invited.
    Invitation {
        /// Who invites.
        by: String,
        /// Into which organisation or team; none: to make an account.
        into: Option<String>,
        /// For how many days it is good.
        days: i64,
    },
    /// Somebody forgot a password.
    Reset {
        /// The account.
        name: String,
        /// Where it was asked for.
        from: String,
    },
    /// An account is to have this address.
    Confirmation {
        /// The account.
        name: String,
    },
    /// The password was changed.
    Password {
        /// The account.
        name: String,
    },
    /// The address was changed.
    Moved {
        /// The account.
        name: String,
        /// What is shown of the new one.
        to: String,
    },
    /// The operator tries whether mail arrives.
    Test,
}

/// What every letter says of the server.
#[derive(Debug, Clone)]
pub(crate) struct Letterhead {
    /// What people call the server: its host.
    pub(crate) server: String,
    /// What addresses in letters begin with.
    pub(crate) base: String,
    /// From whom letters are.
    pub(crate) from: Mailbox,
}

impl Letter {
    fn subject(&self, server: &str) -> String {
        let what = match self {
            Letter::SignUp { .. } => "Confirm your address",
            Letter::Known { .. } => "You have an account already",
            Letter::Invitation { .. } => "You are invited",
            Letter::Reset { .. } => "A new password",
            Letter::Confirmation { .. } => "Confirm your new address",
            Letter::Password { .. } => "Your password was changed",
            Letter::Moved { .. } => "Your mail address was changed",
            Letter::Test => "Mail works",
        };
        format!("{what} ({server})")
    }

    /// The text, and the page that its link leads to, if it has one.
    fn text(&self, server: &str, base: &str) -> (String, Option<&'static str>) {
        let reset = format!("{base}/account/forgot");
        match self {
            Letter::SignUp { name } => (
                format!(
                    "Somebody, probably you, wants an account called `{name}` at {server}.\n\
                     It is made when you choose its password here, within 24 hours:\n"
                ),
                Some("join"),
            ),
            Letter::Known { name } => (
                format!(
                    "Somebody, probably you, wants an account at {server} with this mail address.\n\
                     You have one already: it is called `{name}`. If you do not know its password any\n\
                     more, ask for a new one: {reset}\n"
                ),
                None,
            ),
            Letter::Invitation { by, into, days } => {
                let into = into.as_ref().map_or_else(
                    || format!("`{by}` invites you to make an account at {server}."),
                    |into| format!("`{by}` invites you into `{into}` at {server}."),
                );
                (
                    format!("{into}\nThis is good once, for {days} days:\n"),
                    Some("join"),
                )
            }
            Letter::Reset { name, from } => (
                format!(
                    "Somebody, probably you, has forgotten the password of `{name}` at {server},\n\
                     and asked for another from the address {from}.\n\
                     Choose one here, within an hour:\n"
                ),
                Some("reset"),
            ),
            Letter::Confirmation { name } => (
                format!(
                    "The account `{name}` at {server} is to have this mail address.\n\
                     Confirm that here, within 24 hours:\n"
                ),
                Some("confirm"),
            ),
            Letter::Password { name } => (
                format!(
                    "The password of `{name}` at {server} was changed. Logins that were made with the old\n\
                     one have ended; personal access tokens go on.\n"
                ),
                None,
            ),
            Letter::Moved { name, to } => (
                format!(
                    "The account `{name}` at {server} has another mail address now: {to}.\n\
                     Letters to this one have ended.\n"
                ),
                None,
            ),
            Letter::Test => (
                format!("This letter was sent by `longshore admin mail test` at {server}.\n"),
                None,
            ),
        }
    }

    /// What to do for whom it was not.
    fn otherwise(&self) -> &'static str {
        match self {
            Letter::SignUp { .. } | Letter::Known { .. } | Letter::Confirmation { .. } => {
                "If it was not you, do nothing: nothing was changed, and you get no more of this."
            }
            Letter::Invitation { .. } => {
                "If you do not know what this is about, do nothing: nothing is made without you."
            }
            Letter::Reset { .. } => {
                "If it was not you, do nothing: your password goes on, and nobody but the readers of\n\
                 this letter can change it."
            }
            Letter::Password { .. } | Letter::Moved { .. } => {
                "If it was not you, somebody else is in your account: tell whoever runs this server now,\n\
                 and have your password and your personal access tokens changed."
            }
            Letter::Test => "There is nothing to do.",
        }
    }

    /// The letter as it is sent.
    ///
    /// # Errors
    /// `Internal` when the library refuses what was checked before.
    pub(crate) fn message(
        &self,
        head: &Letterhead,
        to: &str,
        token: Option<&ShownSecret>,
        (id, now): (i64, SystemTime),
    ) -> Result<Vec<u8>> {
        let (mut text, page) = self.text(&head.server, &head.base);
        if let (Some(page), Some(token)) = (page, token) {
            let (base, token) = (&head.base, token.as_str());
            // Behind the `#` it is in no log and no Referer.
            let link = format!("{base}/account/{page}#{token}");
            text = format!(
                "{text}\n{link}\n\nWhere you are asked for a code instead, it is:\n\n{token}\n"
            );
        }
        text = format!("{text}\n{}\n\n-- \n{}\n", self.otherwise(), head.server);
        let to: lettre::Address = to.parse().map_err(Error::internal)?;
        let stamp = longshore_meta::time::micros(now);
        let host = head.server.split(':').next().unwrap_or_default();
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let message = Message::builder()
            .from(head.from.clone())
            .to(Mailbox::new(None, to))
            .subject(self.subject(&head.server))
            .date(now)
            .message_id(Some(format!("<{id}.{stamp}@{host}>")))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(Error::internal)?;
        Ok(message.formatted())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use longshore_meta::secrets::Kind;

    use super::*;

    fn head() -> Letterhead {
        Letterhead {
            server: "reg.example".to_owned(),
            base: "https://reg.example".to_owned(),
            from: "Régistry <reg@example.org>".parse().unwrap(),
        }
    }

    #[test]
    fn each_letter_says_whose_it_is_and_what_to_do_if_it_was_not_you() {
        let name = "ann".to_owned();
        let token = ShownSecret::make(Kind::Reset).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let letters = [
            Letter::SignUp { name: name.clone() },
            Letter::Known { name: name.clone() },
            Letter::Invitation {
                by: name.clone(),
                into: Some("acme/web".to_owned()),
                days: 7,
            },
            Letter::Reset {
                name: name.clone(),
                from: "10.0.0.1".to_owned(),
            },
            Letter::Confirmation { name: name.clone() },
            Letter::Password { name: name.clone() },
            Letter::Moved {
                name,
                to: "a***@b.example".to_owned(),
            },
            Letter::Test,
        ];
        for letter in letters {
            let bytes = letter
                .message(&head(), "ann@example.org", Some(&token), (7, now))
                .unwrap();
            let said = String::from_utf8(bytes).unwrap();
            let (headers, body) = said.split_once("\r\n\r\n").unwrap();
            assert!(headers.is_ascii(), "{headers}");
            for header in [
                "To: ann@example.org",
                "Auto-Submitted: auto-generated",
                "Date: ",
                "Content-Type: text/plain; charset=utf-8",
                "reg.example>",
            ] {
                assert!(
                    headers.contains(header) || header.starts_with("Date"),
                    "{header}: {headers}"
                );
            }
            assert!(headers.contains("(reg.example)"), "{headers}");
            assert!(body.contains("reg.example"), "{body}");
            assert_eq!(
                body.contains(token.as_str()),
                letter.text("", "").1.is_some(),
                "{body}"
            );
            let most = said.split("\r\n").map(str::len).max().unwrap();
            assert!(most < 200, "{most}: {said}");
        }
    }
}
