//! Directories that are not what they say.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_auth::directory::ldap::{GroupSearch, Groups, Ldap, LdapOptions};
use longshore_auth::directory::{Directories, Directory, DirectoryError, LOGIN_WITHIN, Person};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// An element of BER with a length in four bytes.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    ber(0x30, &[ber(0x02, &[id]), operation.to_vec()].concat())
}

fn result(tag: u8, code: u8) -> Vec<u8> {
    ber(
        tag,
        &[ber(0x0a, &[code]), ber(0x04, b""), ber(0x04, b"")].concat(),
    )
}

fn entry(dn: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, value)| {
            let values = ber(0x31, &ber(0x04, value.as_bytes()));
            ber(0x30, &[ber(0x04, name.as_bytes()), values].concat())
        })
        .collect();
    ber(
        0x64,
        &[ber(0x04, dn.as_bytes()), ber(0x30, &attributes)].concat(),
    )
}

/// What kind of request it is, and its number.
fn asked(request: &[u8]) -> (u8, u8) {
    // A sequence in short or long form, then the number, then the operation.
    let at = request
        .windows(2)
        .position(|window| window == [0x02, 0x01])
        .unwrap();
    (request[at + 3], request[at + 2])
}

/// What a directory sends for an operation and a number; none: nothing.
type Answer = fn(u8, u8) -> Option<Vec<u8>>;

const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;

/// A directory that gives to each request what `answer` says; none: it never answers.
async fn directory(
    answer: impl Fn(u8, u8) -> Option<Vec<u8>> + Copy + Send + 'static,
) -> LdapOptions {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut request).await {
                    let (operation, id) = asked(&request[..length]);
                    if let Some(bytes) = answer(operation, id)
                        && stream.write_all(&bytes).await.is_err()
                    {
                        break;
                    }
                }
            });
        }
    });
    LdapOptions {
        deadline: Duration::from_secs(30),
        groups: Groups::Search(GroupSearch::below("ou=groups")),
        id_attribute: None,
        ..LdapOptions::new("evil", format!("ldap://127.0.0.1:{port}"), "ou=people")
    }
}

async fn login(options: LdapOptions) -> Result<Option<Person>, DirectoryError> {
    Ldap::new(options)
        .unwrap()
        .check("alice", b"secret", NOW)
        .await
}

#[tokio::test]
async fn answers_that_would_break_their_reader_cost_one_login() {
    let rows: [(&str, Answer); 12] = [
        ("another protocol", |_, _| {
            Some(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())
        }),
        ("4 GiB", |_, _| {
            Some(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0, 0])
        }),
        ("2^64", |_, _| {
            Some([&[0x30, 0x88][..], &[0xff; 8]].concat())
        }),
        ("a stack", |_, id| {
            let mut nested = Vec::new();
            for _ in 0..50_000 {
                nested.splice(0..0, [0x30, 0x84, 0, 0, 0, 0]);
                let length = u32::try_from(nested.len() - 6).unwrap().to_be_bytes();
                nested[2..6].copy_from_slice(&length);
            }
            Some(message(id, &ber(0x65, &nested)))
        }),
        ("a flood", |_, id| {
            Some(message(id, &entry("uid=alice", &[("uid", &"x".repeat(60_000))])).repeat(1000))
        }),
        ("nothing in it", |_, _| Some(ber(0x30, b""))),
        ("no result", |_, id| Some(message(id, &ber(0x65, b"")))),
        ("a result of another kind", |_, id| {
            Some(message(id, &ber(0x65, &ber(0x0a, &[0]).repeat(3))))
        }),
        ("an attribute without values", |_, id| {
            let broken = ber(
                0x64,
                &[
                    ber(0x04, b"uid=alice"),
                    ber(0x30, &ber(0x30, &ber(0x04, b"uid"))),
                ]
                .concat(),
            );
            Some([message(id, &broken), message(id, &result(0x65, 0))].concat())
        }),
        ("a name that is no text", |_, id| {
            let broken = ber(0x64, &[ber(0x04, b"\xff\xfe"), ber(0x30, b"")].concat());
            Some([message(id, &broken), message(id, &result(0x65, 0))].concat())
        }),
        ("a result that is no code", |_, id| {
            Some(message(
                id,
                &ber(
                    0x65,
                    &[ber(0x0a, b""), ber(0x04, b""), ber(0x04, b"\xff")].concat(),
                ),
            ))
        }),
        ("an answer to nobody", |_, _| {
            Some(message(99, &result(0x65, 0)))
        }),
    ];
    for (what, answer) in rows {
        let mut options = directory(answer).await;
        if what == "an answer to nobody" {
            options.deadline = Duration::from_millis(200);
        }
        let lost = login(options).await;
        assert!(
            matches!(lost, Err(DirectoryError::Unavailable { .. })),
            "{what}: {lost:?}"
        );
    }
}

