//! The pages where people log in and say whose command line it is.

use super::device::{Browser, hidden, text};
use super::index::Village;

#[tokio::test]
async fn who_is_not_logged_in_is_asked_to_and_comes_back_to_the_code() {
    let village = Village::new().await;
    let begun = village.begun().await;
    let mut browser = Browser::default();
    let away = browser
        .get(&village, &format!("/device?user_code={}", begun.user))
        .await;
    assert_eq!(
        (away.status, away.header("location")),
        (303, "http://registry.example/auth/login")
    );
    let page = browser.get(&village, "/auth/login").await;
    assert_eq!(hidden(&page, "user_code"), begun.user);
    let form = |password: &str| {
        format!(
            "mark={}&user_code={}&username=alice&password={password}&code=",
            hidden(&page, "mark"),
            begun.user
        )
    };
    let wrong = browser
        .go(&village, "POST", "/auth/login", &form("wrong"), &[])
        .await;
    assert_eq!(wrong.status, 401);
    assert!(text(&wrong).contains("The user name, the password or the code is wrong."));
    let right = browser
        .go(&village, "POST", "/auth/login", &form("correct+horse"), &[])
        .await;
    let back = format!("http://registry.example/device?user_code={}", begun.user);
    assert_eq!(
        (right.status, right.header("location")),
        (303, back.as_str())
    );
    let set: Vec<_> = right.headers.get_all("set-cookie").iter().collect();
    let session = set[0].to_str().unwrap();
    assert!(session.starts_with("__Host-longshore-session=lss_"));
    for word in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(session.contains(word), "{session}");
    }
    let page = browser
        .get(&village, &format!("/device?user_code={}", begun.user))
        .await;
    let page = text(&page);
    for words in [
        &begun.user,
        "<dd>longshore</dd>",
        "127.0.0.1",
        "Approve",
        "<strong>alice</strong>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn a_form_counts_in_the_browser_it_was_shown_in_and_for_its_code_alone() {
    let village = Village::new().await;
    let (one, two) = (village.begun().await, village.begun().await);
    let mut alice = Browser::log_in(&village, "alice").await;
    let mut carol = Browser::log_in(&village, "carol").await;
    let page = alice
        .get(&village, &format!("/device?user_code={}", one.user))
        .await;
    let mark = hidden(&page, "mark");
    let form = |mark: &str, code: &str| format!("mark={mark}&user_code={code}&decision=approve");
    let own = form(&mark, &one.user);
    for (what, is_alice, form, more) in [
        ("another's browser", false, own.clone(), &[][..]),
        ("another code", true, form(&mark, &two.user), &[]),
        ("no mark", true, form("", &one.user), &[]),
        ("a wrong one", true, form(&"0".repeat(32), &one.user), &[]),
        (
            "another site",
            true,
            own.clone(),
            &[("sec-fetch-site", "cross-site")],
        ),
        (
            "another origin",
            true,
            own.clone(),
            &[("origin", "https://evil.example")],
        ),
        ("no origin", true, own.clone(), &[("origin", "null")]),
        (
            "another host of this site",
            true,
            own.clone(),
            &[("sec-fetch-site", "same-site")],
        ),
    ] {
        let browser = if is_alice { &mut alice } else { &mut carol };
        let said = browser.go(&village, "POST", "/device", &form, more).await;
        assert_eq!(said.status, 403, "{what}");
    }
    let mut stranger = Browser::default();
    let said = stranger.go(&village, "POST", "/device", &own, &[]).await;
    assert_eq!(said.status, 303);
    assert_eq!(village.polled(&one.device).await, "authorization_pending");
    let more = [
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://registry.example"),
    ];
    let said = alice.go(&village, "POST", "/device", &own, &more).await;
    assert_eq!(said.status, 200);
    assert_eq!(village.polled(&one.device).await, "200");
    assert_eq!(village.polled(&two.device).await, "authorization_pending");
    let again = alice.go(&village, "POST", "/device", &own, &[]).await;
    assert_eq!(again.status, 404, "it was decided");
}

#[tokio::test]
async fn a_login_counts_only_from_a_form_of_ours() {
    let village = Village::new().await;
    let mut browser = Browser::default();
    let page = browser.get(&village, "/auth/login").await;
    let form = format!(
        "mark={}&username=alice&password=correct+horse",
        hidden(&page, "mark")
    );
    let mut other = Browser::default();
    let said = other.go(&village, "POST", "/auth/login", &form, &[]).await;
    assert_eq!(said.status, 403, "the cookie it came with is missing");
    let more = [("sec-fetch-site", "cross-site")];
    let said = browser
        .go(&village, "POST", "/auth/login", &form, &more)
        .await;
    assert_eq!(said.status, 403);
    let said = browser
        .go(&village, "POST", "/auth/login", &form, &[])
        .await;
    assert_eq!(said.status, 303);
    let page = browser.get(&village, "/device").await;
    let mark = hidden(&page, "mark");
    let bad = browser
        .go(&village, "POST", "/auth/logout", "mark=x", &[])
        .await;
    assert_eq!(bad.status, 303);
    let mut still = Browser { cookies: vec![] };
    assert_eq!(still.get(&village, "/device").await.status, 303);
    let mut browser = Browser::log_in(&village, "alice").await;
    let kept = browser.cookies.clone();
    let page = browser.get(&village, "/device").await;
    assert_ne!(hidden(&page, "mark"), mark, "each session has its own");
    let form = format!("mark={}", hidden(&page, "mark"));
    browser
        .go(&village, "POST", "/auth/logout", &form, &[])
        .await;
    let mut before = Browser { cookies: kept };
    assert_eq!(
        before.get(&village, "/device").await.status,
        303,
        "the session is over, and not only forgotten"
    );
}

#[tokio::test]
async fn the_pages_run_nothing_lie_in_no_frame_and_show_no_markup_of_others() {
    let village = Village::new().await;
    let said = village.begin("client_id=%3Cimg+src%3Dx%3E%22").await;
    let code = said.json()["user_code"].as_str().unwrap().to_owned();
    let mut alice = Browser::log_in(&village, "alice").await;
    for target in [
        "/auth/login",
        "/device",
        &format!("/device?user_code={code}"),
    ] {
        let page = alice.get(&village, target).await;
        let policy = page.header("content-security-policy");
        for word in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(word), "{policy}");
        }
        assert!(!policy.contains("script"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let page = text(&page);
        assert!(
            !page.contains("<script") && !page.contains("<img"),
            "{page}"
        );
        assert!(!page.contains("style="), "the policy leaves none: {page}");
    }
    let style = village.ask("GET", "/auth/style.css", "").await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    let more = [("accept-language", "zh-CN,zh;q=0.9")];
    let target = format!("/device?user_code={code}");
    let page = text(&alice.go(&village, "GET", &target, "", &more).await);
    assert!(
        page.contains("lang=\"zh-CN\"") && page.contains("批准"),
        "{page}"
    );
    let head = alice.go(&village, "HEAD", "/auth/login", "", &[]).await;
    assert!(head.status == 200 && head.body.is_empty());
    for (method, target) in [
        ("DELETE", "/device"),
        ("GET", "/auth/logout"),
        ("PUT", "/auth/login"),
    ] {
        assert_eq!(
            village.ask(method, target, "").await.status,
            405,
            "{target}"
        );
    }
}
