//! An issuer of tokens that describes itself over HTTP, as those of CI systems and clusters do (OpenID Connect Discovery).

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::issuer::Issuer;

/// An issuer on loopback. Its thread ends with the process.
#[derive(Debug)]
pub struct Provider {
    /// Its name, to the letter.
    pub url: String,
    issuer: Issuer,
    keys: Arc<Mutex<String>>,
    fetched: Arc<AtomicUsize>,
}

impl Default for Provider {
    fn default() -> Self {
        Self::start()
    }
}

impl Provider {
    /// Starts one with a new key.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Issuer::new();
        let keys = Arc::new(Mutex::new(issuer.jwks()));
        let fetched = Arc::new(AtomicUsize::new(0));
        let shown = (url.clone(), Arc::clone(&keys), Arc::clone(&fetched));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &shown);
            }
        });
        Self {
            url,
            issuer,
            keys,
            fetched,
        }
    }

    /// How often its keys were fetched.
    pub fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }

    /// Shows these keys from now on.
    pub fn show(&self, keys: &str) {
        keys.clone_into(&mut self.keys.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The claims of a token for `audience` about `subject`, good for five minutes from `now`, in seconds since 1970.
    pub fn claims(&self, audience: &str, subject: &str, now: u64) -> Value {
        json!({
            "iss": self.url, "aud": audience, "sub": subject,
            "iat": now, "nbf": now, "exp": now + 300,
        })
    }

    /// A token that says this.
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": "k1"});
        self.signed(&header, claims)
    }

    /// A token with this header.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        self.issuer.sign(header, claims)
    }
}

fn answer(
    mut stream: TcpStream,
    (url, keys, fetched): &(String, Arc<Mutex<String>>, Arc<AtomicUsize>),
) {
    // Somebody who says nothing must not keep the others waiting for ever.
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => request.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&request);
    let body = match head.split(' ').nth(1) {
        Some("/.well-known/openid-configuration") => {
            json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string()
        }
        Some("/keys") => {
            fetched.fetch_add(1, Ordering::Relaxed);
            keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
        _ => String::new(),
    };
    let status = if body.is_empty() {
        "404 Not Found"
    } else {
        "200 OK"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok();
    stream.write_all(body.as_bytes()).ok();
}