#[tokio::test]
async fn a_directory_that_never_answers_is_not_waited_for_and_then_not_asked() {
    let options = LdapOptions {
        deadline: Duration::from_millis(100),
        ..directory(|_, _| None).await
    };
    let directory = Ldap::new(options).unwrap();
    let directories = Directories::new(vec![Arc::new(directory)]).unwrap();
    let late = directories.check("alice", b"secret", NOW).await;
    assert!(
        matches!(&late, Err(DirectoryError::Unavailable { why, .. }) if why.contains("in time")),
        "{late:?}"
    );
    let spared = directories.check("alice", b"secret", NOW).await;
    assert!(
        matches!(&spared, Err(DirectoryError::Unavailable { why, .. }) if why.contains("a moment ago")),
        "{spared:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn two_servers_that_never_answer_keep_one_login_waiting_and_no_other() {
    let mut list: Vec<Arc<dyn Directory>> = Vec::new();
    for name in ["one", "two"] {
        let options = LdapOptions {
            name: name.to_owned(),
            // As it is where nobody says otherwise, longer than the share of each.
            deadline: LdapOptions::new("", "", "").deadline,
            ..directory(|_, _| None).await
        };
        list.push(Arc::new(Ldap::new(options).unwrap()));
    }
    let directories = Directories::new(list).unwrap();
    let begun = tokio::time::Instant::now();
    let late = directories.check("alice", b"secret", NOW).await;
    assert!(
        matches!(&late, Err(DirectoryError::Unavailable { why, .. }) if why.contains("in time")),
        "{late:?}"
    );
    assert!(begun.elapsed() <= LOGIN_WITHIN + Duration::from_millis(10));
    let begun = tokio::time::Instant::now();
    for password in ["1", "2", "3"] {
        let spared = directories.check("alice", password.as_bytes(), NOW).await;
        assert!(
            matches!(&spared, Err(DirectoryError::Unavailable { why, .. }) if why.contains("a moment ago")),
            "{spared:?}"
        );
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn nobody_is_let_in_by_an_entry_without_a_name_several_or_a_way_elsewhere() {
    let honest = bind_says(0).await;
    assert!(
        login(honest).await.unwrap().is_some(),
        "this is what would let somebody in"
    );

    let nameless = directory(|operation, id| {
        Some(match operation {
            BIND => message(id, &result(0x61, 0)),
            _ => [
                message(id, &entry("", &[("uid", "alice")])),
                message(id, &result(0x65, 0)),
            ]
            .concat(),
        })
    })
    .await;
    let lost = login(nameless).await;
    assert!(
        matches!(&lost, Err(DirectoryError::Entry { why, .. }) if why.contains("no name")),
        "{lost:?}"
    );

    let several = directory(|operation, id| {
        Some(match operation {
            BIND => message(id, &result(0x61, 0)),
            _ => [
                message(id, &entry("uid=alice", &[("uid", "alice")])),
                message(id, &entry("uid=mallory", &[("uid", "alice")])),
                message(id, &result(0x65, 0)),
            ]
            .concat(),
        })
    })
    .await;
    assert_eq!(login(several).await, Ok(None));

    let elsewhere = directory(|operation, id| {
        let reference = ber(0x73, &ber(0x04, b"ldap://127.0.0.1:1/ou=people"));
        Some(match operation {
            BIND => message(id, &result(0x61, 0)),
            _ => [message(id, &reference), message(id, &result(0x65, 0))].concat(),
        })
    })
    .await;
    assert_eq!(
        login(elsewhere).await,
        Ok(None),
        "a reference is no person, and is not followed"
    );

    for code in [1, 2, 8, 10, 13, 14, 51, 52, 80, 123] {
        let options = bind_says(code).await;
        let lost = login(options).await;
        assert!(
            matches!(lost, Err(DirectoryError::Unavailable { .. })),
            "{code}: {lost:?}"
        );
    }
    for code in [19, 32, 48, 49, 50, 53] {
        assert_eq!(login(bind_says(code).await).await, Ok(None), "{code}");
    }
}

/// A directory that finds alice and answers her bind with this code.
async fn bind_says(code: u8) -> LdapOptions {
    directory(move |operation, id| match operation {
        BIND => Some(message(id, &result(0x61, code))),
        SEARCH => Some(alice(id)),
        _ => None,
    })
    .await
}

/// What a search for alice finds.
fn alice(id: u8) -> Vec<u8> {
    let found = entry("uid=alice", &[("uid", "alice"), ("cn", "a")]);
    [message(id, &found), message(id, &result(0x65, 0))].concat()
}

#[tokio::test]
async fn what_comes_in_the_clear_behind_the_answer_to_starttls_is_not_taken() {
    for (what, answer) in [
        ("it refuses", message(1, &result(0x78, 2))),
        (
            "it says yes to something else",
            message(1, &result(0x61, 0)),
        ),
        (
            "it says yes to another request",
            message(2, &result(0x78, 0)),
        ),
        (
            "it says yes and goes on in the clear",
            [message(1, &result(0x78, 0)), message(2, &result(0x61, 0))].concat(),
        ),
        ("it says nothing", Vec::new()),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer_is_empty = answer.is_empty();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].ends_with(b"1.3.6.1.4.1.1466.20037"));
            stream.write_all(&answer).await.unwrap();
            // Whatever is said next must be the beginning of TLS: a handshake record.
            let length = stream.read(&mut request).await.unwrap_or(0);
            assert!(length == 0 || request[0] == 0x16, "spoken in the clear");
        });
        let options = LdapOptions {
            start_tls: true,
            bind_dn: Some("cn=search".to_owned()),
            bind_password: Some("secret".to_owned().into()),
            deadline: if answer_is_empty {
                Duration::from_millis(100)
            } else {
                Duration::from_secs(30)
            },
            ..LdapOptions::new("evil", format!("ldap://127.0.0.1:{port}"), "ou=people")
        };
        let lost = login(options).await;
        assert!(
            matches!(lost, Err(DirectoryError::Unavailable { .. })),
            "{what}: {lost:?}"
        );
    }
}
