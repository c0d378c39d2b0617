//! A server that keeps accounts: who is in it, and what they send.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Scene;
use crate::job::{Headers, Target};
use crate::peer::{Peer, SERVICE};
use crate::seed::{APP, Content, Image, Set};
use crate::wire::{Connection, Request};

/// The only account, whose namespace the image is in.
const NAME: &str = "bench";
const PASSWORD: &str = "correct horse battery staple";

/// What was made at the first measurement, for all of the run: they share a store.
#[derive(Debug, Default)]
pub(super) struct House(Mutex<Option<String>>);

/// What a measurement may send.
#[derive(Debug)]
pub(super) struct Ways {
    /// The image, which everybody may pull.
    pub(super) pulls: Vec<Target>,
    /// Where tokens are.
    pub(super) token: Target,
    /// A personal token as a password: nothing is hashed.
    pub(super) by_secret: Headers,
    /// A password.
    pub(super) by_password: Headers,
    /// A token of now.
    pub(super) bearer: Headers,
}

impl House {
    /// Makes the account and the image where that was not done yet, and fetches a token.
    ///
    /// # Errors
    /// When something is refused.
    pub(super) fn ways(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Ways> {
        let content = Content::new(&[Set::Image]);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.is_none();
        let secret = match &*known {
            Some(secret) => secret.clone(),
            None => known.insert(set_up(scene, peer)?).clone(),
        };
        let by_secret = basic(&secret);
        let token = format!("/token?service={SERVICE}&scope=repository:{APP}:pull");
        if is_new {
            let push = format!("{token},push");
            content.store_as(peer, bearer(peer, &push, &by_secret)?)?;
        }
        Ok(Ways {
            pulls: content.of(APP).map(Image::by_tag).collect(),
            bearer: bearer(peer, &token, &by_secret)?,
            token: Target {
                path: token,
                length: None,
                digest: None,
            },
            by_secret,
            by_password: basic(PASSWORD),
        })
    }
}

/// Makes the account; gives a personal token of it.
fn set_up(scene: &Scene<'_>, peer: &Peer) -> Result<String> {
    let ask = |arguments: &[&str], input: &str| -> Result<Value> {
        let mut child = peer
            .command(scene.ground, arguments)?
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let done = child.wait_with_output()?;
        ensure!(done.status.success(), "{arguments:?}: {}", done.status);
        Ok(serde_json::from_slice(&done.stdout).unwrap_or_default())
    };
    ask(
        &["admin", "user", "create", NAME, "--admin"],
        &format!("{PASSWORD}\n"),
    )?;
    let public = ["admin", "namespace", "set", NAME, "--visibility", "public"];
    ask(&public, "")?;
    let made = ask(&["admin", "token", "create", NAME], "")?;
    let secret = made.get("secret").and_then(Value::as_str);
    Ok(secret.context("a token was not shown")?.to_owned())
}

fn basic(password: &str) -> Headers {
    let pair = STANDARD.encode(format!("{NAME}:{password}"));
    vec![("Authorization".to_owned(), format!("Basic {pair}"))]
}

fn bearer(peer: &Peer, path: &str, login: &Headers) -> Result<Headers> {
    let headers: Vec<(&str, &str)> = login
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let said = Connection::open(peer.address)?.send(&Request {
        method: "GET",
        path,
        headers: &headers,
        body: &[],
    })?;
    ensure!(
        said.status == 200,
        "GET {path}: {} {}",
        said.status,
        String::from_utf8_lossy(&said.body)
    );
    let said: Value = serde_json::from_slice(&said.body)?;
    let token = said.get("token").and_then(Value::as_str);
    let token = token.context("an answer without a token")?;
    Ok(vec![(
        "Authorization".to_owned(),
        format!("Bearer {token}"),
    )])
}
