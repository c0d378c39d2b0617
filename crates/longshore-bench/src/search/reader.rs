//! Somebody with an account who may see a tenth of the namespaces, each by a right of its own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::job::Headers;
use crate::wire::{Connection, Request};

/// Of so many namespaces they see one.
const OF: usize = 10;
const BOSS: &str = "boss";
const READER: &str = "reader";

/// Makes an administrator, and somebody whom that one gives rights; gives what the latter logs in with, and how many namespaces they see.
/// `command` makes a command of the program.
///
/// # Errors
/// When something is refused.
pub(super) fn reader(at: SocketAddr, command: impl Fn() -> Command) -> Result<(Headers, usize)> {
    let ask = |arguments: &[&str]| -> Result<Value> {
        let mut child = command()
            .arg("admin")
            .args(arguments)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(b"correct horse battery staple\n")?;
        }
        let done = child.wait_with_output()?;
        ensure!(done.status.success(), "{arguments:?}: {}", done.status);
        Ok(serde_json::from_slice(&done.stdout).unwrap_or_default())
    };
    let login = |name: &str| -> Result<Headers> {
        let made = ask(&["token", "create", name])?;
        let secret = made.get("secret").and_then(Value::as_str);
        let pair = format!("{name}:{}", secret.context("a token was not shown")?);
        let basic = format!("Basic {}", STANDARD.encode(pair));
        Ok(vec![("Authorization".to_owned(), basic)])
    };
    ask(&["user", "create", BOSS, "--admin"])?;
    ask(&["user", "create", READER])?;
    let boss = login(BOSS)?;
    let mut connection = Connection::open(at)?;
    let mut send = |method: &str, path: &str, body: &Value| {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let headers = boss.iter().map(|(name, value)| (&**name, &**value));
        let json = ("Content-Type", "application/json");
        let headers: Vec<_> = headers.chain([json]).collect();
        let answer = connection.send(&Request {
            method,
            path,
            headers: &headers,
            body: body.as_bytes(),
        })?;
        ensure!(
            answer.status / 100 == 2,
            "{method} {path}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        anyhow::Ok(serde_json::from_slice::<Value>(&answer.body).unwrap_or_default())
    };
    let mut paths = Vec::new();
    let mut next = Some("/api/v1/namespaces?limit=1000".to_owned());
    while let Some(page) = next {
        let page = send("GET", &page, &Value::Null)?;
        let items = page.get("items").and_then(Value::as_array);
        let items = items.context("a page without items")?;
        paths.extend(items.iter().filter_map(|item| {
            let path = item.get("path").and_then(Value::as_str);
            path.map(str::to_owned)
        }));
        let cursor = page.get("next").and_then(Value::as_str);
        next = cursor.map(|cursor| format!("/api/v1/namespaces?limit=1000&cursor={cursor}"));
    }
    let give = json!({ "subject": format!("user:{READER}"), "role": "reader" });
    let mut seen = 0;
    for path in paths.iter().step_by(OF) {
        send(
            "POST",
            &format!("/api/v1/namespaces/{path}/-/bindings"),
            &give,
        )?;
        seen += 1;
    }
    Ok((login(READER)?, seen))
}
