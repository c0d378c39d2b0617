//! Logging in at a provider of the company (OpenID Connect Core 1.0; RFC 6749, 7636, 8628, 9207).
//!
//! The browser goes there with a state, a nonce and a hash of a secret, and comes back with a code that is worth nothing
//! without that secret. Who it is, is the issuer and the subject of a token that the issuer signed for us and this login;
//! a mail address is a way to write to people and never who they are. There is no HTTP here: a login begins with a URL to
//! send the browser to, and ends with the query it comes back with.

mod device;
mod options;
mod person;
mod ticket;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use url::Url;
use url::form_urlencoded;
use zeroize::Zeroizing;

pub use self::device::{DevicePoll, DeviceStart};
pub use self::options::{ClientAuth, OidcOptions};
pub use self::ticket::TICKET_LIVES;
use self::ticket::Tickets;
use super::issuer::{Issuer, describe};
use crate::age::apart;
use crate::directory::Person;
use crate::options::SetupError;
use crate::outbound::{Answer, Web};
use crate::token::json::{Json, Object};

/// How long a provider's description is used.
const DESCRIBED_FOR: Duration = Duration::from_mins(5);
/// The longest query that somebody may come back with, in bytes.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// A provider of logins. Cloning copies a pointer.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    options: OidcOptions,
    issuer: Issuer,
    tickets: Tickets,
    described: Mutex<Option<(Arc<Described>, SystemTime)>>,
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Oidc").field(&self.0.options).finish()
    }
}

/// Why somebody is not logged in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// What came back cannot be accepted. The reason is for the log.
    #[error("this login cannot be accepted; begin it again")]
    Refused(&'static str),
    /// The provider was asked and says no, or the person may not come in.
    #[error("the provider did not let you in, or you may not use this registry")]
    Denied(&'static str),
    /// The provider cannot be asked just now. The reason is for the log.
    #[error("the login provider cannot be reached just now; try again in a moment")]
    Unavailable(String),
}

/// A login that begins.
pub struct Started {
    /// Where the browser goes.
    pub url: String,
    /// What it keeps meanwhile, as a cookie for [`TICKET_LIVES`] that only comes back here: `__Host-`, `Secure`,
    /// `HttpOnly`, `SameSite=Lax`.
    pub cookie: Zeroizing<String>,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Started(..)")
    }
}

/// Where a provider does what.
#[derive(Debug)]
struct Described {
    authorization: String,
    token: String,
    userinfo: Option<String>,
    device: Option<String>,
    /// Whether it says who it is when it sends somebody back (RFC 9207).
    says_issuer: bool,
}

impl Oidc {
    /// A provider, reached by `web`. `key` protects what browsers keep; nodes that serve one address share it. Nothing is
    /// asked yet: it may start after us.
    ///
    /// # Errors
    /// An option cannot be used.
    pub fn new(options: OidcOptions, web: Web, key: &[u8; 32]) -> Result<Self, SetupError> {
        options.check()?;
        let wrong = |option| {
            move |problem: &'static str| SetupError::Option {
                option,
                problem: problem.to_owned(),
            }
        };
        Ok(Oidc(Arc::new(Inner {
            issuer: Issuer::new(&options.issuer, web).map_err(wrong("issuer"))?,
            tickets: Tickets::new(key).map_err(wrong("key"))?,
            described: Mutex::new(None),
            options,
        })))
    }

    /// What it was told.
    pub fn options(&self) -> &OidcOptions {
        &self.0.options
    }

    /// Begins a login.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn start(&self, now: SystemTime) -> Result<Started, OidcError> {
        let inner = &*self.0;
        let described = inner.described(now).await?;
        let (ticket, cookie) = inner
            .tickets
            .make(&inner.options.name, now)
            .map_err(|problem| OidcError::Unavailable(problem.to_owned()))?;
        let mut url = Url::parse(&described.authorization)
            .map_err(|error| OidcError::Unavailable(error.to_string()))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &inner.options.client_id)
            .append_pair("redirect_uri", &inner.options.redirect_url)
            .append_pair("scope", &inner.scope())
            .append_pair("state", &ticket.state)
            .append_pair("nonce", &ticket.nonce)
            .append_pair("code_challenge", &ticket.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(Started {
            url: url.into(),
            cookie,
        })
    }

    /// Ends a login: `query` is what the browser came back with, `cookie` what it kept. Both are used up by that.
    ///
    /// # Errors
    /// It cannot be accepted, the provider or our rules say no, or the provider cannot be asked.
    pub async fn finish(
        &self,
        query: &str,
        cookie: Option<&str>,
        now: SystemTime,
    ) -> Result<Person, OidcError> {
        let inner = &*self.0;
        let back = Back::read(query).map_err(OidcError::Refused)?;
        let cookie = cookie.ok_or(OidcError::Refused(
            "the browser kept nothing: it did not begin this login",
        ))?;
        let ticket = inner
            .tickets
            .take(&inner.options.name, cookie, &back.state, now)
            .map_err(OidcError::Refused)?;
        let described = inner.described(now).await?;
        match &back.issuer {
            Some(issuer) if *issuer != inner.options.issuer => {
                return Err(OidcError::Refused("`iss` is another provider"));
            }
            None if described.says_issuer => {
                return Err(OidcError::Refused("`iss` is missing"));
            }
            _ => {}
        }
        let code = match (&back.code, back.error) {
            (_, true) => return Err(OidcError::Denied("the provider sent an error back")),
            (Some(code), false) => code,
            (None, false) => return Err(OidcError::Refused("there is no code")),
        };
        let answer = inner
            .token(
                &described,
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", &inner.options.redirect_url),
                    ("code_verifier", &ticket.verifier),
                ],
            )
            .await?;
        if answer.status != 200 {
            return Err(match answer.status {
                400 | 401 => OidcError::Refused("the provider does not accept the code, or not us"),
                status => OidcError::Unavailable(format!("its token endpoint answers {status}")),
            });
        }
        let tokens = TokenAnswer::read(&answer.body).map_err(OidcError::Refused)?;
        inner
            .person(&described, &tokens, Some(&ticket.nonce), now)
            .await
    }
}

