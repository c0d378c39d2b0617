//! Attempts at moments of the tests' own choice.

use super::*;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn fail(throttle: &Throttle, account: &str, peer: IpAddr, now: SystemTime) -> Result<(), u64> {
    throttle
        .begin(account, peer, now)
        .map(|attempt| attempt.end(false, now))
        .map_err(|wait| wait.as_secs())
}

#[test]
fn after_ten_failures_the_wait_doubles_from_thirty_seconds_to_fifteen_minutes() {
    let throttle = Throttle::new(&Limits::default());
    for _ in 0..10 {
        assert_eq!(fail(&throttle, "alice", HOME, at(0)), Ok(()));
    }
    let mut now = 0;
    for wait in [30, 60, 120, 240, 480, 900, 900] {
        assert_eq!(fail(&throttle, "alice", HOME, at(now)), Err(wait));
        assert_eq!(fail(&throttle, "alice", HOME, at(now + wait - 1)), Err(1));
        now += wait;
        assert_eq!(
            fail(&throttle, "alice", HOME, at(now)),
            Ok(()),
            "one attempt after the wait"
        );
    }
}

#[test]
fn the_victim_still_logs_in_from_another_address_and_others_from_the_same_one() {
    let throttle = Throttle::new(&Limits::default());
    for _ in 0..10 {
        fail(&throttle, "alice", HOME, at(0)).unwrap();
    }
    assert!(fail(&throttle, "alice", HOME, at(1)).is_err());
    assert!(throttle.begin("alice", AWAY, at(1)).is_ok());
    assert!(throttle.begin("bob", HOME, at(1)).is_ok());
}

#[test]
fn spraying_over_accounts_stops_at_a_hundred_and_a_success_buys_no_more() {
    let throttle = Throttle::new(&Limits::default());
    for number in 0..100 {
        fail(&throttle, &format!("user{number}"), HOME, at(0)).unwrap();
        throttle
            .begin("mine", HOME, at(0))
            .map(|attempt| attempt.end(true, at(0)))
            .ok();
    }
    assert_eq!(fail(&throttle, "another", HOME, at(0)), Err(30));
    assert_eq!(fail(&throttle, "another", AWAY, at(0)), Ok(()));
}

#[test]
fn attempts_at_once_buy_no_more_than_attempts_in_turn() {
    let throttle = Throttle::new(&Limits::default());
    let open: Vec<_> = (0..10)
        .map(|_| throttle.begin("alice", HOME, at(0)).ok().unwrap())
        .collect();
    assert_eq!(fail(&throttle, "alice", HOME, at(0)), Err(1));
    drop(open);
    assert_eq!(
        fail(&throttle, "alice", HOME, at(0)),
        Ok(()),
        "those that broke off count for nothing"
    );
}

#[test]
fn one_address_never_fills_the_queue_for_hashes() {
    let throttle = Throttle::new(&Limits::default());
    let open: Vec<_> = (0..32)
        .map(|n| {
            throttle
                .begin(&format!("user{n}"), HOME, at(0))
                .ok()
                .unwrap()
        })
        .collect();
    assert_eq!(throttle.begin("alice", HOME, at(0)).err(), Some(SHORT_WAIT));
    assert!(throttle.begin("alice", AWAY, at(0)).is_ok());
    drop(open);
    assert!(throttle.begin("alice", HOME, at(0)).is_ok());
}

#[test]
fn failures_are_forgotten_after_a_quiet_quarter_of_an_hour_and_after_a_success() {
    let throttle = Throttle::new(&Limits::default());
    for _ in 0..9 {
        fail(&throttle, "alice", HOME, at(0)).unwrap();
    }
    throttle
        .begin("alice", HOME, at(0))
        .ok()
        .unwrap()
        .end(true, at(0));
    for _ in 0..10 {
        fail(&throttle, "alice", HOME, at(0)).unwrap();
    }
    assert_eq!(fail(&throttle, "alice", HOME, at(0)), Err(30));
    for _ in 0..10 {
        assert_eq!(fail(&throttle, "alice", HOME, at(30 + 15 * 60)), Ok(()));
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_lock_anybody_out() {
    let throttle = Throttle::new(&Limits::default());
    for _ in 0..10 {
        fail(&throttle, "alice", HOME, at(100_000)).unwrap();
    }
    assert_eq!(fail(&throttle, "alice", HOME, at(0)), Ok(()));
}

#[test]
fn a_network_of_ipv6_counts_as_one_and_a_mapped_address_as_ipv4() {
    let one: IpAddr = "2001:db8::1".parse().unwrap();
    let other: IpAddr = "2001:db8::ffff:2".parse().unwrap();
    assert_eq!(network(one), network(other));
    assert_ne!(network(one), network("2001:db8:0:1::1".parse().unwrap()));
    assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), HOME);
}

#[test]
fn the_table_stays_within_its_bound_whoever_comes() {
    let throttle = Throttle::new(&Limits::default());
    for number in 0..70_000 {
        let peer = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
        fail(&throttle, "alice", peer, at(0)).unwrap();
    }
    assert!(throttle.lock().len() <= MAX_KEYS);
}

#[test]
fn the_limits_are_those_that_were_given() {
    let limits = Limits {
        failed_logins: 2,
        failed_logins_per_ip: 3,
        failed_logins_time: Duration::from_secs(50),
        failed_login_wait: Duration::from_secs(7),
        failed_login_wait_max: Duration::from_secs(10),
        password_queue: 4,
        ..Limits::default()
    };
    let throttle = Throttle::new(&limits);
    for _ in 0..2 {
        fail(&throttle, "alice", HOME, at(0)).unwrap();
    }
    assert_eq!(
        fail(&throttle, "alice", HOME, at(0)),
        Err(7),
        "of one account"
    );
    fail(&throttle, "bob", HOME, at(0)).unwrap();
    assert_eq!(
        fail(&throttle, "carol", HOME, at(0)),
        Err(7),
        "of one address"
    );
    fail(&throttle, "alice", HOME, at(7)).unwrap();
    assert_eq!(
        fail(&throttle, "alice", HOME, at(7)),
        Err(10),
        "twice 7, but no more than 10"
    );
    for _ in 0..2 {
        assert_eq!(
            fail(&throttle, "alice", HOME, at(7 + 10 + 50)),
            Ok(()),
            "forgotten 50 seconds after the wait"
        );
    }
    let open: Vec<_> = ["dave", "erin"]
        .map(|account| throttle.begin(account, AWAY, at(0)).ok().unwrap())
        .into();
    assert!(
        throttle.begin("frank", AWAY, at(0)).is_err(),
        "half of a queue of four"
    );
    drop(open);
}

#[test]
fn a_wait_beyond_the_end_of_time_is_as_long_as_time_goes() {
    let throttle = Throttle::new(&Limits {
        failed_logins: 1,
        failed_login_wait: Duration::MAX,
        failed_login_wait_max: Duration::MAX,
        ..Limits::default()
    });
    fail(&throttle, "alice", HOME, at(0)).unwrap();
    assert!(fail(&throttle, "alice", HOME, at(1)).is_err());
}
