use super::*;
use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// A directory that knows one name and password, or none, or never answers.
#[derive(Debug)]
struct Fake {
    name: &'static str,
    knows: Option<(&'static str, &'static str)>,
    /// After which time; never where there is none.
    answers: Option<Duration>,
    asked: AtomicUsize,
}

impl Fake {
    fn new(name: &'static str, knows: Option<(&'static str, &'static str)>) -> Arc<Self> {
        Self::after(Duration::ZERO, name, knows)
    }

    fn after(
        time: Duration,
        name: &'static str,
        knows: Option<(&'static str, &'static str)>,
    ) -> Arc<Self> {
        Arc::new(Fake {
            name,
            knows,
            answers: Some(time),
            asked: AtomicUsize::new(0),
        })
    }

    fn dead(name: &'static str) -> Arc<Self> {
        Arc::new(Fake {
            name,
            knows: None,
            answers: None,
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn person(source: &str, name: &str) -> Person {
    Person {
        source: source.to_owned(),
        subject: name.to_owned(),
        name: name.to_owned(),
        mail: None,
        mail_verified: false,
        full_name: None,
        groups: None,
        admin: None,
    }
}

#[async_trait]
impl Directory for Fake {
    fn name(&self) -> &str {
        self.name
    }

    async fn check(
        &self,
        user: &str,
        password: &[u8],
        _: SystemTime,
    ) -> Result<Option<Person>, DirectoryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.answers {
            Some(time) if time.is_zero() => {}
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
        let is_it = self
            .knows
            .is_some_and(|(name, right)| name == user && right.as_bytes() == password);
        Ok(is_it.then(|| person(self.name, user)))
    }
}

/// What a login of `alice` gives, and how long it takes.
async fn login(
    directories: &Directories,
    password: &str,
    now: SystemTime,
) -> (Result<Option<Person>, DirectoryError>, Duration) {
    let begun = Instant::now();
    let found = directories.check("alice", password.as_bytes(), now).await;
    (found, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn directories_that_never_answer_are_waited_for_once_and_the_others_go_on_at_once() {
    let (one, two) = (Fake::dead("a"), Fake::dead("b"));
    let alive = Fake::new("c", Some(("alice", "secret")));
    let directories = Directories::new(vec![one.clone(), two.clone(), alive.clone()]).unwrap();
    let (found, took) = login(&directories, "secret", NOW).await;
    assert_eq!(found, Ok(Some(person("c", "alice"))));
    assert!(took < LOGIN_WITHIN, "{took:?}");
    for (second, password) in [(1, "wrong"), (2, "wrong again"), (3, "still wrong")] {
        let (lost, took) = login(&directories, password, NOW + Duration::from_secs(second)).await;
        assert!(
            matches!(&lost, Err(DirectoryError::Unavailable { why, .. }) if why.contains("a moment ago")),
            "one that could not be asked may know them: {lost:?}"
        );
        assert_eq!(took, Duration::ZERO);
    }
    assert_eq!((one.asked(), two.asked(), alive.asked()), (1, 1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_login_is_answered_in_time_where_nobody_ever_answers_and_pauses_grow() {
    let dead: Vec<_> = ["a", "b", "c", "d"].map(Fake::dead).into();
    let list = dead.iter().map(|it| it.clone() as Arc<dyn Directory>);
    let directories = Directories::new(list.collect()).unwrap();
    let (mut now, mut waited, mut logins) = (NOW, Duration::ZERO, 0);
    while now < NOW + Duration::from_mins(10) {
        let (lost, took) = login(&directories, "secret", now).await;
        assert!(matches!(lost, Err(DirectoryError::Unavailable { .. })));
        assert!(took <= LOGIN_WITHIN, "{took:?}");
        waited += took;
        logins += 1;
        now += took + Duration::from_secs(1);
    }
    // Each is tried once a minute or so, by one login of some twenty.
    assert!(logins > 400, "{logins} logins in ten minutes");
    assert!(waited < Duration::from_mins(3), "{waited:?}");
    assert!(dead.iter().all(|it| it.asked() < 20));
}

#[tokio::test(start_paused = true)]
async fn a_slow_directory_has_the_time_of_those_that_are_left_alone_and_of_the_quick() {
    let knows = Some(("alice", "secret"));
    let slow = Fake::after(Duration::from_secs(4), "c", knows);
    let directories =
        Directories::new(vec![Fake::dead("a"), Fake::new("b", None), slow.clone()]).unwrap();
    let (first, _) = login(&directories, "secret", NOW).await;
    assert!(
        first.is_err(),
        "its share was too little beside one that hangs"
    );
    // It was given up, so it is left alone as well; after the pause both are tried.
    let later = NOW + Duration::from_secs(11);
    let (_, took) = login(&directories, "secret", later).await;
    assert!(took <= LOGIN_WITHIN);

    let alone = Directories::new(vec![Fake::new("b", None), slow]).unwrap();
    let (found, took) = login(&alone, "secret", NOW).await;
    assert_eq!(found, Ok(Some(person("c", "alice"))), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_early_makes_no_directory_fail() {
    let slow = Fake::after(Duration::from_secs(2), "a", Some(("alice", "secret")));
    let directories = Directories::new(vec![slow]).unwrap();
    let early = directories.check("alice", b"secret", NOW);
    let early = tokio::time::timeout(Duration::from_secs(1), early).await;
    assert!(early.is_err());
    let (found, _) = login(&directories, "secret", NOW).await;
    assert_eq!(found, Ok(Some(person("a", "alice"))));
}

#[tokio::test]
async fn the_first_that_knows_decides_and_names_are_unique() {
    let (first, second) = (
        Fake::new("a", Some(("alice", "one"))),
        Fake::new("b", Some(("alice", "two"))),
    );
    let directories = Directories::new(vec![first.clone(), second.clone()]).unwrap();
    let found = directories.check("alice", b"one", NOW).await.unwrap();
    assert_eq!(found, Some(person("a", "alice")));
    assert_eq!(second.asked(), 0, "no password goes further than it must");
    let found = directories.check("alice", b"two", NOW).await.unwrap();
    assert_eq!(found, Some(person("b", "alice")), "another person");
    assert!(Directories::new(vec![first.clone(), first]).is_err());
}

#[tokio::test]
async fn an_answer_is_remembered_for_a_minute_whether_good_or_bad() {
    let directory = Fake::new("a", Some(("alice", "secret")));
    let directories = Directories::new(vec![directory.clone()]).unwrap();
    for _ in 0..10 {
        assert!(
            directories
                .check("alice", b"secret", NOW)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            directories
                .check("alice", b"wrong", NOW)
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(directory.asked(), 2);
    directories
        .check("alice", b"secret", NOW + REMEMBER)
        .await
        .unwrap();
    assert_eq!(directory.asked(), 3);
    directories.forget();
    directories
        .check("alice", b"secret", NOW + REMEMBER)
        .await
        .unwrap();
    assert_eq!(directory.asked(), 4);
}

#[tokio::test]
async fn passwords_that_a_directory_takes_for_none_are_never_sent() {
    let directory = Fake::new("a", Some(("alice", "")));
    let directories = Directories::new(vec![directory.clone()]).unwrap();
    let long = "x".repeat(1025);
    for password in [
        "", " ", "\t\n", "\u{a0}", "\0", "\0secret", "secret\0", &long,
    ] {
        let found = directories.check("alice", password.as_bytes(), NOW).await;
        assert_eq!(found, Ok(None), "{password:?}");
    }
    for user in ["", " ", "a\0b", "a\nb", &long] {
        assert_eq!(
            directories.check(user, b"secret", NOW).await,
            Ok(None),
            "{user:?}"
        );
    }
    assert_eq!(directory.asked(), 0);
}
