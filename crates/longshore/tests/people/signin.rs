//! A browser logs in by a provider, and has a session of a running server.

use std::path::Path;

use longshore_testkit::wire::{Answer, Ask, Login, Wire};
use serde_json::Value;

use crate::harness::{Server, Start, file};
use crate::provider::{Provider, browse};

const BACK: &str = "https://registry.example/auth/oidc/corp/callback";
const START: &str = "/auth/oidc/corp/start";

fn config(dir: &Path, provider: &Provider) -> std::path::PathBuf {
    let data = dir.join("data");
    let secret = file(dir, "client", "se:cr%et/+\n");
    let url = &provider.url;
    let text = format!(
        "data = \"{}\"\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://registry.example\"\n[index]\nenabled = true\n\
         outbound_allowed = [{url:?}]\n[index.oidc.corp]\nissuer = {url:?}\nclient_id = \"basic\"\n\
         client_secret_file = \"{}\"\nscopes = [\"profile\", \"email\", \"groups\"]\ngroups_claim = \"groups\"\n\
         allowed_groups = [\"staff\"]\n",
        data.display(),
        secret.display()
    );
    file(dir, "longshore.toml", &text)
}

async fn ask(
    server: &Server,
    method: &'static str,
    target: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let ask = headers
        .iter()
        .fold(Ask::new(method, target), |ask, (name, value)| {
            ask.header(name, *value)
        });
    let mut client = Wire::new(server.address, Login::Nobody);
    client.ask(&ask).await.unwrap()
}

/// The cookie of this name that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let set = answer.all("set-cookie").find(|it| it.starts_with(name))?;
    for word in ["; Path=/;", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(set.contains(word), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let pair = set.split(';').next().unwrap();
    (!pair.ends_with('=')).then(|| pair.to_owned())
}

/// Begins a login and lets `who` go through it at the provider; gives the way back and what the browser kept.
async fn go(server: &Server, who: &str) -> (String, String) {
    let started = ask(server, "GET", START, &[]).await;
    assert_eq!(started.status, 303);
    let kept = cookie(&started, "__Host-longshore-login").unwrap();
    let back = browse(started.header("location").unwrap(), who, BACK).await;
    let back = back.strip_prefix("https://registry.example").unwrap();
    (back.to_owned(), kept)
}

#[tokio::test]
async fn a_browser_comes_back_with_a_session_once_and_can_end_it() {
    let Some(provider) = Provider::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Start::with(&config(dir.path(), &provider)).run();
    let list = ask(&server, "GET", "/auth/oidc", &[]).await;
    let list: Value = serde_json::from_slice(&list.body).unwrap();
    assert_eq!(
        list["providers"][0]["start"],
        format!("https://registry.example{START}")
    );
    let (back, kept) = go(&server, "alice").await;
    for (what, headers) in [
        ("no cookie", &[][..]),
        ("another's", &[("cookie", "__Host-longshore-login=AAAA")]),
    ] {
        let refused = ask(&server, "GET", &back, headers).await;
        assert_eq!(refused.status, 403, "{what}");
        assert!(cookie(&refused, "__Host-longshore-session").is_none());
    }
    let looked = ask(&server, "HEAD", &back, &[("cookie", &kept)]).await;
    assert_eq!(looked.status, 405, "what looks ahead does not use it up");
    let done = ask(&server, "GET", &back, &[("cookie", &kept)]).await;
    assert_eq!(done.status, 303);
    assert_eq!(done.header("location"), Some("https://registry.example/"));
    assert_eq!(done.header("cache-control"), Some("no-store"));
    let session = cookie(&done, "__Host-longshore-session").unwrap();
    let again = ask(&server, "GET", &back, &[("cookie", &kept)]).await;
    assert_eq!(again.status, 403, "a login is ended once");

    let who = async |method: &'static str, headers: &[(&str, &str)]| {
        ask(&server, method, "/auth/session", headers).await
    };
    let with = [("cookie", session.as_str())];
    let known = who("GET", &with).await;
    assert_eq!(known.status, 200);
    assert_eq!(
        serde_json::from_slice::<Value>(&known.body).unwrap()["name"],
        "alice"
    );
    assert_eq!(who("GET", &[]).await.status, 401);
    assert_eq!(
        who("DELETE", &with).await.status,
        403,
        "another site can send that"
    );
    assert_eq!(who("GET", &with).await.status, 200);
    // A session is for browsers: it is no password.
    let secret = session.split_once('=').unwrap().1;
    let Login::Always(basic) = Login::always_basic("alice", secret) else {
        panic!("that is what it is")
    };
    let login = ask(&server, "GET", "/v2/", &[("authorization", &basic)]).await;
    assert_eq!(login.status, 401);
    let ended = who("DELETE", &[with[0], ("x-longshore-request", "1")]).await;
    assert_eq!(ended.status, 204);
    assert_eq!(who("GET", &with).await.status, 401);
    assert!(!server.log().contains(secret), "no session is logged");
    assert!(
        !server.log().contains("code="),
        "nor what the provider sent back"
    );
}

