//! `longshore login`: a command line, a browser somewhere, and what docker reads afterwards.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};

use longshore_testkit::wire::{Answer, Ask, Login, Wire};
use serde_json::Value;

use super::harness::{Server, binary, file};
use super::index::{PASSWORD, basic, done, index, json, status};

/// A browser: what it keeps.
#[derive(Default)]
pub(crate) struct Browser(Vec<(String, String)>);

impl Browser {
    async fn go(&mut self, server: &Server, ask: Ask) -> Answer {
        let jar: Vec<String> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut client = Wire::new(server.address, Login::Nobody);
        let answer = client.ask(&ask.header("cookie", jar.join("; "))).await;
        let answer = answer.unwrap();
        for set in answer.all("set-cookie") {
            let (name, text) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            if !text.is_empty() {
                self.0.push((name.to_owned(), text.to_owned()));
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, server: &Server, target: &str) -> Answer {
        self.go(server, Ask::new("GET", target)).await
    }

    pub(crate) async fn post(&mut self, server: &Server, target: &str, form: String) -> Answer {
        let ask = Ask::new("POST", target)
            .header("content-type", "application/x-www-form-urlencoded")
            .sized(form.into_bytes());
        self.go(server, ask).await
    }

    /// Logs in at the page.
    pub(crate) async fn log_in(server: &Server, user: &str) -> Self {
        let mut browser = Browser::default();
        let page = browser.get(server, "/auth/login").await;
        let form = format!(
            "mark={}&username={user}&password={}",
            mark(&page),
            PASSWORD.replace(' ', "+")
        );
        let answer = browser.post(server, "/auth/login", form).await;
        assert_eq!(answer.status, 303);
        browser
    }

    /// Says yes or no to a code.
    pub(crate) async fn decide(&mut self, server: &Server, code: &str, word: &str) {
        let page = self.get(server, &format!("/device?user_code={code}")).await;
        let form = format!("mark={}&user_code={code}&decision={word}", mark(&page));
        let answer = self.post(server, "/device", form).await;
        assert_eq!(answer.status, 200);
    }
}

fn mark(page: &Answer) -> String {
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let (_, rest) = page.split_once("name=\"mark\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// A command line that waits, and the code it shows.
fn begin(server: &Server, folder: &Path, more: &[&str]) -> (Child, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut child = binary()
        .args(["login", &server.address.to_string(), "--json"])
        .args(more)
        .env("DOCKER_CONFIG", folder)
        .env("PATH", format!("{}:{path}", folder.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let code = line.split_once("user_code=")?.1;
        Some(code.to_owned())
    });
    // It goes on to write there.
    std::thread::spawn(move || lines.count());
    (child, found.expect("the command line shows a code"))
}

fn end(mut child: Child) -> (bool, Value) {
    let mut said = String::new();
    let mut out = child.stdout.take().unwrap();
    out.read_to_string(&mut said).unwrap();
    let good = child.wait().unwrap().success();
    (good, serde_json::from_str(&said).unwrap_or_default())
}

fn entry(folder: &Path, server: &Server) -> Value {
    let text = std::fs::read(folder.join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&text).unwrap();
    config["auths"][server.address.to_string()].clone()
}

#[tokio::test]
async fn a_command_line_is_logged_in_by_a_browser_and_docker_reads_what_it_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = index(&data);
    done(&data, &["user", "create", "ann"], PASSWORD);
    let folder = dir.path().join("docker");
    let more = [
        "--scope",
        "pull repository:ann/**",
        "--client-name",
        "a test",
    ];
    let (child, code) = begin(&server, &folder, &more);
    let mut ann = Browser::log_in(&server, "ann").await;
    ann.decide(&server, &code, "approve").await;
    let (good, said) = end(child);
    assert!(good, "{said}");
    assert_eq!(said["user"], "ann");
    assert_eq!(said["scope"], "pull repository:ann/**");
    let path = folder.join("config.json");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let auth = entry(&folder, &server)["auth"].as_str().unwrap().to_owned();
    let ping = status(&server, Ask::new("GET", "/v2/"), &format!("Basic {auth}")).await;
    assert_eq!(ping, 200);
    let push = Ask::new("POST", "/v2/ann/app/blobs/uploads/");
    assert_eq!(
        status(&server, push, &format!("Basic {auth}")).await,
        403,
        "it was asked for pulls alone"
    );
    let list = json(&data, &["token", "list", "ann"], "");
    assert_eq!(list[0]["label"], "a test at 127.0.0.1");
    let log = done(&data, &["audit", "list"], "");
    assert!(log.contains("session") && log.contains("ann"), "{log}");
    assert!(!server.log().contains("lsp_") && !server.log().contains(&code));
}

#[tokio::test]
async fn a_credential_helper_gets_the_login_and_the_file_only_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = index(&data);
    done(&data, &["user", "create", "ann"], PASSWORD);
    let folder = dir.path();
    let kept = folder.join("kept");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = store ] && cat > {}\n",
        kept.display()
    );
    let helper = file(folder, "docker-credential-probe", &script);
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    file(folder, "config.json", r#"{"credsStore":"probe","other":1}"#);
    let (child, code) = begin(&server, folder, &[]);
    Browser::log_in(&server, "ann")
        .await
        .decide(&server, &code, "approve")
        .await;
    assert!(end(child).0);
    assert_eq!(entry(folder, &server), serde_json::json!({}));
    let kept: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!(kept["ServerURL"], server.address.to_string());
    let (user, secret) = (
        kept["Username"].as_str().unwrap(),
        kept["Secret"].as_str().unwrap(),
    );
    let ping = status(&server, Ask::new("GET", "/v2/"), &basic(user, secret)).await;
    assert_eq!((user, ping), ("ann", 200));
}

#[tokio::test]
async fn a_denied_login_keeps_nothing_and_a_registry_without_such_logins_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = index(&data);
    done(&data, &["user", "create", "ann"], PASSWORD);
    let folder = dir.path().join("docker");
    let (child, code) = begin(&server, &folder, &[]);
    Browser::log_in(&server, "ann")
        .await
        .decide(&server, &code, "deny")
        .await;
    assert!(!end(child).0);
    assert!(!folder.join("config.json").exists());
    let open = super::harness::Start::over(&dir.path().join("open")).run();
    let out = binary()
        .args(["login", &open.address.to_string()])
        .env("DOCKER_CONFIG", &folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        !out.status.success() && said.contains("docker login"),
        "{said}"
    );
}

