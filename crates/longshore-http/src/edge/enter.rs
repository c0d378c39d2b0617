//! From a request to a context: who asks, and whether they may.
//!
//! The rights gate of the tower decides again and for good. The edge asks first for two reasons: a client must be told
//! the whole scope it needs, which only the request shows, and no body may be read from someone who may not send it.
//! `docs/decisions/0008-the-edge-asks-before-the-gate.md`.

use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use longshore_auth::{AuthKind, Authenticator, IdentityKind, Refusal};
use longshore_core::{Actor, Code, Cx, Error, Origin, Verb};
use longshore_spec::route::Request;

use super::errors::{Fault, seconds};
use super::names;
use super::needs::{deed, need, needs, scope};
use super::options::{EdgeOptions, Ping};
use super::proxies::Sender;
use super::urls::{Urls, value};

/// A request whose sender is known.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    /// Method, target and headers.
    pub(super) head: &'a Parts,
    /// Where it came from.
    pub(super) sender: &'a Sender<'a>,
    /// What the registry is told of it.
    pub(super) cx: Cx,
    /// What the sender's identity rests on.
    pub(super) kind: IdentityKind,
    /// Why it may not do what the request needs, where it may not and there are words for it.
    lack: Option<Box<str>>,
}

impl<'a> Visit<'a> {
    /// Finds out who sends `request`. `id` is its id, and `now` when it came in.
    pub(super) async fn enter(
        (authenticator, urls): (&Authenticator, &Urls),
        head: &'a Parts,
        sender: &'a Sender<'a>,
        request: &Request,
        (id, now): (u128, std::time::SystemTime),
    ) -> Result<Self, Fault> {
        let credentials = head
            .headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .map(HeaderValue::as_bytes);
        let (needs, address) = (needs(request), sender.address);
        // What somebody says in a header is meant for this request; a certificate belongs to the machine.
        let has_header = head.headers.contains_key(header::AUTHORIZATION);
        let shown = match sender.presented(now).filter(|_| !has_header) {
            Some(shown) => {
                let asked = authenticator.by_certificate(shown, needs, address, now);
                Box::pin(asked).await.transpose()
            }
            None => None,
        };
        let identified = match shown {
            Some(identified) => identified,
            None => {
                authenticator
                    .identify(credentials, needs, address, now)
                    .await
            }
        };
        match identified {
            Ok(identity) => Ok(Self {
                head,
                sender,
                cx: Cx {
                    actor: identity.actor,
                    rights: identity.rights,
                    origin: Origin {
                        way: identity.way,
                        address: Some(address),
                    },
                    request: id,
                    now,
                },
                kind: identity.kind,
                lack: identity.lack,
            }),
            Err(refusal) => {
                tracing::info!(peer = %sender.address, why = refusal.why, "credentials were refused");
                let here = |path: &str| urls.here(head, sender, path);
                let challenge =
                    |scope: Option<&str>| authenticator.challenge(scope, refusal.error, here);
                Err(turned_away(challenge, &refusal, request))
            }
        }
    }

    /// Checks that the sender has the right that `request` needs.
    pub(super) fn admit(
        &self,
        (authenticator, urls): (&Authenticator, &Urls),
        request: &Request,
        options: &EdgeOptions,
    ) -> Result<(), Fault> {
        let here = |path: &str| urls.here(self.head, self.sender, path);
        let index = options.index.as_deref();
        let Some((repo, verb)) = need(request) else {
            return match request {
                Request::V1Ping => Ok(()),
                Request::V1Search { .. } => self.admit_search(authenticator, index, here),
                _ => self.admit_ping(authenticator, options.ping, here),
            };
        };
        if self.cx.rights.allow(repo, verb) {
            return Ok(());
        }
        let scope = scope(request);
        let deed = match verb {
            Verb::Catalog => format!("{}{}", deed(repo, verb), seen_at(index)),
            _ => deed(repo, verb),
        };
        let lack = self.lack.as_deref().or_else(|| authenticator.missing(verb));
        let token = format!(
            "this token does not allow to {deed}{}",
            lack.map_or_else(String::new, |lack| format!(": {lack}"))
        );
        let login = format!("log in to {deed}");
        let challenge = match self.kind {
            // Whoever gave a password has proven who they are: asking again would only make clients ask for another.
            IdentityKind::Password => None,
            // A client with a certificate may have a login as well, which it sends only when it is asked.
            IdentityKind::Anonymous | IdentityKind::Certificate => {
                authenticator.challenge(scope.as_deref(), None, here)
            }
            IdentityKind::Token => {
                // Clients show this sentence: nobody can do something about it by logging in.
                let words = match self.cx.actor {
                    Actor::Anonymous => &login,
                    _ => &token,
                };
                let error = ("insufficient_scope", lack.map(|_| words.as_str()));
                authenticator.challenge_saying(scope.as_deref(), Some(error), here)
            }
        };
        let fault = match (challenge, &self.cx.actor) {
            (Some(challenge), Actor::Anonymous) => challenged(challenge, login),
            (Some(challenge), Actor::Named(name)) if self.kind == IdentityKind::Certificate => {
                let why = lack.map_or_else(String::new, |lack| format!(": {lack}"));
                let what = format!(
                    "`{name}`, by its certificate, may not {deed}{why}; log in as somebody else"
                );
                challenged(challenge, what)
            }
            (Some(challenge), _) => challenged(challenge, token),
            (None, Actor::Named(name)) => {
                let why = lack.map_or_else(
                    || "; ask whoever runs this registry".to_owned(),
                    |lack| format!(": {lack}"),
                );
                Error::new(Code::Denied, format!("`{name}` may not {deed}{why}")).into()
            }
            (None, _) => {
                Error::new(Code::Denied, format!("it is not allowed here to {deed}")).into()
            }
        };
        Err(fault.lacking(scope))
    }

