//! Providers that are not what they say, and tokens that are not for us.

use std::fmt::Write as _;

use super::keyless::header;
use super::server::Server;
use crate::directory::Person;
use crate::provider::oidc::{Oidc, OidcError, OidcOptions, Started};
use crate::provider::{Pattern, Web};
use crate::token::tests::support::{Signer, at};

struct Provider {
    server: Server,
    signer: Signer,
    oidc: Oidc,
}

impl Provider {
    async fn start(change: fn(&mut OidcOptions)) -> Self {
        let (server, signer) = (Server::start().await, Signer::es256());
        let url = server.url.clone();
        let endpoints = format!(
            r#","authorization_endpoint":"{url}/auth","token_endpoint":"{url}/token","userinfo_endpoint":"{url}/me",
               "device_authorization_endpoint":"{url}/device""#
        );
        server.describe(&endpoints, &[signer.jwk("k1")]);
        server.answer("/me", 200, r#"{"sub":"alice-id","groups":["web"]}"#);
        let mut options = OidcOptions::new("corp", &url, "us", "https://registry.example/back");
        options.client_secret = Some("a:b".to_owned().into());
        options.groups_claim = Some("groups".to_owned());
        change(&mut options);
        let web = Web::new(&[url], None).unwrap();
        let oidc = Oidc::new(options, web, &[7; 32]).unwrap();
        Provider {
            server,
            signer,
            oidc,
        }
    }

    /// The claims of a good token for this login, with some replaced or added; an empty value leaves one out.
    fn claims(&self, nonce: &str, edits: &[(&str, &str)]) -> String {
        let mut claims = vec![
            ("iss", format!("{:?}", self.server.url)),
            ("aud", r#""us""#.to_owned()),
            ("sub", r#""alice-id""#.to_owned()),
            ("iat", "1899999990".to_owned()),
            ("exp", "1900000300".to_owned()),
            ("nonce", format!("{nonce:?}")),
        ];
        for (name, value) in edits {
            claims.retain(|(known, _)| known != name);
            if !value.is_empty() {
                claims.push((name, (*value).to_owned()));
            }
        }
        let mut text = String::new();
        for (name, value) in claims {
            write!(
                text,
                "{}\"{name}\":{value}",
                if text.is_empty() { "{" } else { "," }
            )
            .unwrap();
        }
        text + "}"
    }

    fn give(&self, id_token: &str) {
        let body =
            format!(r#"{{"access_token":"at","token_type":"Bearer","id_token":"{id_token}"}}"#);
        self.server.answer("/token", 200, body);
    }

    /// A login whose token has these edits.
    async fn login(&self, edits: &[(&str, &str)]) -> Result<Person, OidcError> {
        let started = self.oidc.start(at(0)).await.unwrap();
        let claims = self.claims(&param(&started, "nonce"), edits);
        self.give(&self.signer.token(&header(&self.signer, "k1"), &claims));
        self.finish(&started).await
    }

    async fn finish(&self, started: &Started) -> Result<Person, OidcError> {
        let query = format!("code=c&state={}", param(started, "state"));
        self.oidc.finish(&query, Some(&started.cookie), at(1)).await
    }
}

fn param(started: &Started, name: &str) -> String {
    let url = url::Url::parse(&started.url).unwrap();
    url.query_pairs()
        .find(|(found, _)| found == name)
        .unwrap()
        .1
        .into_owned()
}

#[tokio::test]
async fn a_login_asks_for_what_it_must_and_shows_the_secret_as_it_is_told() {
    let provider = Provider::start(|_| ()).await;
    let person = provider.login(&[]).await.unwrap();
    assert_eq!(
        (person.subject.as_str(), person.name.as_str()),
        ("alice-id", "alice-id")
    );
    assert_eq!(person.groups.unwrap(), ["web"]);
    let started = provider.oidc.start(at(0)).await.unwrap();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", "https://registry.example/back"),
        ("scope", "openid profile email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(param(&started, name), value);
    }
    let request = &provider.server.asked("/token")[0];
    // `us:a%3Ab` in base64: the colon in the secret is no border.
    assert!(
        request.contains("authorization: Basic dXM6YSUzQWI="),
        "{request}"
    );
    assert!(
        request.contains("grant_type=authorization_code") && request.contains("code_verifier=")
    );
    assert!(!request.contains("client_secret"));
    let asked = provider
        .server
        .asked("/.well-known/openid-configuration")
        .len();
    assert!(asked <= 2, "once for itself, once for its keys: {asked}");
}

#[tokio::test]
async fn tokens_that_are_not_for_us_and_this_login_are_refused() {
    let provider = Provider::start(|_| ()).await;
    for (name, raw) in [
        ("nonce", ""),
        ("nonce", r#""another""#),
        ("nonce", "null"),
        ("aud", r#""them""#),
        ("aud", r#"["us","them"]"#),
        ("aud", "[]"),
        ("azp", r#""them""#),
        ("azp", "1"),
        ("iss", r#""https://other.example""#),
        ("exp", ""),
        ("exp", "1899999900"),
        ("exp", r#""1900000300""#),
        ("iat", ""),
        ("iat", "1900000100"),
        ("sub", ""),
        ("sub", r#""""#),
        ("sub", r#"" ""#),
        ("sub", r#""a\nb""#),
        ("sub", "7"),
        ("sub", r#""mallory""#),
        ("groups", "7"),
        ("groups", r#"{"web":true}"#),
        ("groups", r#"["web",7]"#),
    ] {
        let refused = provider.login(&[(name, raw)]).await;
        assert!(
            matches!(refused, Err(OidcError::Refused(_))),
            "{name}={raw}: {refused:?}"
        );
    }
    let long = format!("{:?}", "x".repeat(256));
    assert!(provider.login(&[("sub", &long)]).await.is_err());
    assert!(
        provider
            .login(&[("aud", r#"["us","them"]"#), ("azp", r#""us""#)])
            .await
            .is_ok()
    );

    // Somebody else's key, no signature, no token.
    let (other, started) = (Signer::es256(), provider.oidc.start(at(0)).await.unwrap());
    let claims = provider.claims(&param(&started, "nonce"), &[]);
    provider.give(&other.token(&header(&other, "k1"), &claims));
    assert!(matches!(
        provider.finish(&started).await,
        Err(OidcError::Refused(_))
    ));
    for body in [
        r#"{"access_token":"a","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"mac","id_token":"x"}"#,
        r#"{"access_token":"a","token_type":"Bearer","id_token":""}"#,
        r#"{"access_token":"a","token_type":"Bearer","id_token":"a","id_token":"b"}"#,
        "[]",
        "",
    ] {
        let started = provider.oidc.start(at(0)).await.unwrap();
        provider.server.answer("/token", 200, body);
        assert!(
            matches!(provider.finish(&started).await, Err(OidcError::Refused(_))),
            "{body}"
        );
    }
    let started = provider.oidc.start(at(0)).await.unwrap();
    provider.server.answer("/token", 302, "");
    assert!(
        matches!(
            provider.finish(&started).await,
            Err(OidcError::Unavailable(_))
        ),
        "a redirect"
    );
}

#[tokio::test]
async fn what_is_said_of_the_user_is_about_the_user_and_adds_to_the_token_only() {
    let provider = Provider::start(|options| {
        options.admin_claim = Some(("role".to_owned(), Pattern::new("admin").unwrap()));
    })
    .await;
    let me = |body: &str| provider.server.answer("/me", 200, body);
    me(
        r#"{"sub":"alice-id","role":"admin","groups":["evil"],"iss":"x","aud":"x","email":"a@b","email_verified":"true"}"#,
    );
    let person = provider
        .login(&[("role", r#""user""#), ("groups", r#"["web"]"#)])
        .await
        .unwrap();
    assert_eq!(
        (person.admin, person.groups.unwrap().join(" ").as_str()),
        (Some(false), "web")
    );
    assert!(!person.mail_verified, "only `true` is true");
    me(r#"{"sub":"alice-id"}"#);
    let person = provider.login(&[]).await.unwrap();
    assert_eq!(
        person.groups,
        Some(Vec::new()),
        "groups that are no longer said are gone"
    );
    for body in [
        r#"{"sub":"bob-id"}"#,
        "{}",
        r#"{"sub":["alice-id"]}"#,
        r#"{"sub":"alice-id","sub":"x"}"#,
        "x",
    ] {
        me(body);
        assert!(
            matches!(provider.login(&[]).await, Err(OidcError::Refused(_))),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_description_that_leads_elsewhere_is_not_followed() {
    let (server, web) = {
        let server = Server::start().await;
        let web = Web::new(std::slice::from_ref(&server.url), None).unwrap();
        (server, web)
    };
    let url = server.url.clone();
    let good = format!(r#","authorization_endpoint":"{url}/auth","token_endpoint":"{url}/token""#);
    let rows = [
        good.replace(&format!("{url}/token"), "http://169.254.169.254/token"),
        good.replace(&format!("{url}/token"), "https://10.0.0.1/token"),
        good.replace(&format!("{url}/auth"), "javascript:alert(1)"),
        good.replace(&format!("{url}/auth"), "http://evil.example/auth"),
        good.replace("token_endpoint", "other"),
        good.replace(&format!("\"{url}/token\""), "7"),
        format!(r#"{good},"userinfo_endpoint":"http://127.0.0.1:1/""#),
    ];
    for more in rows {
        server.describe(&more, &[]);
        let options = OidcOptions::new("corp", &url, "us", "https://registry.example/back");
        let oidc = Oidc::new(options, web.clone(), &[7; 32]).unwrap();
        let refused = oidc.start(at(0)).await;
        assert!(matches!(refused, Err(OidcError::Unavailable(_))), "{more}");
    }
}

#[test]
fn options_that_would_let_in_whom_they_should_not_are_refused() {
    let with = |change: fn(&mut OidcOptions)| {
        let mut options = OidcOptions::new(
            "corp",
            "https://id.example",
            "us",
            "https://registry.example/back",
        );
        change(&mut options);
        Oidc::new(options, Web::new(&[], None).unwrap(), &[7; 32]).map(drop)
    };
    assert!(with(|_| ()).is_ok());
    let bad: [fn(&mut OidcOptions); 10] = [
        |options| options.issuer = "http://id.example".to_owned(),
        |options| options.issuer = "https://127.0.0.1".to_owned(),
        |options| options.client_id.clear(),
        |options| options.client_secret = Some(String::new().into()),
        |options| options.redirect_url = "http://registry.example/back".to_owned(),
        |options| options.redirect_url = "javascript:alert(1)".to_owned(),
        |options| options.scopes = vec!["a b".to_owned()],
        |options| options.allowed_groups = vec!["web".to_owned()],
        |options| options.name = String::new(),
        |options| options.admin_claim = Some(("sub".to_owned(), Pattern::new("**").unwrap())),
    ];
    for change in bad {
        assert!(with(change).is_err());
    }
}
