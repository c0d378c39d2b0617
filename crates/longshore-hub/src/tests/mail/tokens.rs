//! What the tokens of letters do, for whom, and for how long.

use super::*;

#[tokio::test]
async fn an_account_is_there_when_its_address_is_confirmed_and_not_before() {
    let it = Office::new().await;
    let new = || signing("ann", "Ann@Example.org");
    let shut = it.hub.account_sign_up(&stranger(), new()).await;
    assert_eq!(code(shut), Code::ConditionFailed, "nobody opened it");
    let open = it.hub.sign_up_set(&operator(), SignUp::Open).await;
    open.unwrap();
    let asked = it.hub.account_sign_up(&stranger(), new()).await;
    assert_eq!(asked.unwrap(), SignedUp::Asked);
    assert_eq!(it.house.id("ann").await, None);
    let letters = it.sent().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(to(&letters[0]), "Ann@example.org");
    let token = token(&letters[0]);
    // Nobody's name is taken by signing up.
    assert!(
        it.hub
            .user_create(&operator(), account("ann"))
            .await
            .is_ok()
    );
    let taken = it.hub.account_join(&stranger(), &token, joining("")).await;
    assert_eq!(code(taken), Code::ConditionFailed);
    let weak = Joining {
        password: NewPassword::plain("short"),
        ..joining("ann-lee")
    };
    let weak = it.hub.account_join(&stranger(), &token, weak).await;
    assert_eq!(code(weak), Code::QueryInvalid);
    let join = it
        .hub
        .account_join(&stranger(), &token, joining("ann-lee"))
        .await;
    let id = join.unwrap();
    assert_eq!(it.mail_of(id).await, "Ann@example.org");
    assert!(it.login("ann-lee", "battery staple").await);
    let again = it
        .hub
        .account_join(&stranger(), &token, joining("other"))
        .await;
    assert_eq!(code(again), Code::Unauthorized, "once");
    let rows = it.house.rows().await;
    let row = rows.iter().find(|row| row.entry.action == "account:join");
    assert_eq!(row.unwrap().entry.actor_name, "ann-lee");
}

