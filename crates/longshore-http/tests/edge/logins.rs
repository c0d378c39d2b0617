//! Ways to log in at the token service: forms, refresh tokens, personal tokens, robots, and too many wrong passwords.

use longshore_auth::rights::role;
use longshore_meta::secrets::Kind;

use super::index::{OTHER, PASSWORD, SERVICE, Village, access, basic, claims, pass};

const ALL: &str = "repository:acme/app:pull,push,delete";

impl Village {
    /// The status of a login at the token service.
    pub(crate) async fn login(&self, user: &str, password: &str) -> u16 {
        self.ask("GET", "/token", &basic(user, password))
            .await
            .status
    }
}

#[tokio::test]
async fn h18_only_a_password_gets_a_refresh_token() {
    let village = Village::new().await;
    let personal = village.secret(Kind::Personal, "alice", None, 60).await;
    let robot = village.secret(Kind::Robot, "ci", None, 60).await;
    let target =
        format!("/token?service={SERVICE}&offline_token=true&account=alice&client_id=docker");
    for (user, password, given) in [
        ("alice", PASSWORD, true),
        ("alice", &personal, false),
        ("robot+ci", &robot, false),
    ] {
        let said = village.ask("GET", &target, &basic(user, password)).await;
        said.token();
        assert_eq!(said.json().get("refresh_token").is_some(), given, "{user}");
    }
    assert!(
        village
            .ask("GET", &target, "")
            .await
            .json()
            .get("refresh_token")
            .is_none()
    );
}

#[tokio::test]
async fn a_refresh_token_gets_tokens_until_it_ends_or_its_owner_does() {
    let village = Village::new().await;
    let login = format!("/token?service={SERVICE}&offline_token=true");
    let said = village.ask("GET", &login, &basic("alice", PASSWORD)).await;
    let refresh = said.json()["refresh_token"].as_str().unwrap().to_owned();
    let form = format!(
        "client_id=docker&grant_type=refresh_token&refresh_token={refresh}&scope=repository%3Aacme%2Fapp%3Apull%2Cpush&service={SERVICE}"
    );
    let said = village.post(&form).await;
    assert_eq!(access(&said.token()), ["repository:acme/app:pull,push"]);
    let json = said.json();
    assert_eq!(
        (&json["token_type"], &json["scope"]),
        (&"Bearer".into(), &"repository:acme/app:pull,push".into())
    );
    // It is no password.
    let said = village.ask("GET", &login, &basic("alice", &refresh)).await;
    assert_eq!(said.status, 401);
    village
        .switch("alice", longshore_meta::principals::State::Disabled)
        .await;
    let said = village.post(&form).await;
    assert_eq!(
        (said.status, said.json()["error"].clone()),
        (400, "invalid_grant".into())
    );
    village
        .switch("alice", longshore_meta::principals::State::Active)
        .await;
    assert_eq!(village.post(&form).await.status, 200);
    pass(30 * 24 * 3600 + 1);
    assert_eq!(village.post(&form).await.status, 400);
}

#[tokio::test]
async fn h19_h20_grants_that_are_missing_unknown_or_wrong_are_told_apart() {
    let village = Village::new().await;
    for (form, error) in [
        ("", "unsupported_grant_type"),
        ("grant_type=magic", "unsupported_grant_type"),
        (
            "grant_type=authorization_code&code=x",
            "unsupported_grant_type",
        ),
        ("grant_type=password&username=alice", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        (
            "grant_type=password&username=alice&password=wrong-horse",
            "invalid_grant",
        ),
        (
            "grant_type=password&username=alice&password=",
            "invalid_grant",
        ),
        (
            "grant_type=refresh_token&refresh_token=lsf_x",
            "invalid_grant",
        ),
        (
            "grant_type=password&username=alice&password=correct+horse&service=evil",
            "invalid_target",
        ),
    ] {
        let said = village.post(form).await;
        let json = said.json();
        assert_eq!(
            (said.status, &json["error"]),
            (400, &error.into()),
            "{form}"
        );
        assert!(json["errors"][0]["message"].is_string());
    }
    let good = "grant_type=password&username=alice&password=correct+horse&client_id=oras-go&access_type=offline&scope=repository:acme/app:pull";
    let said = village.post(good).await;
    assert_eq!(access(&said.token()), ["repository:acme/app:pull"]);
    assert!(said.json()["refresh_token"].is_string());
}

#[tokio::test]
async fn h22_bodies_that_are_no_forms_and_parameters_that_are_there_twice_are_refused() {
    let village = Village::new().await;
    for kind in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
    ] {
        let said = village
            .send(
                "POST",
                "/token",
                &[("content-type", kind)],
                r#"{"grant_type":"password"}"#,
            )
            .await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (415, "UNSUPPORTED"),
            "{kind}"
        );
    }
    for form in [
        "grant_type=password&grant_type=password&username=a&password=b",
        "grant_type=password&username=a&username=alice&password=b",
        "grant_type=password&username=a&password=%ff",
    ] {
        let said = village.post(form).await;
        assert_eq!(
            (said.status, said.json()["error"].clone()),
            (400, "invalid_request".into()),
            "{form}"
        );
    }
    let twice = format!("/token?service={SERVICE}&service={OTHER}");
    assert_eq!(village.ask("GET", &twice, "").await.status, 400);
}