#[tokio::test]
async fn whom_the_rules_keep_out_gets_no_account_and_an_unknown_provider_is_none() {
    let Some(provider) = Provider::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Start::with(&config(dir.path(), &provider)).run();
    let (back, kept) = go(&server, "bob").await;
    let refused = ask(&server, "GET", &back, &[("cookie", &kept)]).await;
    assert_eq!(refused.status, 403, "he is not in `staff`");
    assert!(refused.all("set-cookie").all(|it| !it.contains("session")));
    for target in [
        "/auth/oidc/other/start",
        "/auth/oidc/corp",
        "/auth/oidc/corp/start/x",
        "/auth/oidc/",
    ] {
        assert_eq!(
            ask(&server, "GET", target, &[]).await.status,
            404,
            "{target}"
        );
    }
    assert_eq!(ask(&server, "POST", START, &[]).await.status, 405);
}

/// What is posted to a page or an endpoint as a form.
async fn post(server: &Server, target: &str, form: String, cookies: &str) -> Answer {
    let ask = Ask::new("POST", target)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookies)
        .sized(form.into_bytes());
    let mut client = Wire::new(server.address, Login::Nobody);
    client.ask(&ask).await.unwrap()
}

#[tokio::test]
async fn a_command_line_is_approved_by_somebody_who_logs_in_by_the_provider_for_that() {
    let Some(provider) = Provider::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Start::with(&config(dir.path(), &provider)).run();
    let begun = post(
        &server,
        "/auth/device/code",
        "client_id=a+test".to_owned(),
        "",
    )
    .await;
    let begun: Value = serde_json::from_slice(&begun.body).unwrap();
    let text = |name: &str| begun[name].as_str().unwrap().to_owned();
    let page = text("verification_uri_complete");
    let page = page.strip_prefix("https://registry.example").unwrap();
    let away = ask(&server, "GET", page, &[]).await;
    assert_eq!(
        away.header("location"),
        Some("https://registry.example/auth/login")
    );
    let waiting = cookie(&away, "__Host-longshore-device").unwrap();
    let login = ask(&server, "GET", "/auth/login", &[("cookie", &waiting)]).await;
    let login = String::from_utf8(login.body.to_vec()).unwrap();
    assert!(login.contains(&format!("href=\"{START}\"")), "{login}");
    let (back, kept) = go(&server, "alice").await;
    let jar = format!("{kept}; {waiting}");
    let done = ask(&server, "GET", &back, &[("cookie", &jar)]).await;
    assert_eq!(
        done.header("location"),
        Some(text("verification_uri_complete").as_str()),
        "back to the code"
    );
    let session = cookie(&done, "__Host-longshore-session").unwrap();
    assert!(cookie(&done, "__Host-longshore-device").is_none());
    let shown = ask(&server, "GET", page, &[("cookie", &session)]).await;
    let shown = String::from_utf8(shown.body.to_vec()).unwrap();
    let (_, rest) = shown.rsplit_once("name=\"user_code\"").unwrap();
    assert!(rest.contains(&text("user_code")), "{shown}");
    let form = shown.split("action=\"/device\"").nth(1).unwrap();
    let mark = form.split("name=\"mark\" value=\"").nth(1).unwrap();
    let mark = mark.split('"').next().unwrap();
    let form = format!(
        "mark={mark}&user_code={}&decision=approve",
        text("user_code")
    );
    let said = post(&server, "/device", form, &session).await;
    assert_eq!(said.status, 200);
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=a+test&device_code={}",
        text("device_code")
    );
    let given = post(&server, "/token", form, "").await;
    assert_eq!(given.status, 200);
    let given: Value = serde_json::from_slice(&given.body).unwrap();
    assert_eq!(given["username"], "alice");
    let Login::Always(basic) =
        Login::always_basic("alice", given["access_token"].as_str().unwrap())
    else {
        panic!("that is what it is")
    };
    let ping = ask(&server, "GET", "/v2/", &[("authorization", &basic)]).await;
    assert_eq!(ping.status, 200);
}
