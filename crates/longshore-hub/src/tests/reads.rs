//! Who read what not everybody may see is in the audit log.

use std::num::NonZeroU32;

use longshore_meta::audit::Entry;

use super::*;
use crate::reads::{Read, Reads};

fn read(name: &str, repo: &str, what: &str) -> Read {
    Read {
        at: now(),
        name: name.into(),
        via: Via::PersonalToken.way(3),
        from: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        repo: repo.parse().unwrap(),
        what: what.to_owned(),
        request: 7,
    }
}

fn all() -> Reads {
    Reads::new(NonZeroU32::MIN)
}

/// What was read, as the log has it.
async fn told(house: &House) -> Vec<Entry> {
    let rows = house.rows().await.into_iter().map(|row| row.entry);
    rows.filter(|row| row.action == "repository:pull").collect()
}

async fn open_to_all(house: &House, alice: &Caller) {
    let home = house.home("alice").await;
    let public = Some(Visibility::Public);
    let set = house.hub.namespace_settings(alice, home, public, None);
    set.await.unwrap();
}

#[tokio::test]
async fn a_pull_of_what_is_private_is_one_row_that_says_who_from_where_and_what() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    house.repo("alice/app").await;
    let reads = all();
    for what in ["1.0", "sha256:aa", "sha256:bb"] {
        assert!(reads.is_next());
        reads.note(read("alice", "alice/app", what));
    }
    reads.note(read("", "alice/app", "1.0"));
    assert_eq!(told(&house).await, [], "nobody waits for it");
    house.hub.reads_write(&reads, now()).await.unwrap();
    let rows = told(&house).await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.actor, row.actor_name.as_str(), row.object.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (PrincipalId(0), "", "alice/app"),
            (alice.who.id(), "alice", "alice/app"),
        ]
    );
    let row = &rows[1];
    assert_eq!(
        (row.via.as_str(), row.origin.as_str()),
        ("token:3", "192.0.2.7")
    );
    assert_eq!(row.namespace, house.home("alice").await);
    assert_eq!(
        row.detail,
        r#"{"one_of":1,"reads":3,"what":["1.0","sha256:aa","sha256:bb"]}"#
    );
    house.hub.reads_write(&reads, now()).await.unwrap();
    assert_eq!(told(&house).await.len(), 2, "each is told once");
}

#[tokio::test]
async fn what_everybody_may_see_and_what_is_not_there_has_no_row() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    house.repo("alice/app").await;
    open_to_all(&house, &alice).await;
    let reads = all();
    reads.note(read("alice", "alice/app", "1.0"));
    reads.note(read("alice", "alice/nothing", "1.0"));
    house.hub.reads_write(&reads, now()).await.unwrap();
    assert_eq!(told(&house).await, []);
}

#[tokio::test]
async fn one_of_so_many_reads_is_noted_and_which_one_is_not_to_be_foreseen() {
    let pattern = || {
        let reads = Reads::new(NonZeroU32::new(10).unwrap());
        (0..10_000).map(|_| reads.is_next()).collect::<Vec<_>>()
    };
    let (one, two) = (pattern(), pattern());
    let noted = one.iter().filter(|noted| **noted).count();
    assert!((700..1300).contains(&noted), "{noted} of 10,000");
    assert_ne!(one, two);
}
