//! A real directory.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_auth::directory::ldap::{GroupSearch, Groups, Ldap, LdapOptions};
use longshore_auth::directory::{Directories, Directory as _, DirectoryError, Person};

use crate::slapd::{GROUPS, PEOPLE, Slapd};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000 + seconds)
}

async fn login(options: LdapOptions, user: &str, password: &str) -> Option<Person> {
    let directory = Ldap::new(options).unwrap();
    directory
        .check(user, password.as_bytes(), at(0))
        .await
        .unwrap()
}

/// The groups of somebody, joined.
async fn groups(slapd: &Slapd, groups: Groups, user: &str) -> String {
    let options = LdapOptions {
        groups,
        ..slapd.options()
    };
    let person = login(options, user, &format!("{user}-secret"))
        .await
        .unwrap();
    person.groups.unwrap().join(" ")
}

#[tokio::test]
async fn a_person_is_who_the_directory_says_and_a_wrong_password_is_nobody() {
    let Some(slapd) = Slapd::start() else { return };
    let alice = login(slapd.options(), "alice", "alice-secret")
        .await
        .unwrap();
    assert_eq!(alice.source, "ldap:corp");
    assert_eq!(alice.subject.len(), 36, "a UUID: {}", alice.subject);
    assert_eq!(
        (alice.name.as_str(), alice.mail.as_deref()),
        ("alice", Some("alice@example.test"))
    );
    assert_eq!(alice.full_name.as_deref(), Some("Alice Ämter"));
    assert_eq!(
        (alice.groups, alice.admin),
        (None, None),
        "it was not asked"
    );
    let again = login(slapd.options(), "ALICE", "alice-secret")
        .await
        .unwrap();
    assert_eq!(
        (again.name.as_str(), again.subject),
        ("alice", alice.subject),
        "names of a directory have no case"
    );
    let by_name = LdapOptions {
        id_attribute: None,
        ..slapd.options()
    };
    let bob = login(by_name, "bob", "bob-secret").await.unwrap();
    assert_eq!(bob.subject, format!("uid=bob,{PEOPLE}"));
    assert_eq!(bob.mail, None);
    for (user, password) in [
        ("alice", "wrong"),
        ("alice", "bob-secret"),
        ("alice", "alice-secret "),
        ("alice", "Alice-secret"),
        ("nobody", "alice-secret"),
        ("nopass", "anything"),
        ("search", "search-secret"),
        ("alice", ""),
        ("alice", " "),
        ("alice", "\0"),
        ("alice", "\0alice-secret"),
        ("nopass", ""),
        ("", "alice-secret"),
    ] {
        assert_eq!(
            login(slapd.options(), user, password).await,
            None,
            "{user} {password:?}"
        );
    }
    let directory = Ldap::new(slapd.options()).unwrap();
    assert_eq!(
        directory.check("alice", b"\xff\xfe", at(0)).await,
        Ok(None),
        "no text"
    );
}

#[tokio::test]
async fn a_name_that_is_a_filter_finds_nobody_else_and_an_odd_name_finds_its_owner() {
    let Some(slapd) = Slapd::start() else { return };
    for user in [
        "*",
        "a*",
        "alice*",
        "*)(uid=*",
        "alice)(uid=alice",
        "alice)(objectClass=*",
        "*))(|(uid=*",
        "x)(|(uid=alice)",
        "alice)))(&(uid=alice",
        "\\61lice",
        "alice\\00",
        "{user}",
        "alice,ou=people,dc=example,dc=test",
        "uid=alice",
        "аlice",
    ] {
        assert_eq!(
            login(slapd.options(), user, "alice-secret").await,
            None,
            "{user}"
        );
    }
    let odd = login(slapd.options(), "a(b)*c\\d,e", "odd-secret")
        .await
        .unwrap();
    assert_eq!(odd.name, "a(b)*c\\d,e");
    assert_eq!(
        login(slapd.options(), "twin", "twin-secret").await,
        None,
        "two people have this name"
    );
}