impl Inner {
    /// All scopes, `openid` among them.
    fn scope(&self) -> String {
        let more = self.options.scopes.iter().map(String::as_str);
        let scopes: Vec<&str> = std::iter::once("openid")
            .chain(more.filter(|scope| *scope != "openid"))
            .collect();
        scopes.join(" ")
    }

    async fn described(&self, now: SystemTime) -> Result<Arc<Described>, OidcError> {
        {
            let held = self
                .described
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some((described, since)) = &*held
                && apart(now, *since) < DESCRIBED_FOR
            {
                return Ok(Arc::clone(described));
            }
        }
        let description = describe(&self.issuer.web, &self.issuer.url)
            .await
            .map_err(OidcError::Unavailable)?;
        let described = Described::read(&description, &self.issuer.web)
            .map(Arc::new)
            .map_err(OidcError::Unavailable)?;
        let mut held = self
            .described
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Some((Arc::clone(&described), now));
        Ok(described)
    }

    /// Asks the token endpoint, as ourselves.
    async fn token(
        &self,
        described: &Described,
        form: &[(&str, &str)],
    ) -> Result<Answer, OidcError> {
        self.post(&described.token, form).await
    }

    async fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<Answer, OidcError> {
        let options = &self.options;
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut form = form.to_vec();
        let mut basic = None;
        match &options.client_secret {
            Some(secret) if options.client_auth == ClientAuth::Basic => {
                // Encoded before they are joined (RFC 6749, 2.3.1), so that a colon in them is no border.
                basic = Some((encode(&options.client_id), Zeroizing::new(encode(secret))));
            }
            Some(secret) => {
                form.push(("client_id", &options.client_id));
                form.push(("client_secret", secret));
            }
            None => form.push(("client_id", &options.client_id)),
        }
        let basic = basic
            .as_ref()
            .map(|(id, secret)| (id.as_str(), secret.as_str()));
        let answer = self.issuer.web.post(url, &form, basic).await;
        answer.map_err(OidcError::Unavailable)
    }
}

impl Described {
    fn read(description: &Object, web: &Web) -> Result<Self, String> {
        let url = |name: &str| match description.get(name) {
            None => Ok(None),
            Some(Json::Text(url)) => web
                .check(url)
                .map(|_| Some(url.clone()))
                .map_err(|problem| format!("its `{name}` is not used: {problem}")),
            Some(_) => Err(format!("its `{name}` is not text")),
        };
        let needed =
            |name: &str| url(name)?.ok_or_else(|| format!("its description has no `{name}`"));
        Ok(Described {
            authorization: needed("authorization_endpoint")?,
            token: needed("token_endpoint")?,
            userinfo: url("userinfo_endpoint")?,
            device: url("device_authorization_endpoint")?,
            says_issuer: description.get("authorization_response_iss_parameter_supported")
                == Some(&Json::Bool(true)),
        })
    }
}

/// The query that somebody came back with.
struct Back {
    state: String,
    code: Option<String>,
    issuer: Option<String>,
    /// The provider says that it did not work. What it says beside is not repeated: anybody can write it into a link.
    error: bool,
}

impl Back {
    fn read(query: &str) -> Result<Self, &'static str> {
        if query.len() > MAX_QUERY_BYTES {
            return Err("the query is too long");
        }
        let (mut state, mut code, mut issuer, mut error) = (None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.trim_start_matches('?').as_bytes()) {
            let place = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "iss" => &mut issuer,
                "error" => &mut error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err("a parameter is there twice");
            }
        }
        Ok(Back {
            state: state
                .filter(|state| !state.is_empty())
                .ok_or("there is no `state`")?,
            code: code.filter(|code| !code.is_empty()),
            issuer,
            error: error.is_some(),
        })
    }
}

/// What the token endpoint gave.
struct TokenAnswer {
    id_token: String,
    access_token: Zeroizing<String>,
}

impl TokenAnswer {
    fn read(body: &[u8]) -> Result<Self, &'static str> {
        let answer =
            Json::object(body).map_err(|_| "the token endpoint does not answer in strict JSON")?;
        let text = |name: &str| answer.get(name).and_then(Json::text);
        let is_bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !is_bearer {
            return Err("the token endpoint gives a token of another type");
        }
        Ok(TokenAnswer {
            id_token: text("id_token")
                .ok_or("the token endpoint gives no `id_token`")?
                .to_owned(),
            access_token: Zeroizing::new(
                text("access_token")
                    .ok_or("the token endpoint gives no `access_token`")?
                    .to_owned(),
            ),
        })
    }
}

/// Whether two texts are the same, in a time that says nothing of where they differ.
fn is_same(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}
