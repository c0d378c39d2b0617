//! A real login provider, and a browser.

use std::time::{Duration, SystemTime};

use longshore_auth::directory::Person;
use longshore_auth::provider::oidc::{ClientAuth, DevicePoll, Oidc, OidcError, OidcOptions};
use longshore_auth::provider::{Pattern, Web};

use crate::provider::{Provider, browse};

const BACK: &str = "https://registry.example/login/oidc/corp";

/// A provider, and us as its client.
impl Provider {
    fn options(&self, client: &str) -> OidcOptions {
        let mut options = OidcOptions::new("corp", &self.url, client, BACK);
        options.client_secret = match client {
            "basic" => Some("se:cr%et/+".to_owned().into()),
            "public" => None,
            _ => Some("secret".to_owned().into()),
        };
        if client == "post" {
            options.client_auth = ClientAuth::Post;
        }
        options.scopes.push("groups".to_owned());
        options.groups_claim = Some("groups".to_owned());
        options
    }

    fn client(&self, options: OidcOptions) -> Oidc {
        let web = Web::new(std::slice::from_ref(&self.url), None).unwrap();
        Oidc::new(options, web, &[7; 32]).unwrap()
    }
}

/// The provider's clock is the machine's.
#[expect(
    clippy::disallowed_methods,
    reason = "what a real provider signs is good now"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

async fn login(oidc: &Oidc, who: &str) -> Result<Person, OidcError> {
    let started = oidc.start(now()).await?;
    let back = browse(&started.url, who, BACK).await;
    let (place, query) = back.split_once('?').unwrap();
    assert_eq!(place, BACK);
    oidc.finish(query, Some(&started.cookie), now()).await
}

#[tokio::test]
async fn people_log_in_with_a_browser_whatever_kind_of_client_we_are() {
    let Some(provider) = Provider::start() else {
        return;
    };
    for client in ["basic", "post", "public", "curves"] {
        let oidc = provider.client(provider.options(client));
        let alice = login(&oidc, "alice").await.unwrap();
        let expected = Person {
            source: provider.url.clone(),
            subject: "alice".to_owned(),
            name: "alice".to_owned(),
            mail: Some("alice@example.test".to_owned()),
            mail_verified: true,
            full_name: Some("Alice Ämter".to_owned()),
            groups: Some(vec!["staff".to_owned(), "web".to_owned()]),
            admin: None,
        };
        assert_eq!(alice, expected, "{client}");
    }
    let mut options = provider.options("basic");
    options.admin_claim = Some(("groups".to_owned(), Pattern::new("staff").unwrap()));
    let oidc = provider.client(options.clone());
    assert_eq!(login(&oidc, "alice").await.unwrap().admin, Some(true));
    let bob = login(&oidc, "bob").await.unwrap();
    assert_eq!(
        (bob.subject.as_str(), bob.name.as_str(), bob.admin),
        ("bob", "bob", Some(false))
    );
    assert_eq!(
        (bob.mail.as_deref(), bob.mail_verified),
        (Some("alice@example.test"), false),
        "anybody can say that"
    );
    options.allowed_groups = vec!["web".to_owned()];
    let oidc = provider.client(options);
    assert!(login(&oidc, "alice").await.is_ok());
    assert!(matches!(
        login(&oidc, "bob").await,
        Err(OidcError::Denied(_))
    ));
}