#[tokio::test]
async fn groups_in_groups_are_found_although_they_lie_in_a_circle() {
    let Some(slapd) = Slapd::start() else { return };
    let search = |depth| {
        Groups::Search(GroupSearch {
            depth,
            ..GroupSearch::below(GROUPS)
        })
    };
    assert_eq!(groups(&slapd, search(1), "alice").await, "web");
    assert_eq!(groups(&slapd, search(2), "alice").await, "engineers web");
    for depth in [3, 5, 1000] {
        assert_eq!(
            groups(&slapd, search(depth), "alice").await,
            "engineers staff web"
        );
        assert_eq!(
            groups(&slapd, search(depth), "bob").await,
            "engineers staff web"
        );
    }
    assert_eq!(groups(&slapd, search(1), "bob").await, "staff");
    let said = |depth, base: &str| Groups::Attribute {
        attribute: "memberOf".to_owned(),
        base: base.to_owned(),
        depth,
    };
    assert_eq!(
        groups(&slapd, said(1, GROUPS), "alice").await,
        "web",
        "admins are elsewhere"
    );
    assert_eq!(
        groups(&slapd, said(1, "DC=Example, DC=Test"), "alice").await,
        "admins web"
    );
    assert_eq!(
        groups(&slapd, said(1000, GROUPS), "alice").await,
        "engineers staff web"
    );
}

