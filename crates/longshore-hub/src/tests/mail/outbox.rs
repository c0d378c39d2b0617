//! What becomes of letters that cannot be sent, and where there is no server for them.

use super::*;

#[tokio::test]
async fn a_letter_that_is_refused_for_now_is_tried_again_and_one_that_is_refused_is_given_up() {
    let it = Office::new().await;
    let ann = it.person("ann").await;
    it.sink.refuse(Some(("RCPT", "450 later\r\n")));
    it.hub.reset_ask(&stranger(), "ann").await.unwrap();
    assert!(it.sent().await.is_empty());
    // No secret is good that nobody was sent.
    assert_eq!(it.secrets(ann.who.id(), Secret::Reset).await, 0);
    assert_eq!(it.waiting().await, 1);
    assert_eq!(it.post.stats().deferred, 1);
    it.sink.refuse(None);
    assert_eq!(it.sent_at(minutes(2)).await.len(), 1);
    it.sink.refuse(Some(("RCPT", "550 nobody\r\n")));
    it.hub.mail_change(&ann, "gone@example.org").await.unwrap();
    assert!(it.sent().await.is_empty());
    assert_eq!((it.waiting().await, it.post.stats().failed), (0, 1));
    let rows = it.house.rows().await;
    let row = rows.iter().find(|row| row.entry.action == "mail:given-up");
    assert!(row.unwrap().entry.detail.contains("550 nobody"));
    // What nobody takes is given up in the end.
    it.sink.refuse(Some(("RCPT", "450 later\r\n")));
    it.hub.mail_change(&ann, "full@example.org").await.unwrap();
    for minute in 0..500 {
        it.sent_at(minutes(minute)).await;
    }
    assert_eq!((it.waiting().await, it.post.stats().failed), (0, 2));
}

#[tokio::test]
async fn while_the_server_is_down_everything_waits_and_nothing_is_lost_or_said_twice() {
    let it = Office::new().await;
    it.person("ann").await;
    let down = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        post(listener.local_addr().unwrap().port())
    };
    for _ in 0..5 {
        it.hub.reset_ask(&stranger(), "ann").await.unwrap();
    }
    let mut ended = Waited::Done;
    while ended == Waited::Done {
        ended = it.hub.post_round(&down, now()).await.unwrap();
    }
    assert_eq!(ended, Waited::Down);
    assert!(it.waiting().await >= 1);
    // One was taken out by a server that is gone now: the next start has it at once.
    it.hub.post_begin(minutes(1)).await.unwrap();
    assert_eq!(it.sent_at(minutes(1)).await.len(), 1);
    assert_eq!(it.waiting().await, 0);
}

#[tokio::test]
async fn strangers_cannot_fill_the_outbox_for_others() {
    let it = Office::new().await;
    let ann = it.person("ann").await;
    it.hub
        .db
        .write(longshore_meta::Durability::Process, (), |tx, ()| {
            Box::pin(async move {
                let new = longshore_meta::outbox::NewMail {
                    task: String::new(),
                    stranger: true,
                    now: 0,
                    due: i64::MAX,
                    ends: i64::MAX,
                };
                for _ in 0..5000 {
                    longshore_meta::outbox::mail_put(tx, &new).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    let full = it.hub.reset_ask(&stranger(), "ann").await;
    assert_eq!(code(full), Code::Unavailable);
    it.hub.mail_change(&ann, "lee@example.org").await.unwrap();
    assert_eq!(it.sent().await.len(), 1);
}

#[tokio::test]
async fn without_a_mail_server_what_needs_one_says_so() {
    let house = House::new().await;
    let hub = &house.hub;
    let ann = house.user("ann").await;
    hub.sign_up_set(&operator(), SignUp::Open).await.unwrap();
    assert_eq!(
        code(hub.reset_ask(&stranger(), "ann").await),
        Code::ConditionFailed
    );
    assert_eq!(
        code(hub.mail_change(&ann, "a@b.example").await),
        Code::ConditionFailed
    );
    let with = |name: &str| NewAccount {
        password: Some(NewPassword::plain("battery staple")),
        ..signing(name, "bob@example.org")
    };
    let refused = hub.account_sign_up(&stranger(), with("bob")).await;
    assert_eq!(
        code(refused),
        Code::ConditionFailed,
        "nobody would confirm it"
    );
    let hub = hub.clone().with_desk(Desk::new(None, true, 3));
    let SignedUp::Made(id) = hub.account_sign_up(&stranger(), with("bob")).await.unwrap() else {
        panic!("it is made at once")
    };
    let read = hub
        .db
        .read(&id, |tx, id| Box::pin(principal_get(tx, *id)))
        .await;
    let bob = read.unwrap().unwrap();
    assert_eq!((bob.state, bob.mail.as_str()), (State::Active, ""));
    let made = hub
        .invitation_create(&operator(), None, invitation("x@y.example", "eve"))
        .await;
    let secret = made.unwrap().secret.unwrap();
    let joined = hub
        .account_join(&stranger(), secret.as_str(), joining(""))
        .await;
    assert_eq!(house.id("eve").await, Some(joined.unwrap()));
    // Three within the hour from one address, and nobody else waits for that.
    let third = hub.account_join(&stranger(), "x", joining("")).await;
    assert_eq!(code(third), Code::Unauthorized);
    let fourth = hub.account_join(&stranger(), "x", joining("")).await;
    assert_eq!(code(fourth), Code::TooManyRequests);
    let elsewhere = Caller {
        who: Who::stranger([10, 0, 0, 1].into()),
        ..stranger()
    };
    let other = hub.account_join(&elsewhere, "x", joining("")).await;
    assert_eq!(code(other), Code::Unauthorized);
}

#[tokio::test]
async fn whose_password_is_kept_elsewhere_gets_none_here_by_letter() {
    let it = Office::new().await;
    let new = signing("ann", "ann@example.org");
    let id = it.hub.user_create(&operator(), new).await.unwrap();
    it.hub.reset_ask(&stranger(), "ann").await.unwrap();
    assert_eq!(it.sent().await.len(), 1, "a first password by letter");
    let expect = it
        .hub
        .identity_expect(&operator(), "ann", "ldap:corp", "ann")
        .await;
    expect.unwrap();
    it.hub
        .reset_ask(&stranger_at(minutes(70)), "ann")
        .await
        .unwrap();
    assert!(it.sent_at(minutes(70)).await.is_empty());
    assert_eq!(it.waiting().await, 0);
    assert!(it.secrets(id, Secret::Reset).await <= 1);
}
