//! Whole attempts against a file, counted in hashes and not in time.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::options::{AnonymousAccess, Limits};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 + seconds)
}

fn bcrypt_line(user: &str, password: &[u8]) -> String {
    format!("{user}:{}\n", bcrypt::hash(password, 4).unwrap())
}

fn argon2_line(user: &str, password: &[u8]) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
    let argon2 = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(64, 1, 1, None).unwrap(),
    );
    format!(
        "{user}:{}\n",
        argon2
            .hash_password_with_salt(password, b"saltsaltsaltsalt")
            .unwrap()
    )
}

async fn open(path: &Path) -> Result<Htpasswd, SetupError> {
    open_within(path, Limits::default()).await
}

async fn open_within(path: &Path, limits: Limits) -> Result<Htpasswd, SetupError> {
    let options = HtpasswdOptions {
        file: path.to_owned(),
        realm: "Longshore".to_owned(),
        anonymous: AnonymousAccess::Nothing,
        limits,
    };
    Htpasswd::open(&options, at(0)).await
}

async fn with(content: &str) -> (tempfile::NamedTempFile, Htpasswd) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let users = open(file.path()).await.unwrap();
    (file, users)
}

async fn login(
    users: &Htpasswd,
    user: &str,
    password: impl AsRef<[u8]>,
    peer: IpAddr,
    now: SystemTime,
) -> Result<Identity, Refusal> {
    users
        .identify(user, Zeroizing::new(password.as_ref().to_vec()), peer, now)
        .await
}

#[tokio::test]
async fn the_right_password_is_somebody_who_may_do_everything() {
    let (_file, users) =
        with(&(bcrypt_line("alice", b"secret") + &argon2_line("bob", b"s3cret"))).await;
    for (user, password) in [("alice", "secret"), ("bob", "s3cret")] {
        let identity = login(&users, user, password, HOME, at(0)).await.unwrap();
        assert_eq!(identity.actor, Actor::Named(user.into()));
        assert_eq!(
            (identity.rights, identity.kind),
            (Rights::Everything, IdentityKind::Password)
        );
    }
    assert!(login(&users, "alice", "s3cret", HOME, at(0)).await.is_err());
    assert!(login(&users, "Alice", "secret", HOME, at(0)).await.is_err());
}

#[tokio::test]
async fn h04_an_unknown_user_costs_the_same_one_hash_and_gets_the_same_words() {
    let (_file, users) = with(&bcrypt_line("alice", b"secret")).await;
    let wrong = login(&users, "alice", "wrong", HOME, at(0))
        .await
        .unwrap_err();
    assert_eq!(users.checks.hashing.started(), 1);
    let unknown = login(&users, "nobody", "wrong", HOME, at(0))
        .await
        .unwrap_err();
    assert_eq!(users.checks.hashing.started(), 2);
    assert_eq!(wrong, unknown);
    let lucky = login(&users, "nobody", "secret", HOME, at(0)).await;
    assert_eq!(
        lucky.unwrap_err(),
        wrong,
        "the hash that an unknown user is checked against opens nothing"
    );
}

#[tokio::test]
async fn a_hundred_requests_cost_one_hash_a_minute() {
    let (_file, users) = with(&bcrypt_line("alice", b"secret")).await;
    for _ in 0..100 {
        login(&users, "alice", "secret", HOME, at(0)).await.unwrap();
    }
    assert_eq!(users.checks.hashing.started(), 1);
    login(&users, "alice", "secret", AWAY, at(59))
        .await
        .unwrap();
    assert_eq!(users.checks.hashing.started(), 1);
    login(&users, "alice", "secret", HOME, at(60))
        .await
        .unwrap();
    assert_eq!(users.checks.hashing.started(), 2);
}

#[tokio::test]
async fn requests_at_the_same_time_wait_for_one_hash() {
    let (_file, users) = with(&bcrypt_line("alice", b"secret")).await;
    let users = Arc::new(users);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let users = Arc::clone(&users);
        tasks.spawn(async move { login(&users, "alice", "secret", HOME, at(0)).await.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|good| good));
    assert_eq!(users.checks.hashing.started(), 1);
}

#[tokio::test]
async fn one_wrong_password_repeated_is_one_failure_and_ten_different_ones_are_the_limit() {
    let (_file, users) = with(&bcrypt_line("alice", b"secret")).await;
    for _ in 0..50 {
        assert!(
            !login(&users, "alice", "old", HOME, at(0))
                .await
                .unwrap_err()
                .is_throttled()
        );
    }
    assert_eq!(users.checks.hashing.started(), 1);
    for guess in 0..9 {
        assert!(
            !login(&users, "alice", format!("guess{guess}"), HOME, at(0))
                .await
                .unwrap_err()
                .is_throttled()
        );
    }
    let refusal = login(&users, "alice", "one more", HOME, at(0))
        .await
        .unwrap_err();
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(30)));
    assert_eq!(
        users.checks.hashing.started(),
        10,
        "a throttled attempt is not hashed"
    );

    let here = login(&users, "alice", "secret", HOME, at(0)).await;
    assert!(
        here.unwrap_err().is_throttled(),
        "nor is the right password, where it was guessed at"
    );
    login(&users, "alice", "secret", AWAY, at(0)).await.unwrap();
    login(&users, "alice", "secret", HOME, at(1))
        .await
        .expect("known to be right from elsewhere");
}