/// `longshore logout`, and what it prints.
fn log_out(address: &str, folder: &Path, more: &[&str]) -> (Option<i32>, Value, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let out = binary()
        .args(["logout", address, "--json"])
        .args(more)
        .env("DOCKER_CONFIG", folder)
        .env("PATH", format!("{}:{path}", folder.display()))
        .output()
        .unwrap();
    let said = serde_json::from_slice(&out.stdout).unwrap_or_default();
    let error = String::from_utf8_lossy(&out.stderr).into_owned();
    (out.status.code(), said, error)
}

async fn pings(server: &Server, auth: &str) -> u16 {
    status(server, Ask::new("GET", "/v2/"), auth).await
}

#[tokio::test]
async fn a_logout_forgets_the_login_and_its_token_is_good_for_nothing_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = index(&data);
    let address = server.address.to_string();
    done(&data, &["user", "create", "ann"], PASSWORD);
    let folder = dir.path().join("docker");
    let (child, code) = begin(&server, &folder, &[]);
    let mut ann = Browser::log_in(&server, "ann").await;
    ann.decide(&server, &code, "approve").await;
    assert!(end(child).0);
    let auth = entry(&folder, &server)["auth"].as_str().unwrap().to_owned();
    let auth = format!("Basic {auth}");
    assert_eq!(pings(&server, &auth).await, 200);
    let (code, said, error) = log_out(&address, &folder, &[]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert_eq!(
        (&said["user"], &said["token"]),
        (&"ann".into(), &"revoked".into())
    );
    assert_eq!(pings(&server, &auth).await, 401);
    assert!(entry(&folder, &server).is_null());
    assert_eq!(
        json(&data, &["token", "list", "ann"], ""),
        serde_json::json!([])
    );
    let log = done(&data, &["audit", "list"], "");
    assert!(log.contains("account:own"), "{log}");
    assert!(!server.log().contains("lsp_"));
    let (code, said, _) = log_out(&address, &folder, &[]);
    assert_eq!((code, &said["logged_in"]), (Some(0), &false.into()));
}

