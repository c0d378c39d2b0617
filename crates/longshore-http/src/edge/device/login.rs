//! The page where people log in by name and password.

use http::{Response, StatusCode, header};
use longshore_auth::index::{SESSION_LIVES, UserCode};
use longshore_core::error::Chain;
use longshore_core::{Actor, ByteStream, Code, Error};
use zeroize::Zeroizing;

use super::super::cookies::{DEVICE_COOKIE, FORM_COOKIE, SESSION_COOKIE, cookie, kept};
use super::super::errors::Fault;
use super::fields::page_fields;
use super::page::Trouble;
use super::{Asked, DEVICE, DeviceEdge, LOGIN};
use crate::server::Body;

/// How long somebody may take to fill the form in.
const FORM_LIVES: u64 = 3600;

impl DeviceEdge {
    pub(super) fn login_page(
        &self,
        asked: &Asked<'_>,
        status: StatusCode,
        trouble: Trouble,
        code: Option<UserCode>,
    ) -> Result<Response<Body>, Fault> {
        let waiting = kept(asked.head, DEVICE_COOKIE).and_then(UserCode::read);
        let code = code.or(waiting);
        let held = kept(asked.head, FORM_COOKIE).filter(|held| held.len() == 32);
        let held = match held {
            Some(held) => held.to_owned(),
            None => self
                .index()
                .new_mark()
                .map_err(|_| Error::new(Code::Unavailable, "no form can be made just now"))?,
        };
        let mark = self.index().form_mark("login", &held);
        let providers: Vec<String> = self.index().providers().map(str::to_owned).collect();
        let page = self.page(asked, None);
        let mut response = page.login(status, trouble, (code.as_ref(), &mark), &providers);
        let cookie = cookie(FORM_COOKIE, &held, FORM_LIVES);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// A login by name, password and perhaps a code.
    pub(super) async fn login(
        &self,
        asked: &Asked<'_>,
        body: ByteStream,
    ) -> Result<Response<Body>, Fault> {
        let fields = page_fields(asked, body).await?;
        let (words, code) = (asked.words, fields.typed());
        let held = kept(asked.head, FORM_COOKIE).unwrap_or_default();
        let said = fields.mark.as_deref().unwrap_or_default();
        if !self.is_ours(asked) || held.is_empty() || !self.is_mark("login", held, said) {
            return self.login_page(asked, StatusCode::FORBIDDEN, Some(words.stale), code);
        }
        let user = fields.username.unwrap_or_default();
        let password = fields.password.unwrap_or_default().into_bytes();
        let factor = fields.code.unwrap_or_default();
        let (peer, now) = (asked.sender.address, asked.now);
        let given = (user.as_str(), Zeroizing::new(password), factor.as_str());
        let known = match Box::pin(self.index().login_at_page(given, peer, now)).await {
            Ok(known) => known,
            Err(refusal) => {
                tracing::info!(%peer, why = refusal.why, "a login at the page was refused");
                asked.watch.error(refusal.code.wire().1);
                let (status, words) = match refusal.code {
                    Code::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, words.too_many),
                    Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, words.unavailable),
                    _ => (StatusCode::UNAUTHORIZED, words.wrong),
                };
                return self.login_page(asked, status, Some(words), code);
            }
        };
        asked.watch.actor(&Actor::Named(known.name.clone()));
        let agent = asked.head.headers.get(header::USER_AGENT);
        let agent = agent.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let session = self.index().session_begin(&known, agent, now).await;
        let session = session.map_err(|error| {
            tracing::error!(error = %Chain(&error), "a session could not be begun");
            Error::new(Code::Unavailable, "no session can be begun just now")
        })?;
        let session = cookie(SESSION_COOKIE, session.as_str(), SESSION_LIVES.as_secs());
        Ok(self
            .to(asked, DEVICE, code.as_ref())
            .also(header::SET_COOKIE, session)
            .also(header::SET_COOKIE, cookie(DEVICE_COOKIE, "", 0))
            .also(header::SET_COOKIE, cookie(FORM_COOKIE, "", 0))
            .respond(false))
    }

    /// Ends the browser's session.
    pub(super) async fn logout(
        &self,
        asked: &Asked<'_>,
        body: ByteStream,
    ) -> Result<Response<Body>, Fault> {
        let fields = page_fields(asked, body).await?;
        let held = kept(asked.head, SESSION_COOKIE).unwrap_or_default();
        let said = fields.mark.as_deref().unwrap_or_default();
        if self.is_ours(asked) && self.is_mark("logout", held, said) {
            self.index().session_end(held.as_bytes()).await?;
        }
        Ok(self
            .to(asked, LOGIN, None)
            .also(header::SET_COOKIE, cookie(SESSION_COOKIE, "", 0))
            .respond(false))
    }
}
