//! Command lines that wait for a browser: what they are answered (RFC 8628, 3).

use longshore_meta::principals::{State, principal_bump};
use serde_json::Value;

use super::index::{PASSWORD, Said, Village, basic, pass};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A login that was begun.
pub(crate) struct Begun {
    pub(crate) device: String,
    pub(crate) user: String,
}

/// A browser: what it keeps.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) async fn go(
        &mut self,
        village: &Village,
        method: &str,
        target: &str,
        form: &str,
        more: &[(&str, &str)],
    ) -> Said {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, text)| format!("{name}={text}"))
            .collect();
        let jar = jar.join("; ");
        let mut headers = vec![("cookie", jar.as_str())];
        if method == "POST" {
            headers.push(FORM);
        }
        headers.extend_from_slice(more);
        let said = village
            .send(method, target, &headers, form.to_owned())
            .await;
        for line in said.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, text) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !text.is_empty() {
                self.cookies.push((name.to_owned(), text.to_owned()));
            }
        }
        said
    }

    pub(crate) async fn get(&mut self, village: &Village, target: &str) -> Said {
        self.go(village, "GET", target, "", &[]).await
    }

    /// Logs in at the page.
    pub(crate) async fn log_in(village: &Village, user: &str) -> Self {
        let mut browser = Browser::default();
        let page = browser.get(village, "/auth/login").await;
        let form = format!(
            "mark={}&username={user}&password=correct+horse&code=",
            hidden(&page, "mark")
        );
        let said = browser.go(village, "POST", "/auth/login", &form, &[]).await;
        assert_eq!(said.status, 303, "{:?}", said.body);
        browser
    }

    /// Answers a code.
    pub(crate) async fn decide(&mut self, village: &Village, code: &str, decision: &str) -> Said {
        let page = self
            .get(village, &format!("/device?user_code={code}"))
            .await;
        assert_eq!(page.status, 200, "{}", text(&page));
        let form = format!(
            "mark={}&user_code={code}&decision={decision}",
            hidden(&page, "mark")
        );
        self.go(village, "POST", "/device", &form, &[]).await
    }
}

pub(crate) fn text(said: &Said) -> String {
    String::from_utf8(said.body.to_vec()).unwrap()
}

