//! That what is configured arrives where it counts.

use super::login::auth_limits;
use super::*;

fn load(text: &str) -> Config {
    Config::load(Some(("longshore.toml", text)), [], &[]).unwrap()
}

fn same(one: impl std::fmt::Debug, other: impl std::fmt::Debug) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn the_published_limits_are_the_defaults_of_every_part() {
    let config = load("");
    assert_eq!(
        auth_limits(&config.limits),
        longshore_auth::Limits::default()
    );
    assert_eq!(
        manifest_limits(&config),
        manifest::Limits {
            unknown_types: config.manifests.unknown_types,
            ..manifest::Limits::default()
        }
    );
    let (edge, default) = (edge_options(&config).unwrap(), EdgeOptions::default());
    assert_eq!(edge.pages, default.pages);
    assert_eq!(
        (
            edge.manifest_limit,
            edge.tags_per_push,
            edge.requests_per_user
        ),
        (
            default.manifest_limit,
            default.tags_per_push,
            default.requests_per_user
        )
    );
    let (server, default) = (server_options(&config).unwrap(), server::Options::default());
    same(server.limits, default.limits);
    same(server.timeouts, default.timeouts);
    same(server.h2, default.h2);
}

#[test]
fn each_limit_of_logins_and_users_arrives_as_itself() {
    let config = load(
        r#"[limits]
        token = "1 B"
        token_access = 2
        password = "3 B"
        password_checks = 4
        password_queue = 5
        failed_logins = 6
        failed_logins_per_ip = 7
        failed_logins_time = "8s"
        failed_login_wait = "9s"
        failed_login_wait_max = "10s"
        tags_per_push = 11
        requests_per_user = 12
        connections = 13
        connections_per_ip = 14
        "#,
    );
    assert_eq!(
        auth_limits(&config.limits),
        longshore_auth::Limits {
            token_bytes: 1,
            token_access: 2,
            password_bytes: 3,
            password_checks: 4,
            password_queue: 5,
            failed_logins: 6,
            failed_logins_per_ip: 7,
            failed_logins_time: Duration::from_secs(8),
            failed_login_wait: Duration::from_secs(9),
            failed_login_wait_max: Duration::from_secs(10),
            ..longshore_auth::Limits::default()
        }
    );
    let edge = edge_options(&config).unwrap();
    assert_eq!((edge.tags_per_push, edge.requests_per_user), (11, Some(12)));
    let server = server_options(&config).unwrap().limits;
    assert_eq!(
        (server.connections, server.connections_per_ip),
        (13, Some(14))
    );
}

#[test]
fn nothing_means_no_limit_where_it_is_said_to() {
    let config = load("[limits]\nconnections_per_ip = 0\nrequests_per_user = 0\n");
    let server = server_options(&config).unwrap().limits;
    assert_eq!(server.connections_per_ip, None);
    assert_eq!(edge_options(&config).unwrap().requests_per_user, None);
}
