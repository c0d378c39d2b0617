//! The one way out: every request that this crate makes to somebody else.
//!
//! There are two kinds of places. One is named by the operator ([`Document`]): it may be inside. The other is named by
//! somebody else, an issuer or what its description leads to ([`Web`]): it may not, unless the operator listed it. For both:
//! no redirects, short time-outs, a cap on the answer, and `http` to this machine only. The connections, the limits and the
//! reading of answers are here, once. Mail has a way of its own ([`smtp`]), to a server that the operator named.

mod addresses;
mod document;
pub mod smtp;
pub(crate) mod tls;
mod web;

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, RequestBuilder};

pub(crate) use self::document::Document;
pub use self::web::Web;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);
/// The largest answer, in bytes. A key set has some hundred bytes a key.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Chooses the process-wide TLS implementation. The binary calls this before anything else makes a connection; where
/// one was chosen before, that one stays.
pub fn install_crypto_provider() {
    // An error says that there is one already.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// A client that goes nowhere but where it is sent, and does not wait long.
fn client() -> ClientBuilder {
    install_crypto_provider();
    reqwest::Client::builder()
        .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Sends a request and reads its answer, whatever its status.
///
/// # Errors
/// What went wrong, for the log. The URL is not in it: what is in its query may be secret.
async fn send(request: RequestBuilder) -> Result<Answer, String> {
    let request = request.header("accept", "application/json");
    let mut response = request
        .send()
        .await
        .map_err(|error| chain(&error.without_url()))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| chain(&error.without_url()))?
    {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(format!("the answer is larger than {MAX_BODY_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

/// An error with its causes: the outermost one says only that something failed.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
