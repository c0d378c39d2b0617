//! What an answer must be.

use longshore_core::error::SPEC_CODES;
use longshore_spec::digest::Digest;
use serde_json::Value;

use crate::wire::Answer;

/// Whether a point holds; if not, why.
pub(super) type Held<T = ()> = Result<T, String>;

/// Expectations, in the words of the points.
pub(super) trait Must {
    /// The status is this.
    fn must_be(&self, status: u16) -> Held;
    /// The status is one of these.
    fn must_be_one_of(&self, statuses: &[u16]) -> Held;
    /// The header is there, with this value.
    fn must_have(&self, name: &str, value: &str) -> Held;
    /// `Docker-Content-Digest` is there and says this, in the same algorithm.
    fn must_name(&self, digest: &Digest) -> Held;
    /// The body is this, and `Content-Length` says how long.
    fn must_hold(&self, bytes: &[u8]) -> Held;
    /// There is no body, and `Content-Length` says how long it would be.
    fn must_announce(&self, length: u64) -> Held;
    /// `Location`, as path and query.
    fn must_lead_on(&self) -> Held<String>;
    /// The body is JSON.
    fn must_be_json(&self) -> Held<Value>;
    /// If it is a 4xx with JSON, it is an error body of the specification.
    fn must_fail_by_the_book(&self) -> Held;
}

impl Must for Answer {
    fn must_be(&self, status: u16) -> Held {
        self.must_be_one_of(&[status])
    }

    fn must_be_one_of(&self, statuses: &[u16]) -> Held {
        if statuses.contains(&self.status) {
            return Ok(());
        }
        Err(format!(
            "the status must be {statuses:?}, not {}",
            self.status
        ))
    }

    fn must_have(&self, name: &str, value: &str) -> Held {
        match self.header(name) {
            Some(known) if known == value => Ok(()),
            Some(known) => Err(format!("{name} must be {value:?}, not {known:?}")),
            None => Err(format!("{name} is missing")),
        }
    }

    fn must_name(&self, digest: &Digest) -> Held {
        self.must_have("docker-content-digest", &digest.to_string())
    }

    fn must_hold(&self, bytes: &[u8]) -> Held {
        self.must_have("content-length", &bytes.len().to_string())?;
        if self.body == bytes {
            return Ok(());
        }
        Err(format!(
            "the body must be other {} bytes; it has {}",
            bytes.len(),
            self.body.len()
        ))
    }

    fn must_announce(&self, length: u64) -> Held {
        self.must_have("content-length", &length.to_string())?;
        if self.body.is_empty() {
            Ok(())
        } else {
            Err("there must be no body".to_owned())
        }
    }

    fn must_lead_on(&self) -> Held<String> {
        self.location()
            .map(str::to_owned)
            .ok_or_else(|| "Location is missing".to_owned())
    }

    fn must_be_json(&self) -> Held<Value> {
        serde_json::from_slice(&self.body).map_err(|error| format!("the body is no JSON: {error}"))
    }

    fn must_fail_by_the_book(&self) -> Held {
        let is_json = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"));
        if !(400..500).contains(&self.status) || !is_json || self.body.is_empty() {
            return Ok(());
        }
        let body = self.must_be_json()?;
        let errors = body
            .get("errors")
            .and_then(Value::as_array)
            .ok_or("an error body without `errors`")?;
        if errors.is_empty() {
            return Err("an error body without an error".to_owned());
        }
        for error in errors {
            let code = error
                .get("code")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !SPEC_CODES.contains(&code) {
                return Err(format!("{code:?} is no error code of the specification"));
            }
        }
        Ok(())
    }
}
