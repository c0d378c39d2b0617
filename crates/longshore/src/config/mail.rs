//! Mail: the keys of `[index.mail]` and what they amount to.

use std::path::PathBuf;

use longshore_auth::SetupError;
use longshore_auth::smtp::{PATIENCE, Security, Smtp, SmtpOptions};
use longshore_hub::mail::Post;
use zeroize::Zeroizing;

use super::index::host;
use super::key::section;
use super::problem::Problem;
use super::reader::Reader;
use super::secret::Secret;
use super::settings::Settings;
use super::value::choice;

choice! {
    /// How mail is secured on its way to the server.
    MailTls {
        /// TLS is asked for, and nothing is sent without.
        Required = "required",
        /// TLS from the first byte.
        Implicit = "implicit",
        /// None.
        None = "none",
    }
}

section! {
    /// The server that takes mail: for people who sign up, are invited, change their address or have forgotten their password.
    /// Links in letters begin with `public_url`. `longshore admin mail test ADDRESS` says whether it works.
    MailKeys at "index.mail" since "0.1.0" {
        /// Its name or address, perhaps with a port, as in `mail.example:587`; without one, 587, or 465 for
        /// `tls = "implicit"`, or 25 for `tls = "none"`.
        server: Option<String> = None,
        /// How mail is secured on the way there: `required` (STARTTLS, and nothing without), `implicit` (TLS from the first
        /// byte), or `none`, for a server that is inside: one out in the world is not asked then.
        tls: MailTls = MailTls::Required,
        /// A file with the certificates of the authorities that are trusted there, PEM; unset, those of the system.
        ca_file: Option<PathBuf> = None,
        /// Who logs in there; unset, nobody does.
        user: Option<String> = None,
        /// The password of that user.
        password: Option<Secret> = None,
        /// From whom letters are: an address, or `Name <address@host.example>`.
        from: Option<String> = None,
    }
}

/// A way for mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// How the server is reached.
    pub smtp: SmtpOptions,
    /// From whom letters are.
    pub from: String,
    /// What people call this system.
    pub server: String,
    /// What addresses in letters begin with.
    pub base: String,
}

impl PartialEq for Mail {
    fn eq(&self, other: &Self) -> bool {
        // The rest is in the settings.
        let said = |it: &Self| {
            let smtp = &it.smtp;
            (
                smtp.host.clone(),
                smtp.port,
                smtp.security,
                it.from.clone(),
                it.base.clone(),
            )
        };
        said(self) == said(other)
    }
}

/// A host and a port, where one is said.
fn place(text: &str) -> Option<(String, Option<u16>)> {
    let bare = |text: &str| {
        let fits = !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte));
        fits.then(|| text.to_owned())
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let port = match port.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None if port.is_empty() => None,
            None => return None,
        };
        return Some((bare(host)?, port));
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((bare(host)?, Some(port.parse().ok()?))),
        None => Some((bare(text)?, None)),
    }
}

/// The way that the keys amount to; none where no server is said.
pub(super) fn choose(settings: &Settings, origins: &Reader) -> Result<Option<Mail>, Vec<Problem>> {
    let keys = &settings.mail;
    if !origins.is_set("index.mail") {
        return Ok(None);
    }
    let wrong = |key: &str, what: String| {
        let places = [format!("index.mail.{key}"), "index.mail".to_owned()];
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        Problem::new(origins.place_of_any(&places), what)
    };
    let mut problems = Vec::new();
    if keys.server.is_none() {
        problems.push(
            wrong("server", "`index.mail.server` is missing".to_owned())
                .hint("say which server takes mail, as in \"mail.example:587\""),
        );
    }
    let from = keys.from.clone().unwrap_or_default();
    if let Err(why) = Post::check_sender(&from) {
        let problem = if keys.from.is_none() {
            wrong("from", "`index.mail.from` is missing".to_owned())
                .hint("say from whom letters are, as in \"Registry <registry@example.org>\"")
        } else {
            wrong("from", format!("`index.mail.from`: {why}"))
        };
        problems.push(problem);
    }
    if keys.user.is_some() != keys.password.is_some() {
        problems.push(
            wrong(
                if keys.user.is_some() {
                    "user"
                } else {
                    "password"
                },
                "`index.mail.user` and `index.mail.password` go together".to_owned(),
            )
            .hint("set `password_file` to a file with the password, or leave both out"),
        );
    }
    let Some(public) = &settings.place.public_url else {
        problems.push(
            wrong("", "`index.mail` needs `public_url`".to_owned())
                .hint("links in letters begin with it, so it must be said"),
        );
        return Err(problems);
    };
    let server = keys.server.as_deref().unwrap_or_default();
    let Some((name, port)) = place(server) else {
        if keys.server.is_some() {
            problems.push(
                wrong(
                    "server",
                    format!("`index.mail.server`: `{server}` is no server"),
                )
                .hint("write a name or an address, and perhaps a port, as in \"mail.example:587\""),
            );
        }
        return Err(problems);
    };
    let (security, usual) = match keys.tls {
        MailTls::Required => (Security::Required, 587),
        MailTls::Implicit => (Security::Implicit, 465),
        MailTls::None => (Security::None, 25),
    };
    let login = keys.user.clone().zip(keys.password.as_ref());
    let smtp = SmtpOptions {
        host: name,
        port: port.unwrap_or(usual),
        security,
        ca_file: keys.ca_file.clone(),
        login: login.map(|(user, password)| (user, Zeroizing::new(password.expose().to_owned()))),
        hello: public.host_str().unwrap_or_default().to_owned(),
        patience: PATIENCE,
    };
    // The file of certificates is read at the start: it may be another machine's that is checked here.
    let without_file = SmtpOptions {
        ca_file: None,
        ..smtp.clone()
    };
    if let Err(SetupError::Option { option, problem }) = Smtp::new(without_file)
        && option != "ca_file"
    {
        problems.push(wrong(option, format!("`index.mail.{option}`: {problem}")));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let prefix = settings.http.prefix.as_deref().unwrap_or_default();
    Ok(Some(Mail {
        smtp,
        from,
        server: host(public).unwrap_or_default(),
        base: format!(
            "{}{}",
            public.as_str().trim_end_matches('/'),
            prefix.trim_end_matches('/')
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_server_is_a_name_or_an_address_and_perhaps_a_port() {
        for (text, host, port) in [
            ("mail.example", "mail.example", None),
            ("mail.example:587", "mail.example", Some(587)),
            ("10.0.0.1:25", "10.0.0.1", Some(25)),
            ("[::1]:25", "::1", Some(25)),
            ("[::1]", "::1", None),
        ] {
            assert_eq!(place(text), Some((host.to_owned(), port)), "{text}");
        }
        for bad in [
            "",
            ":25",
            "mail:x",
            "mail:70000",
            "::1",
            "[::1",
            "[::1]25",
            "smtp://mail",
            "a b",
        ] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