#[tokio::test]
async fn failures_and_hashes_at_a_time_are_bounded_as_configured() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bcrypt_line("alice", b"secret")).unwrap();
    let limits = Limits {
        failed_logins: 3,
        failed_login_wait: Duration::from_secs(9),
        password_checks: 1,
        password_queue: 0,
        ..Limits::default()
    };
    let users = open_within(file.path(), limits).await.unwrap();
    for guess in 0..3 {
        let refusal = login(&users, "alice", format!("{guess}"), HOME, at(0)).await;
        assert!(!refusal.unwrap_err().is_throttled());
    }
    let refusal = login(&users, "alice", "one more", HOME, at(0)).await;
    assert_eq!(
        refusal.unwrap_err().retry_after,
        Some(Duration::from_secs(9))
    );

    // The one place for a hash is taken, and nobody may wait for it.
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let taken = users.checks.hashing.run(move || gate.recv());
    let asked = async {
        while users.checks.hashing.started() < 4 {
            tokio::task::yield_now().await;
        }
        let refusal = login(&users, "alice", "secret", AWAY, at(0)).await;
        drop(release);
        refusal.unwrap_err()
    };
    let (_, refusal) = tokio::join!(taken, asked);
    assert_eq!(refusal.why, "too many passwords wait for their hash");
    login(&users, "alice", "secret", AWAY, at(0)).await.unwrap();
}

#[tokio::test]
async fn h06_a_password_beyond_what_bcrypt_sees_is_refused_and_argon2_sees_all_of_it() {
    let mut long = vec![b'x'; 73];
    let (_file, users) = with(
        &(bcrypt_line("alice", &long)
            + &argon2_line("bob", &long)
            + &bcrypt_line("carol", &long[..72])),
    )
    .await;
    assert!(
        login(&users, "alice", &long, HOME, at(0)).await.is_err(),
        "htpasswd cut it silently"
    );
    login(&users, "carol", &long[..72], HOME, at(0))
        .await
        .unwrap();
    assert!(login(&users, "carol", &long, HOME, at(0)).await.is_err());
    login(&users, "bob", &long, HOME, at(0)).await.unwrap();
    long[72] = b'y';
    assert!(login(&users, "bob", &long, HOME, at(0)).await.is_err());
}

#[tokio::test]
async fn a_changed_file_counts_at_once_for_what_was_remembered_too() {
    let (file, users) =
        with(&(bcrypt_line("alice", b"secret") + &bcrypt_line("bob", b"secret"))).await;
    login(&users, "alice", "secret", HOME, at(0)).await.unwrap();
    login(&users, "bob", "secret", HOME, at(0)).await.unwrap();
    std::fs::write(file.path(), bcrypt_line("alice", b"new")).unwrap();
    assert!(login(&users, "alice", "secret", HOME, at(1)).await.is_err());
    assert!(login(&users, "bob", "secret", HOME, at(1)).await.is_err());
    login(&users, "alice", "new", HOME, at(1)).await.unwrap();
}

#[tokio::test]
async fn a_broken_edit_leaves_the_old_users_in_until_it_is_repaired() {
    let (file, users) = with(&bcrypt_line("alice", b"secret")).await;
    for broken in ["alice:$2y$04$cut", "no colon", "\u{0}\u{1}:x"] {
        std::fs::write(file.path(), broken).unwrap();
        login(&users, "alice", "secret", HOME, at(2)).await.unwrap();
    }
    std::fs::write(file.path(), bcrypt_line("alice", b"new")).unwrap();
    login(&users, "alice", "new", HOME, at(4)).await.unwrap();
}

#[tokio::test]
async fn a_start_without_a_usable_file_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let missing = open(&dir.path().join("htpasswd")).await.err().unwrap();
    assert!(
        missing.to_string().contains("htpasswd -Bc FILE USER"),
        "{missing}"
    );
    let path = dir.path().join("md5");
    std::fs::write(&path, "alice:$apr1$x$y\n").unwrap();
    let useless = open(&path).await.err().unwrap();
    assert!(
        useless.to_string().contains("htpasswd -B FILE USER"),
        "{useless}"
    );
}

#[tokio::test]
async fn questions_with_their_border_moved_are_different_questions() {
    let (_file, users) = with(&bcrypt_line("ab", b"c")).await;
    assert_ne!(
        users.checks.tag("ab", b"c", b"0"),
        users.checks.tag("a", b"bc", b"0")
    );
    assert_ne!(
        users.checks.tag("ab", b"c", b"0"),
        users.checks.tag("ab", b"c", b"1")
    );
}

/// Written by `htpasswd` of Apache 2.4: `-B` twice (the second password is 72 times x), then `-m`, `-s`, `-d` and `-5`.
const OF_APACHE: &str = "\
alice:$2y$05$Tg/qChbgxYuWHlCGgNSx0uzX7JjRmZ0Rl6/bl9VwlEgOWPWNg4AX6

bob:$2y$05$qohJExWbV4R4Y5.TZJTlueWvzAqsuw1/qeAo8L.atpBh/.Fnf/jjO
carol:$apr1$OqFACert$WHfZZpkLMXo0OHCsgqwQd1
dave:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=
erin:YGnc.F5mqER2U
frank:$6$io9aZmNThzcY2Pov$Q0tOE7C9lkU4zlofRmx0B3GTAKIS1vACAluuOfqxUV6ZK7TZDNSdicDTLuzFJCKiiulEfdg48MAn/ApnpNDYJ.
";

#[tokio::test]
async fn a_file_of_apaches_own_program_works_for_those_it_made_with_bcrypt() {
    let (_file, users) = with(OF_APACHE).await;
    login(&users, "alice", "pass:w0rd", HOME, at(0))
        .await
        .unwrap();
    login(&users, "bob", [b'x'; 72], HOME, at(0)).await.unwrap();
    assert!(login(&users, "bob", [b'x'; 71], HOME, at(0)).await.is_err());
    for user in ["carol", "dave", "erin", "frank"] {
        assert!(
            login(&users, user, "x", HOME, at(0)).await.is_err(),
            "{user}"
        );
    }
}
