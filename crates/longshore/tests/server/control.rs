//! The control socket: what a command asks of a running server.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Output;

use super::harness::{Start, binary};

fn ask(data: &Path, args: &[&str]) -> Output {
    let mut command = binary();
    command.args(args).arg("--data").arg(data);
    command.output().unwrap()
}

#[test]
fn a_command_asks_the_server_that_runs_over_the_directory_and_only_its_user_may() {
    let dir = tempfile::tempdir().unwrap();
    // Longer than the name of a socket may be.
    let data = dir.path().join("d".repeat(120));
    let server = Start::over(&data).run();
    let socket = data.join("control.sock");
    let metadata = std::fs::metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let out = ask(&data, &["admin", "status", "--json"]);
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{out:?}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["pid"], server.id());
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(server.stop(), Some(0));
    assert!(!socket.exists(), "the socket is left behind");
}

#[test]
fn without_a_server_a_command_says_so_and_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let out = ask(data.path(), &["admin", "status"]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success());
    assert!(said.starts_with("error: no server runs over"), "{said}");
    assert!(said.contains("longshore serve"), "{said}");
}

#[test]
fn a_socket_that_a_killed_server_left_is_replaced() {
    let data = tempfile::tempdir().unwrap();
    Start::over(data.path()).run().kill();
    assert!(data.path().join("control.sock").exists());
    let out = ask(data.path(), &["admin", "status"]);
    assert!(!out.status.success(), "nobody answers there");
    let server = Start::over(data.path()).run();
    let out = ask(data.path(), &["admin", "status"]);
    assert!(out.status.success(), "{out:?}");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(said.contains(&server.id().to_string()), "{said}");
}

#[test]
fn an_explanation_says_no_and_why_and_ends_with_three() {
    let data = tempfile::tempdir().unwrap();
    let _server = Start::over(data.path()).run();
    let explain = |user: &str, action: &str, more: &[&str]| {
        let args = [&["admin", "explain", user, action, "acme/app:1.0"], more].concat();
        ask(data.path(), &args)
    };
    let out = explain("anonymous", "pull", &[]);
    assert_eq!(out.status.code(), Some(3), "{out:?}");
    assert_eq!(
        String::from_utf8_lossy(&out.stdout),
        "no: nothing allows it; there is no such repository\n"
    );
    let out = explain("anonymous", "repository:push", &["--json"]);
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (&said["allowed"], &said["object"]),
        (&false.into(), &"acme/app:1.0".into())
    );
    for (user, action, words) in [
        ("bob", "pull", "no account `bob`"),
        ("anonymous", "fly", "no action `fly`"),
    ] {
        let out = explain(user, action, &[]);
        assert_eq!(out.status.code(), Some(1));
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_command_whose_reader_has_enough_ends_without_a_word() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = binary()
        .args(["config", "schema"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(141), "as after SIGPIPE");
}
