//! Credential helpers: programs that keep logins for docker, called `docker-credential-NAME`.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// The helper that a configuration names for a registry.
pub(super) fn helper(config: &Map<String, Value>, host: &str) -> anyhow::Result<Option<String>> {
    let own = config.get("credHelpers").and_then(|all| all.get(host));
    let name = own.or_else(|| config.get("credsStore"));
    let Some(name) = name.and_then(Value::as_str).filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.bytes().all(is_name) {
        bail!("`{name}` is no name of a credential helper");
    }
    Ok(Some(name.to_owned()))
}

/// Gives a secret to `docker-credential-NAME` (docker-credential-helpers, "Development").
pub(super) fn store(name: &str, host: &str, user: &str, secret: &str) -> anyhow::Result<()> {
    let said = json!({ "ServerURL": host, "Username": user, "Secret": secret }).to_string();
    let done = call(name, "store", &said)?;
    if !done.status.success() {
        bail!("{} did not take the login: {}", shown(name), why(&done));
    }
    Ok(())
}

/// The name and the secret that a helper keeps for a registry, if it does.
pub(super) fn fetch(name: &str, host: &str) -> anyhow::Result<Option<(String, Zeroizing<String>)>> {
    let done = call(name, "get", host)?;
    // One that has none says so in words of its own, and by how it ends.
    if !done.status.success() {
        return Ok(None);
    }
    let said = Zeroizing::new(done.stdout);
    let read: Option<Value> = serde_json::from_slice(&said).ok();
    let text = |name: &str| {
        let found = read.as_ref().and_then(|it| it.get(name));
        found.and_then(Value::as_str).map(str::to_owned)
    };
    match (text("Username"), text("Secret")) {
        (Some(user), Some(secret)) => Ok(Some((user, Zeroizing::new(secret)))),
        _ => bail!("the answer of {} cannot be understood", shown(name)),
    }
}

/// Lets a helper forget what it keeps for a registry.
pub(super) fn erase(name: &str, host: &str) -> anyhow::Result<()> {
    let done = call(name, "erase", host)?;
    if !done.status.success() {
        bail!("{} did not forget the login: {}", shown(name), why(&done));
    }
    Ok(())
}

fn shown(name: &str) -> String {
    format!("`docker-credential-{name}`")
}

fn why(done: &Output) -> String {
    let said = String::from_utf8_lossy(&done.stdout);
    said.trim().escape_debug().to_string()
}

fn call(name: &str, verb: &str, said: &str) -> anyhow::Result<Output> {
    let mut child = Command::new(format!("docker-credential-{name}"))
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| {
            format!(
                "{}, which docker's configuration names, cannot be run",
                shown(name)
            )
        })?;
    if let Some(mut to) = child.stdin.take() {
        // One that ends without reading says why by how it ends.
        match to.write_all(said.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(error.into());
            }
            _ => {}
        }
    }
    Ok(child.wait_with_output()?)
}