#[tokio::test]
async fn whether_an_address_is_known_is_said_to_its_reader_and_to_nobody_else() {
    let it = Office::new().await;
    it.hub.sign_up_set(&operator(), SignUp::Open).await.unwrap();
    it.person("ann").await;
    for mail in ["ann@example.org", "new@example.org"] {
        let asked = it
            .hub
            .account_sign_up(&stranger(), signing("bob", mail))
            .await;
        assert_eq!(asked.unwrap(), SignedUp::Asked);
    }
    let letters = it.sent().await;
    assert_eq!(letters.len(), 2);
    assert!(letters[0].contains("You have one already") && !letters[0].contains("lsi_"));
    assert!(letters[1].contains("lsi_"));
    for account in [
        "ann",
        "ann@example.org",
        "nobody",
        "no@example.org",
        "x y@z",
    ] {
        it.hub.reset_ask(&stranger(), account).await.unwrap();
    }
    // The same name and its address are one account, which gets one letter.
    let letters = it.sent().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(to(&letters[0]), "ann@example.org");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_by_the_letter() {
    let it = Office::new().await;
    let ann = it.person("ann").await;
    it.hub.reset_ask(&stranger(), "ann").await.unwrap();
    let letters = it.sent().await;
    let one = token(&letters[0]);
    it.hub
        .reset_ask(&stranger_at(minutes(10)), "ann")
        .await
        .unwrap();
    let two = token(&it.sent_at(minutes(10)).await[0]);
    let new = || NewPassword::plain("battery staple");
    for wrong in ["", "lsi_x", "correct horse", &one[..one.len() - 1]] {
        let refused = it.hub.reset(&stranger(), wrong, new()).await;
        assert_eq!(code(refused), Code::Unauthorized, "{wrong}");
    }
    let late = it.hub.reset(&stranger_at(minutes(61)), &one, new()).await;
    assert_eq!(code(late), Code::Unauthorized, "an hour is over");
    let own = it
        .hub
        .reset(&stranger(), &one, NewPassword::plain("x"))
        .await;
    assert_eq!(code(own), Code::QueryInvalid);
    // A letter after it has taken nothing from the one before.
    it.hub.reset(&stranger(), &one, new()).await.unwrap();
    for used in [&one, &two] {
        let used = it.hub.reset(&stranger_at(minutes(11)), used, new()).await;
        assert_eq!(code(used), Code::Unauthorized, "all are void");
    }
    assert!(it.login("ann", "battery staple").await);
    assert!(!it.login("ann", "correct horse").await);
    let told = it.sent().await;
    assert!(told[0].contains("was changed"), "{told:?}");
    assert_eq!(it.secrets(ann.who.id(), Secret::Reset).await, 0);
}

#[tokio::test]
async fn who_asks_in_somebodys_name_takes_nothing_from_them_and_fills_no_mailbox() {
    let it = Office::new().await;
    it.person("ann").await;
    let mut tokens = Vec::new();
    for minute in 0..60 {
        let asked = it.hub.reset_ask(&stranger_at(minutes(minute)), "ann").await;
        asked.unwrap();
        for letter in it.sent_at(minutes(minute)).await {
            tokens.push((minute, token(&letter)));
        }
    }
    assert_eq!(tokens.len(), 3, "an hour's letters");
    let (_, first) = &tokens[0];
    let new = NewPassword::plain("battery staple");
    let at = stranger_at(minutes(59));
    it.hub.reset(&at, first, new).await.unwrap();
}

#[tokio::test]
async fn a_token_is_for_what_its_letter_says_and_nothing_else() {
    let it = Office::new().await;
    let ann = it.person("ann").await;
    it.hub.reset_ask(&stranger(), "ann").await.unwrap();
    it.hub.mail_change(&ann, "lee@example.org").await.unwrap();
    let made = it
        .hub
        .invitation_create(&operator(), None, invitation("", "bob"))
        .await
        .unwrap();
    let invited = made.secret.unwrap().as_str().to_owned();
    let setup = it.hub.setup_token(now()).await.unwrap().unwrap();
    let letters = it.sent().await;
    let of = |page: &str| {
        let letter = letters.iter().find(|letter| letter.contains(page));
        token(letter.unwrap())
    };
    let (reset, confirm) = (of("/account/reset"), of("/account/confirm"));
    let new = || NewPassword::plain("battery staple");
    for other in [&confirm, &invited, setup.as_str()] {
        let refused = it.hub.reset(&stranger(), other, new()).await;
        assert_eq!(code(refused), Code::Unauthorized);
    }
    for other in [&reset, &invited, setup.as_str()] {
        let refused = it.hub.mail_confirm(&stranger(), other).await;
        assert_eq!(code(refused), Code::Unauthorized);
    }
    for other in [&reset, &confirm, setup.as_str()] {
        let refused = it
            .hub
            .account_join(&stranger(), other, joining("eve"))
            .await;
        assert_eq!(code(refused), Code::Unauthorized);
        let refused = it.hub.invitation_accept(&ann, other).await;
        assert_eq!(code(refused), Code::Unauthorized);
    }
    for wrong in [&reset, &confirm, &invited] {
        let refused = it.hub.setup(&stranger(), wrong, account("eve")).await;
        assert_eq!(code(refused), Code::Unauthorized);
        assert!(!it.login("ann", wrong).await);
    }
}

#[tokio::test]
async fn an_address_is_confirmed_by_its_reader_and_the_one_before_is_told() {
    let it = Office::new().await;
    let ann = it.person("ann").await;
    it.hub.reset_ask(&stranger(), "ann").await.unwrap();
    let reset = token(&it.sent().await[0]);
    it.hub.mail_change(&ann, "lee@example.org").await.unwrap();
    let letters = it.sent().await;
    assert_eq!(to(&letters[0]), "lee@example.org");
    assert_eq!(it.mail_of(ann.who.id()).await, "ann@example.org");
    let token = token(&letters[0]);
    let late = now() + Duration::from_hours(25);
    let refused = it.hub.mail_confirm(&stranger_at(late), &token).await;
    assert_eq!(code(refused), Code::Unauthorized);
    it.hub.mail_confirm(&stranger(), &token).await.unwrap();
    assert_eq!(it.mail_of(ann.who.id()).await, "lee@example.org");
    let again = it.hub.mail_confirm(&stranger(), &token).await;
    assert_eq!(code(again), Code::Unauthorized);
    // Letters to the old address are good for nothing.
    let new = NewPassword::plain("battery staple");
    let refused = it.hub.reset(&stranger(), &reset, new).await;
    assert_eq!(code(refused), Code::Unauthorized);
    let told = it.sent().await;
    assert_eq!(to(&told[0]), "ann@example.org");
    assert!(!told[0].contains("lee@example.org"), "only a hint of it");
    let bad = it.hub.mail_change(&ann, "x@y\r\nBcc: z@w").await;
    assert_eq!(code(bad), Code::QueryInvalid);
}

#[tokio::test]
async fn without_a_mail_server_nobody_is_invited_into_an_organisation_by_an_address() {
    let (house, by) = (House::new().await, operator());
    let made = house.hub.organisation_create(&by, account("acme")).await;
    made.unwrap();
    let home = Some(house.home("acme").await);
    let new = invitation("eve@example.org", "");
    let refused = house.hub.invitation_create(&by, home, new).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::ConditionFailed);
    assert!(refused.to_string().contains("index.mail"), "{refused}");
    let listed = house.hub.invitation_list(&by, home, 0, 9).await;
    assert_eq!(listed.unwrap().len(), 0);
    let new = invitation("", "");
    let made = house.hub.invitation_create(&by, home, new).await;
    assert!(made.unwrap().secret.is_some(), "a code to pass on");
}