#[tokio::test]
async fn a_login_is_ended_once_and_by_whoever_began_it() {
    let Some(provider) = Provider::start() else {
        return;
    };
    let oidc = provider.client(provider.options("basic"));
    let (ours, others) = (
        oidc.start(now()).await.unwrap(),
        oidc.start(now()).await.unwrap(),
    );
    let back = browse(&ours.url, "alice", BACK).await;
    let query = back.split_once('?').unwrap().1;
    let finish = async |query: &str, cookie: Option<&str>, at| oidc.finish(query, cookie, at).await;
    for (what, refused) in [
        ("no cookie", finish(query, None, now()).await),
        (
            "another browser",
            finish(query, Some(&others.cookie), now()).await,
        ),
        (
            "too late",
            finish(query, Some(&ours.cookie), now() + Duration::from_mins(11)).await,
        ),
        (
            "no state",
            finish("code=x", Some(&ours.cookie), now()).await,
        ),
        ("no query", finish("", Some(&ours.cookie), now()).await),
        (
            "twice",
            finish(&format!("{query}&state=x"), Some(&ours.cookie), now()).await,
        ),
    ] {
        assert!(
            matches!(refused, Err(OidcError::Refused(_))),
            "{what}: {refused:?}"
        );
    }
    assert!(
        finish(query, Some(&ours.cookie), now()).await.is_ok(),
        "none of these used it up"
    );
    assert_eq!(
        finish(query, Some(&ours.cookie), now()).await,
        Err(OidcError::Refused("this login was ended before"))
    );

    // A code of this login that is brought to the end of another: the secret of PKCE is another's.
    let (first, second) = (
        oidc.start(now()).await.unwrap(),
        oidc.start(now()).await.unwrap(),
    );
    let back = browse(&first.url, "alice", BACK).await;
    let code = url::Url::parse(&back).unwrap();
    let code = code
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let state = url::Url::parse(&second.url).unwrap();
    let state = state
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let injected = format!("code={code}&state={state}&iss={}", provider.url);
    let refused = finish(&injected, Some(&second.cookie), now()).await;
    assert_eq!(
        refused,
        Err(OidcError::Refused(
            "the provider does not accept the code, or not us"
        ))
    );

    for (what, change) in [
        ("another issuer", query.replace("iss=", "iss=x")),
        ("no issuer", query.replace("iss=", "other=")),
        (
            "an error",
            query.replace(
                "code=",
                "error=access_denied&error_description=%3Cscript%3E&other=",
            ),
        ),
    ] {
        let started = oidc.start(now()).await.unwrap();
        let back = browse(&started.url, "alice", BACK).await;
        let (old, new) = (query, back.split_once('?').unwrap().1);
        let of = |query: &str, name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.into_owned())
        };
        let change = change
            .replace(&of(old, "state").unwrap(), &of(new, "state").unwrap())
            .replace(&of(old, "code").unwrap(), &of(new, "code").unwrap());
        let refused = finish(&change, Some(&started.cookie), now())
            .await
            .unwrap_err();
        assert!(!refused.to_string().contains("script"), "{what}");
    }
    let mut wrong = provider.options("basic");
    wrong.client_secret = Some("wrong".to_owned().into());
    assert!(matches!(
        login(&provider.client(wrong), "alice").await,
        Err(OidcError::Refused(_))
    ));
}

#[tokio::test]
async fn a_command_line_logs_in_by_a_browser_elsewhere() {
    let Some(provider) = Provider::start() else {
        return;
    };
    for client in ["basic", "public"] {
        let oidc = provider.client(provider.options(client));
        let started = oidc.device_start(now()).await.unwrap();
        assert!(
            started.verification_url.starts_with(&provider.url) && !started.user_code.is_empty()
        );
        assert_eq!(
            oidc.device_poll(&started.device_code, now()).await,
            Ok(DevicePoll::Waiting)
        );
        browse(&started.complete_url.unwrap(), "alice", BACK).await;
        let done = oidc.device_poll(&started.device_code, now()).await.unwrap();
        let DevicePoll::Done(alice) = done else {
            panic!("{done:?}");
        };
        assert_eq!(
            (alice.subject.as_str(), alice.groups.unwrap().len()),
            ("alice", 2)
        );
        assert_eq!(
            oidc.device_poll(&started.device_code, now()).await,
            Ok(DevicePoll::Over),
            "once"
        );
        assert_eq!(
            oidc.device_poll("made up", now()).await,
            Ok(DevicePoll::Over)
        );
    }
    let mut options = provider.options("basic");
    options.allowed_groups = vec!["web".to_owned()];
    let oidc = provider.client(options);
    let started = oidc.device_start(now()).await.unwrap();
    browse(&started.complete_url.unwrap(), "bob", BACK).await;
    let refused = oidc.device_poll(&started.device_code, now()).await;
    assert!(
        matches!(refused, Err(OidcError::Denied(_))),
        "the same rules: {refused:?}"
    );
}
