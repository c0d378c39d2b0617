//! Accounts with a second factor, for clients that cannot ask for one.

use longshore_auth::index::{Index, IndexOptions};
use longshore_auth::issuer::SealingKey;
use longshore_meta::factors::{factor_begin, factor_confirm};
use longshore_meta::secrets::Kind;
use longshore_testkit::telephone;

use super::house::{NOW_SECS, now};
use super::index::{ISSUER, PASSWORD, SERVICE, Village, basic};

impl Village {
    /// Gives alice a second factor, and what her telephone has of it.
    pub(crate) async fn enrol(&self) -> Vec<u8> {
        let who = self.id("alice");
        let (secret, sealed) = self.index.new_factor(who).unwrap();
        self.write((who, sealed), |tx, (who, sealed)| {
            Box::pin(async move {
                factor_begin(tx, *who, sealed, 1).await?;
                factor_confirm(tx, *who, 1, 1).await
            })
        })
        .await;
        secret.as_bytes().to_vec()
    }
}

#[tokio::test]
async fn a_password_alone_is_refused_with_what_to_use_and_a_personal_token_is_taken() {
    let village = Village::new().await;
    let personal = village.secret(Kind::Personal, "alice", None, 60).await;
    let who = basic("alice", PASSWORD);
    assert_eq!(village.ask("GET", "/token", &who).await.status, 200);
    village.enrol().await;
    for target in ["/token", "/v2/"] {
        let said = village.ask("GET", target, &who).await;
        assert_eq!(said.status, 401);
        let error = said.json()["errors"][0].clone();
        let message = error["message"].as_str().unwrap();
        for words in ["has a second factor", "personal access token"] {
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(error["detail"]["reason"], "second-factor");
        let wrong = village
            .ask("GET", target, &basic("alice", "wrong horse"))
            .await;
        let told = wrong.json()["errors"][0].to_string();
        for word in ["second", "factor", "reason"] {
            assert!(!told.contains(word), "nobody else is told: {told}");
        }
        let by_token = village.ask("GET", target, &basic("alice", &personal)).await;
        assert_eq!(by_token.status, 200);
    }
    let form = "grant_type=password&username=alice&password=correct+horse";
    let said = village.post(form).await;
    assert_eq!(said.status, 400);
    assert!(
        said.json()["error_description"]
            .as_str()
            .unwrap()
            .contains("personal access token")
    );
    assert_eq!(
        village
            .ask("GET", "/token", &basic("carol", PASSWORD))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_code_that_one_node_accepted_no_other_does() {
    let village = Village::new().await;
    let secret = village.enrol().await;
    let sealing = std::sync::Arc::new(SealingKey::from_bytes(&[3; 32]));
    let options = IndexOptions::new(ISSUER, SERVICE);
    let other = Index::open(village.db.clone(), sealing, options, now())
        .await
        .unwrap();
    let code = telephone::code(&secret, NOW_SECS);
    let peer = std::net::Ipv4Addr::LOCALHOST.into();
    let login = async |index: &Index, code: &str| {
        let password = PASSWORD.as_bytes().to_vec().into();
        let known = index.login_with_code("alice", password, code, peer, now());
        known.await.is_ok()
    };
    assert!(!login(&village.index, "000000").await || code == "000000");
    let (one, two) = tokio::join!(login(&village.index, &code), login(&other, &code));
    assert!(one ^ two, "{one} {two}");
    assert!(!login(&village.index, &code).await && !login(&other, &code).await);
}