#[tokio::test]
async fn what_others_use_is_only_forgotten_and_a_registry_that_is_away_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = index(&data);
    let address = server.address.to_string();
    done(&data, &["user", "create", "ann"], PASSWORD);
    let secret = |args: &[&str]| {
        let made = json(&data, args, "");
        let secret = made.get("secret").or_else(|| made.get("token")).unwrap();
        secret.as_str().unwrap().to_owned()
    };
    let robot = secret(&["robot", "create", "robot+ci"]);
    let token = secret(&["token", "create", "ann"]);
    let folder = dir.path();
    let kept = folder.join("kept");
    let script = format!(
        "#!/bin/sh\ncase $1 in\nget) cat {0} 2>/dev/null || {{ echo credentials not found; exit 1; }} ;;\nerase) cat >/dev/null; rm {0} ;;\nesac\n",
        kept.display()
    );
    let helper = file(folder, "docker-credential-probe", &script);
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    file(folder, "config.json", r#"{"credsStore":"probe","other":1}"#);
    let keep = |user: &str, secret: &str| {
        let text = serde_json::json!({ "Username": user, "Secret": secret });
        std::fs::write(&kept, text.to_string()).unwrap();
    };
    for (user, secret, more, word) in [
        ("robot+ci", robot.as_str(), &[][..], "none"),
        ("ann", PASSWORD, &[], "none"),
        ("ann", &token, &["--keep-token"], "kept"),
    ] {
        keep(user, secret);
        let (code, said, error) = log_out(&address, folder, more);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{user}");
        assert_eq!(
            (&said["user"], &said["token"]),
            (&user.into(), &word.into())
        );
        assert!(!kept.exists(), "{user}");
        assert_eq!(pings(&server, &basic(user, secret)).await, 200, "{user}");
    }
    // What docker keeps of a login by password: a refresh token without a name.
    let ask = Ask::new("GET", "/token?offline_token=true&client_id=docker");
    let ask = ask.header("authorization", basic("ann", PASSWORD));
    let answer = super::harness::expect(&mut server.client(), ask, 200).await;
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let refresh = answer["refresh_token"].as_str().unwrap();
    keep("<token>", refresh);
    let (code, said, _) = log_out(&address, folder, &[]);
    assert_eq!(
        (code, &said["token"], &said["user"]),
        (Some(0), &"revoked".into(), &Value::Null)
    );
    let form = format!("grant_type=refresh_token&client_id=docker&refresh_token={refresh}");
    let ask = Ask::new("POST", "/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .sized(form);
    assert_eq!(status(&server, ask, "").await, 400);
    assert_eq!(pings(&server, &basic("ann", PASSWORD)).await, 200);
    // Nobody answers: it is forgotten here all the same.
    keep("ann", &token);
    server.kill();
    let (code, said, error) = log_out(&address, folder, &[]);
    assert_eq!((code, &said["token"]), (Some(3), &"goes-on".into()));
    assert!(error.contains("goes on until it ends"), "{error}");
    assert!(!kept.exists() && !error.contains("lsp_"));
}