#[tokio::test]
async fn an_invitation_is_worth_what_its_maker_may_and_ends_when_it_is_used_or_withdrawn() {
    let it = Office::new().await;
    let (ann, bob) = (it.person("ann").await, it.person("bob").await);
    let acme = NewAccount {
        owner: "ann".to_owned(),
        ..account("acme")
    };
    it.hub.organisation_create(&operator(), acme).await.unwrap();
    let home = it.house.home("acme").await;
    it.hub
        .team_create(&ann, home, account("web"))
        .await
        .unwrap();
    let into = |team: Option<&str>| NewInvitation {
        team: team.map(str::to_owned),
        ..invitation("eve@example.org", "")
    };
    for (by, place) in [(&bob, Some(home)), (&ann, None), (&stranger(), None)] {
        let refused = it.hub.invitation_create(by, place, into(None)).await;
        assert!(matches!(code(refused), Code::Denied | Code::NameUnknown));
    }
    let absent = it
        .hub
        .invitation_create(&ann, Some(home), into(Some("x")))
        .await;
    assert_eq!(code(absent), Code::NameUnknown);
    let made = it
        .hub
        .invitation_create(&ann, Some(home), into(Some("web")))
        .await;
    let made = made.unwrap();
    assert!(made.secret.is_none(), "it goes by mail");
    let token_of = async || token(&it.sent().await[0]);
    let first = token_of().await;
    // Where people do not make accounts, members are made of those who have one.
    let refused = it
        .hub
        .account_join(&stranger(), &first, joining("eve"))
        .await;
    assert_eq!(code(refused), Code::ConditionFailed);
    it.hub.invitation_accept(&bob, &first).await.unwrap();
    let again = it.hub.invitation_accept(&bob, &first).await;
    assert_eq!(code(again), Code::Unauthorized);
    let mine = it.hub.myself(&bob).await.unwrap().unwrap();
    assert_eq!(mine.parties.len(), 2, "the team and the organisation");
    let invited = it.hub.sign_up_set(&operator(), SignUp::Invitation).await;
    invited.unwrap();
    let made = it.hub.invitation_create(&ann, Some(home), into(None)).await;
    let second = token_of().await;
    let id = made.unwrap().invitation.id;
    for (by, place) in [(&bob, Some(home)), (&operator(), None)] {
        let refused = it.hub.invitation_withdraw(by, place, id).await;
        assert!(matches!(code(refused), Code::Denied | Code::NameUnknown));
    }
    assert_eq!(
        it.hub
            .invitation_list(&ann, Some(home), 0, 9)
            .await
            .unwrap()
            .len(),
        1
    );
    it.hub
        .invitation_withdraw(&ann, Some(home), id)
        .await
        .unwrap();
    let refused = it
        .hub
        .account_join(&stranger(), &second, joining("eve"))
        .await;
    assert_eq!(code(refused), Code::Unauthorized);
    // One whose maker may not any more.
    let made = it.hub.invitation_create(&ann, Some(home), into(None)).await;
    made.unwrap();
    let third = token_of().await;
    it.switch("ann", false).await;
    let refused = it
        .hub
        .account_join(&stranger(), &third, joining("eve"))
        .await;
    assert_eq!(code(refused), Code::Unauthorized);
    it.switch("ann", true).await;
    let late = stranger_at(now() + Duration::from_hours(24 * 8));
    let refused = it.hub.account_join(&late, &third, joining("eve")).await;
    assert_eq!(code(refused), Code::Unauthorized, "a week is over");
    let join = it
        .hub
        .account_join(&stranger(), &third, joining("eve"))
        .await;
    let id = join.unwrap();
    assert_eq!(it.mail_of(id).await, "eve@example.org");
}