#[tokio::test]
async fn h24_after_ten_failures_the_eleventh_waits_and_the_owner_elsewhere_does_not() {
    let village = Village::new().await;
    let wrong = |n: u32| basic("alice", &format!("wrong horse {n}"));
    for n in 0..10 {
        assert_eq!(
            village.ask("GET", "/token", &wrong(n)).await.status,
            401,
            "{n}"
        );
    }
    let said = village.ask("GET", "/token", &wrong(10)).await;
    assert_eq!(
        (said.status, said.code().as_str()),
        (429, "TOOMANYREQUESTS")
    );
    assert_eq!(said.header("retry-after"), "30");
    let form = "grant_type=password&username=alice&password=wrong-horse-11";
    assert_eq!(
        village.post(form).await.status,
        429,
        "by the other method too"
    );
    let guess = village.ask("GET", "/v2/", &wrong(12)).await;
    assert_eq!(guess.status, 429, "and at the registry's own door");
    let elsewhere = std::net::Ipv4Addr::new(192, 0, 2, 7).into();
    let known = village
        .index
        .login(
            "alice",
            PASSWORD.as_bytes().to_vec().into(),
            elsewhere,
            super::house::now(),
        )
        .await;
    assert_eq!(&*known.unwrap().name, "alice");
    pass(31);
    assert_eq!(village.login("alice", PASSWORD).await, 200);
}

#[tokio::test]
async fn secrets_open_what_they_are_narrowed_to_and_only_under_their_owners_name() {
    let village = Village::new().await;
    let scope = r#"{"actions":["repository:pull"],"repositories":["acme/app"]}"#;
    let narrow = village
        .secret(Kind::Personal, "alice", Some(scope), 60)
        .await;
    let asked = format!("{ALL}&scope=repository:acme/other:pull&scope=registry:catalog:*");
    let token = village.token(&basic("alice", &narrow), &asked).await;
    assert_eq!(access(&token), ["repository:acme/app:pull"]);
    assert_eq!(
        claims(&token)["nar"],
        1,
        "so that a search finds no more than that"
    );
    for user in ["carol", "bob", "ci", "ALICE"] {
        let said = village.ask("GET", "/token", &basic(user, &narrow)).await;
        assert_eq!(said.status, 401, "{user}");
    }
    let mut typo = narrow.clone();
    typo.pop();
    assert_eq!(village.login("alice", &typo).await, 401);
    pass(61);
    assert_eq!(village.login("alice", &narrow).await, 401);
}

#[tokio::test]
async fn h44_a_robot_has_the_rights_that_were_bound_to_it_and_two_secrets_at_a_time() {
    let village = Village::new().await;
    village
        .bind(village.id("ci"), role::READER_ID, "acme", None)
        .await;
    let (old, new) = (
        village.secret(Kind::Robot, "ci", None, 60).await,
        village.secret(Kind::Robot, "ci", None, 600).await,
    );
    let asked = format!("{ALL}&scope=repository:secret/app:pull");
    for secret in [&old, &new] {
        let token = village.token(&basic("robot+ci", secret), &asked).await;
        assert_eq!(access(&token), ["repository:acme/app:pull"]);
        assert_eq!(claims(&token)["sub"], "robot+ci");
    }
    assert_eq!(village.login("ci", &new).await, 401);
    pass(61);
    assert_eq!(village.login("robot+ci", &old).await, 401);
    assert_eq!(village.login("robot+ci", &new).await, 200);
}