/// The value of a hidden field.
pub(crate) fn hidden(said: &Said, name: &str) -> String {
    let page = text(said);
    let begin = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

impl Village {
    pub(crate) async fn begin(&self, form: &str) -> Said {
        self.send("POST", "/auth/device/code", &[FORM], form.to_owned())
            .await
    }

    pub(crate) async fn begun(&self) -> Begun {
        let said = self.begin("client_id=longshore").await;
        assert_eq!(said.status, 200, "{:?}", said.body);
        let json = said.json();
        Begun {
            device: json["device_code"].as_str().unwrap().to_owned(),
            user: json["user_code"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn poll(&self, device: &str) -> Said {
        self.post(&format!(
            "grant_type={GRANT}&client_id=longshore&device_code={device}"
        ))
        .await
    }

    /// The error that a poll is answered; `200` for none.
    pub(crate) async fn polled(&self, device: &str) -> String {
        let said = self.poll(device).await;
        error_of(&said)
    }
}

fn error_of(said: &Said) -> String {
    match said.status {
        200 => "200".to_owned(),
        400 => said.json()["error"].as_str().unwrap().to_owned(),
        other => panic!("{other}: {:?}", said.body),
    }
}

#[tokio::test]
async fn a_command_line_gets_codes_and_where_to_type_them() {
    let village = Village::new().await;
    let said = village.begin("client_id=longshore&scope=pull").await;
    assert_eq!(said.status, 200);
    assert_eq!(said.header("cache-control"), "no-store");
    let json = said.json();
    let code = json["user_code"].as_str().unwrap();
    assert!(
        code.len() == 9
            && code
                .bytes()
                .all(|byte| byte == b'-' || b"BCDFGHJKLMNPQRSTVWXZ".contains(&byte)),
        "{code}"
    );
    assert_eq!(json["device_code"].as_str().unwrap().len(), 64);
    assert_eq!(json["verification_uri"], "http://registry.example/device");
    assert_eq!(
        json["verification_uri_complete"],
        format!("http://registry.example/device?user_code={code}")
    );
    assert_eq!(
        (&json["expires_in"], &json["interval"]),
        (&600.into(), &5.into())
    );
    let metadata = village
        .ask("GET", "/.well-known/oauth-authorization-server", "")
        .await
        .json();
    assert_eq!(
        metadata["device_authorization_endpoint"],
        "http://registry.example/auth/device/code"
    );
    assert!(
        metadata["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&Value::from(GRANT))
    );
    assert_eq!(
        metadata["revocation_endpoint"],
        "http://registry.example/auth/revoke"
    );
}

#[tokio::test]
async fn a_token_that_is_taken_back_and_one_that_never_was_are_answered_alike() {
    let village = Village::new().await;
    let revoke = async |form: &str| {
        let sent = village.send("POST", "/auth/revoke", &[FORM], form.to_owned());
        sent.await
    };
    for form in ["token=lsp_x", "token=", "token=lsr_x&token_type_hint=y"] {
        let said = revoke(form).await;
        assert_eq!((said.status, text(&said)), (200, "{}".to_owned()), "{form}");
    }
    for form in ["", "token_type_hint=access_token", "token=a&token=b"] {
        assert_eq!(error_of(&revoke(form).await), "invalid_request", "{form}");
    }
    assert_eq!(village.ask("GET", "/auth/revoke", "").await.status, 405);
}

#[tokio::test]
async fn what_begins_nothing_is_told_so_in_the_words_of_oauth() {
    let village = Village::new().await;
    let long = format!("client_id={}", "x".repeat(65));
    for (form, error) in [
        ("scope=pull", "invalid_request"),
        ("client_id=", "invalid_request"),
        ("client_id=%20", "invalid_request"),
        ("client_id=a&client_id=b", "invalid_request"),
        ("client_id=%E2%80%AEevil", "invalid_request"),
        ("client_id=a%0Ab", "invalid_request"),
        (&long, "invalid_request"),
        ("client_id=a&scope=fly", "invalid_scope"),
        ("client_id=a&scope=repository:", "invalid_scope"),
        ("client_id=a&scope=repository:***", "invalid_scope"),
    ] {
        assert_eq!(error_of(&village.begin(form).await), error, "{form}");
    }
    let wrong = village
        .send("POST", "/auth/device/code", &[], "client_id=a")
        .await;
    assert_eq!(wrong.status, 415);
    assert_eq!(
        village.ask("GET", "/auth/device/code", "").await.status,
        405
    );
}

#[tokio::test]
async fn a_command_line_hears_what_became_of_its_login_each_in_its_word() {
    let village = Village::new().await;
    let mut alice = Browser::log_in(&village, "alice").await;
    // Waiting, and asked too soon.
    let begun = village.begun().await;
    assert_eq!(village.polled(&begun.device).await, "authorization_pending");
    assert_eq!(village.polled(&begun.device).await, "slow_down");
    pass(5);
    assert_eq!(
        village.polled(&begun.device).await,
        "slow_down",
        "it waits five seconds longer from then on"
    );
    pass(15);
    assert_eq!(village.polled(&begun.device).await, "authorization_pending");
    // Another client, another code, none.
    for (form, error) in [
        (
            format!(
                "grant_type={GRANT}&client_id=other&device_code={}",
                begun.device
            ),
            "invalid_grant",
        ),
        (
            format!("grant_type={GRANT}&client_id=longshore&device_code=0"),
            "invalid_grant",
        ),
        (
            format!(
                "grant_type={GRANT}&client_id=longshore&device_code={}",
                begun.user
            ),
            "invalid_grant",
        ),
        (
            format!("grant_type={GRANT}&device_code={}", begun.device),
            "invalid_request",
        ),
        (
            format!("grant_type={GRANT}&client_id=longshore"),
            "invalid_request",
        ),
        (
            format!(
                "grant_type=device_code&client_id=longshore&device_code={}",
                begun.device
            ),
            "unsupported_grant_type",
        ),
    ] {
        assert_eq!(error_of(&village.post(&form).await), error, "{form}");
    }
    // Denied, and it stays so.
    assert_eq!(
        alice.decide(&village, &begun.user, "deny").await.status,
        200
    );
    for _ in 0..2 {
        assert_eq!(village.polled(&begun.device).await, "access_denied");
    }
    // Too late, by the command line's clock and by the person's.
    let late = village.begun().await;
    pass(600);
    assert_eq!(village.polled(&late.device).await, "expired_token");
    let page = alice
        .get(&village, &format!("/device?user_code={}", late.user))
        .await;
    assert_eq!(page.status, 404);
    // Approved, once.
    let begun = village.begun().await;
    assert_eq!(
        alice.decide(&village, &begun.user, "approve").await.status,
        200
    );
    let (one, two) = tokio::join!(village.poll(&begun.device), village.poll(&begun.device));
    let mut both = [error_of(&one), error_of(&two)];
    both.sort();
    assert_eq!(both, ["200", "invalid_grant"]);
    assert_eq!(village.polled(&begun.device).await, "invalid_grant");
}

#[tokio::test]
async fn what_is_given_is_a_personal_token_of_whoever_approved_it_narrowed_as_asked() {
    let village = Village::new().await;
    let mut alice = Browser::log_in(&village, "alice").await;
    let said = village
        .begin("client_id=longshore&scope=pull+repository:acme/**")
        .await;
    let (device, user) = (
        said.json()["device_code"].as_str().unwrap().to_owned(),
        said.json()["user_code"].as_str().unwrap().to_owned(),
    );
    let page = alice
        .get(&village, &format!("/device?user_code={user}"))
        .await;
    assert!(text(&page).contains("pull repository:acme/**"));
    alice.decide(&village, &user, "approve").await;
    let given = village.poll(&device).await;
    assert_eq!(given.header("cache-control"), "no-store");
    let given = given.json();
    assert_eq!(given["username"], "alice");
    assert_eq!(given["token_type"], "Bearer");
    assert_eq!(given["expires_in"], 90 * 24 * 3600);
    assert_eq!(given["scope"], "pull repository:acme/**");
    let token = given["access_token"].as_str().unwrap();
    assert!(token.starts_with("lsp_"));
    let may = village
        .token(
            &basic("alice", token),
            "repository:acme/app:pull,push+repository:open/app:pull",
        )
        .await;
    assert_eq!(super::index::access(&may), ["repository:acme/app:pull"]);
    let other = village.ask("GET", "/v2/", &basic("carol", token)).await;
    assert_eq!(other.status, 401, "it is nobody else's");
}

#[tokio::test]
async fn an_approval_is_void_when_its_owner_is_switched_off_or_lost_something_since() {
    let village = Village::new().await;
    let mut alice = Browser::log_in(&village, "alice").await;
    let (off, changed) = (village.begun().await, village.begun().await);
    alice.decide(&village, &off.user, "approve").await;
    alice.decide(&village, &changed.user, "approve").await;
    village.switch("alice", State::Disabled).await;
    assert_eq!(village.polled(&off.device).await, "access_denied");
    village.switch("alice", State::Active).await;
    let id = village.id("alice");
    village
        .write(id, |tx, id| Box::pin(principal_bump(tx, *id)))
        .await;
    assert_eq!(village.polled(&changed.device).await, "access_denied");
}

#[tokio::test]
async fn one_address_begins_a_bounded_number_and_others_go_on() {
    let village = Village::new().await;
    for _ in 0..50 {
        village.begun().await;
    }
    let full = village.begin("client_id=longshore").await;
    assert_eq!(full.status, 429);
    assert!(full.header("retry-after").parse::<u64>().is_ok());
    pass(601);
    village.begun().await;
}

#[tokio::test]
async fn guessing_codes_slows_down_who_guesses_and_does_not_keep_them_from_logging_in() {
    let village = Village::new().await;
    let mut carol = Browser::log_in(&village, "carol").await;
    let begun = village.begun().await;
    let mut said = 0;
    for guess in 0..11 {
        let letter = char::from(b"BCDFGHJKLMN"[guess]);
        let target = format!("/device?user_code=BBBB-BBB{letter}");
        said = carol.get(&village, &target).await.status;
    }
    assert_eq!(said, 429);
    let right = format!("/device?user_code={}", begun.user);
    assert_eq!(carol.get(&village, &right).await.status, 429);
    let mut alice = Browser::log_in(&village, "alice").await;
    assert_eq!(alice.get(&village, &right).await.status, 200);
    let login = village.ask("GET", "/v2/", &basic("carol", PASSWORD)).await;
    assert_eq!(login.status, 200);
}