    /// A search needs no right: it finds what the caller may pull. A stranger who may pull nothing is asked who they are. So is one
    /// who may pull something and is no engine: podman and skopeo search like this without the credentials they have, and list
    /// the catalog with them when they are refused. Tokens of elsewhere do not say all that their bearer sees: to find nothing would be
    /// an answer that is not true.
    fn admit_search(
        &self,
        authenticator: &Authenticator,
        index: Option<&str>,
        here: impl FnOnce(&str) -> String,
    ) -> Result<(), Fault> {
        let is_stranger =
            self.kind == IdentityKind::Anonymous && authenticator.kind() != AuthKind::None;
        let reach = self.cx.rights.listed();
        if self.kind == IdentityKind::Token
            && authenticator.kind() == AuthKind::Token
            && !reach.is_all()
        {
            let what = format!(
                "this registry cannot tell what else you may see than your token says, so it does not search{}",
                seen_at(index)
            );
            return Err(Error::new(Code::Denied, what).into());
        }
        let is_engine = self.head.headers.contains_key(names::DOCKER_TOKEN);
        let finds_all_it_could = reach.is_all() || (is_engine && !reach.is_nothing());
        if !is_stranger || finds_all_it_could {
            return Ok(());
        }
        match authenticator.challenge(Some("registry:catalog:search"), None, here) {
            Some(challenge) => {
                let what = format!("log in to search here{}", seen_at(index));
                Err(challenged(challenge, what))
            }
            None => Ok(()),
        }
    }

    /// Clients choose by the answer to the ping whether they send credentials at all, so strangers are asked for some
    /// although a ping needs no right: `docs/decisions/0007-the-ping-of-strangers.md`.
    fn admit_ping(
        &self,
        authenticator: &Authenticator,
        ping: Ping,
        here: impl FnOnce(&str) -> String,
    ) -> Result<(), Fault> {
        let shows_nothing = matches!(
            self.kind,
            IdentityKind::Anonymous | IdentityKind::Certificate
        );
        let is_stranger = shows_nothing && authenticator.kind() != AuthKind::None;
        let may_read = self.cx.rights.pulls();
        if !is_stranger || (ping == Ping::Welcome && may_read) {
            return Ok(());
        }
        match authenticator.challenge(None, None, here) {
            Some(challenge) => Err(challenged(
                challenge,
                "log in to use this registry".to_owned(),
            )),
            None => Ok(()),
        }
    }
}

/// Where to ask what one may see, for the end of a sentence.
fn seen_at(index: Option<&str>) -> String {
    index.map_or_else(String::new, |index| {
        format!("; the index at {index} searches what you may see")
    })
}

/// The answer to credentials that are not accepted. It names the full scope, so that the next token is good for what
/// was asked: tokens end while layers are being pushed.
fn turned_away(
    challenge: impl FnOnce(Option<&str>) -> Option<String>,
    refusal: &Refusal,
    request: &Request,
) -> Fault {
    if let Some(wait) = refusal.retry_after {
        return Fault::from(Error::new(refusal.code, refusal.public))
            .with(header::RETRY_AFTER, seconds(wait));
    }
    match challenge(scope(request).as_deref()) {
        Some(challenge) => challenged(challenge, refusal.public.to_owned()),
        None => Error::new(Code::Unauthorized, refusal.public).into(),
    }
    .reason(refusal.reason)
}

fn challenged(challenge: String, message: String) -> Fault {
    let (status, code) = (StatusCode::UNAUTHORIZED, Code::Unauthorized.wire().1);
    Fault::new(status, code, message).with(header::WWW_AUTHENTICATE, value(challenge))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::time::SystemTime;

    use longshore_core::Rights;
    use longshore_spec::route::parse;

    use super::*;

    /// What a caller without any right is answered who came this way.
    fn refused(kind: IdentityKind, actor: Actor) -> http::Response<crate::server::Body> {
        let (head, ()) = http::Request::new(()).into_parts();
        let sender = Sender {
            address: Ipv4Addr::LOCALHOST.into(),
            secure: false,
            host: None,
            request: None,
            certificate: None,
        };
        let cx = Cx {
            actor,
            rights: Rights::Nothing,
            origin: Origin::default(),
            request: 1,
            now: SystemTime::UNIX_EPOCH,
        };
        let visit = Visit {
            head: &head,
            sender: &sender,
            cx,
            kind,
            lack: None,
        };
        let push = parse("POST", "/v2/a/blobs/uploads/", None).unwrap();
        let urls = Urls::new(&super::super::EdgeOptions::default());
        let fault = visit
            .admit(
                (&Authenticator::open(), &urls),
                &push,
                &EdgeOptions::default(),
            )
            .unwrap_err();
        fault.respond(false, "r1")
    }

    #[tokio::test]
    async fn whoever_cannot_log_in_any_better_is_told_what_is_missing() {
        use http_body_util::BodyExt;
        let alice = Actor::Named(Arc::from("alice"));
        for (kind, actor, words) in [
            (IdentityKind::Password, alice, "`alice` may not push to `a`"),
            (
                IdentityKind::Anonymous,
                Actor::Anonymous,
                "it is not allowed here to push to `a`",
            ),
        ] {
            let response = refused(kind, actor);
            assert_eq!(response.status(), StatusCode::FORBIDDEN);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let error = &json["errors"][0];
            assert_eq!(error["code"], "DENIED");
            assert!(error["message"].as_str().unwrap().starts_with(words));
            assert_eq!(error["detail"]["scope"], "repository:a:pull,push");
        }
    }
}