#[tokio::test]
async fn groups_are_as_they_are_now_and_one_of_them_makes_administrators() {
    let Some(slapd) = Slapd::start() else { return };
    let mut options = LdapOptions {
        groups: Groups::Search(GroupSearch::below("dc=example,dc=test")),
        admin_group: Some("cn=admins, ou=other, dc=example, dc=test".to_owned()),
        ..slapd.options()
    };
    let directory = Ldap::new(options.clone()).unwrap();
    let alice = directory
        .check("alice", b"alice-secret", at(0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        alice.groups.unwrap().join(" "),
        "admins engineers staff web"
    );
    assert_eq!(alice.admin, Some(true));
    let bob = directory
        .check("bob", b"bob-secret", at(0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bob.admin, Some(false));
    "web".clone_into(options.admin_group.insert(String::new()));
    assert_eq!(
        login(options, "bob", "bob-secret").await.unwrap().admin,
        Some(true),
        "by a group in a group"
    );
    slapd.change(
        "ldapmodify",
        "dn: cn=admins,ou=other,dc=example,dc=test\nchangetype: delete\n\n\
         dn: cn=web,ou=groups,dc=example,dc=test\nchangetype: modify\ndelete: member\nmember: uid=alice,ou=people,dc=example,dc=test\n",
    );
    let alice = directory
        .check("alice", b"alice-secret", at(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (alice.groups.unwrap().join(" "), alice.admin),
        (String::new(), Some(false))
    );
}

#[tokio::test]
async fn connections_are_secured_by_our_own_authority_or_not_used() {
    let Some(slapd) = Slapd::start() else { return };
    let file = |name: &str| Some(slapd.folder.path().join(name));
    let secured = |start_tls: bool, ca: &str| {
        let (scheme, port) = if start_tls {
            ("ldap", slapd.port)
        } else {
            ("ldaps", slapd.tls_port)
        };
        LdapOptions {
            url: format!("{scheme}://127.0.0.1:{port}"),
            start_tls,
            ca_file: file(ca),
            ..slapd.options()
        }
    };
    for start_tls in [true, false] {
        let alice = login(secured(start_tls, "ca.pem"), "alice", "alice-secret").await;
        assert!(alice.is_some(), "StartTLS: {start_tls}");
        let bad = [
            secured(start_tls, "others.pem"),
            LdapOptions {
                ca_file: None,
                ..secured(start_tls, "ca.pem")
            },
            LdapOptions {
                url: secured(start_tls, "ca.pem")
                    .url
                    .replace("127.0.0.1", "localhost"),
                ..secured(start_tls, "ca.pem")
            },
        ];
        for options in bad {
            let directory = Ldap::new(options).unwrap();
            let refused = directory.check("alice", b"alice-secret", at(0)).await;
            assert!(
                matches!(&refused, Err(DirectoryError::Unavailable { why, .. }) if why.starts_with("TLS")),
                "{refused:?}"
            );
        }
    }
    assert!(Ldap::new(secured(true, "nothing.pem")).is_err());
    assert!(Ldap::new(secured(true, "server.key")).is_err());
}

#[tokio::test]
async fn who_searches_must_be_accepted_and_what_is_not_there_is_said() {
    let Some(slapd) = Slapd::start() else { return };
    let nobody = LdapOptions {
        bind_dn: None,
        bind_password: None,
        ..slapd.options()
    };
    let nobody = Ldap::new(nobody)
        .unwrap()
        .check("alice", b"alice-secret", at(0))
        .await;
    assert!(
        matches!(nobody, Err(DirectoryError::Unavailable { .. })),
        "{nobody:?}"
    );
    let wrong = LdapOptions {
        bind_password: Some("wrong".to_owned().into()),
        ..slapd.options()
    };
    let wrong = Ldap::new(wrong)
        .unwrap()
        .check("alice", b"alice-secret", at(0))
        .await;
    assert!(
        matches!(&wrong, Err(DirectoryError::Unavailable { why, .. }) if why.contains("who searches")),
        "{wrong:?}"
    );
    let no_id = LdapOptions {
        id_attribute: Some("employeeNumber".to_owned()),
        ..slapd.options()
    };
    let directory = Ldap::new(no_id).unwrap();
    for _ in 0..3 {
        // Not "it failed a moment ago": one entry is no reason to leave the directory alone.
        let lost = directory.check("alice", b"alice-secret", at(0)).await;
        assert!(
            matches!(&lost, Err(DirectoryError::Entry { why, .. }) if why.contains("employeeNumber")),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn a_directory_that_is_down_is_left_alone_for_a_while_and_found_again() {
    let Some(mut slapd) = Slapd::start() else {
        return;
    };
    let directory = Ldap::new(slapd.options()).unwrap();
    let directories = Directories::new(vec![Arc::new(directory)]).unwrap();
    let ask = async |seconds| {
        directories.forget();
        let login = directories.check("alice", b"alice-secret", at(seconds));
        login.await
    };
    assert!(ask(0).await.unwrap().is_some());
    slapd.stop();
    slapd.go_on();
    assert!(
        ask(1).await.unwrap().is_some(),
        "the kept connection died, and a new one was made"
    );
    slapd.stop();
    let down = ask(2).await;
    assert!(
        matches!(&down, Err(DirectoryError::Unavailable { why, .. }) if why.contains("no connection")),
        "{down:?}"
    );
    slapd.go_on();
    let spared = ask(3).await;
    assert!(
        matches!(&spared, Err(DirectoryError::Unavailable { why, .. }) if why.contains("a moment ago")),
        "{spared:?}"
    );
    assert!(ask(60).await.unwrap().is_some());
}

#[tokio::test]
async fn many_log_in_at_once_and_none_is_taken_for_another() {
    let Some(slapd) = Slapd::start() else { return };
    let directory = Ldap::new(LdapOptions {
        connections: 3,
        ..slapd.options()
    })
    .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..48 {
        let directory = directory.clone();
        tasks.spawn(async move {
            let (user, password, is_good) = match number % 4 {
                0 => ("alice", "alice-secret", true),
                1 => ("bob", "bob-secret", true),
                2 => ("alice", "bob-secret", false),
                _ => ("bob", "alice-secret", false),
            };
            let found = directory
                .check(user, password.as_bytes(), at(0))
                .await
                .unwrap();
            assert_eq!(
                found.map(|person| person.name),
                is_good.then(|| user.to_owned())
            );
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}
