//! Request ids: what joins a client's complaint, a proxy's log and ours.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

/// Makes ids. The upper half says which run of the server it was, the lower half counts its requests: unique without
/// asking for randomness each time, and readable. Nothing may rest on their being hard to guess.
#[derive(Debug)]
pub(super) struct RequestIds {
    run: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        // The standard library's keys are random for each process, which is all that is asked of a run.
        Self {
            run: RandomState::new().build_hasher().finish(),
            count: AtomicU64::new(1),
        }
    }

    /// The id that a trusted proxy gave, if it is 128 bits in hex with or without a UUID's hyphens; else a new one.
    pub(super) fn id(&self, given: Option<&str>) -> u128 {
        given.and_then(parse).unwrap_or_else(|| {
            u128::from(self.run) << 64 | u128::from(self.count.fetch_add(1, Ordering::Relaxed))
        })
    }
}

fn parse(text: &str) -> Option<u128> {
    let mut digits = 0;
    let mut id = 0;
    for byte in text.bytes().filter(|byte| *byte != b'-') {
        id = id << 4 | u128::from(char::from(byte).to_digit(16)?);
        digits += 1;
        if digits > 32 {
            return None;
        }
    }
    (digits == 32).then_some(id)
}

/// The id's one text form: 32 hex digits.
pub(super) fn print(id: u128) -> String {
    format!("{id:032x}")
}

/// The same as a header; of every response, so by way of the stack.
pub(super) fn value(id: u128) -> HeaderValue {
    let mut digits = [0; 32];
    // Two digits for each byte: it cannot fail.
    let _ = hex::encode_to_slice(id.to_be_bytes(), &mut digits);
    HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_those_of_a_proxy_are_kept() {
        let ids = RequestIds::new();
        assert_ne!(ids.id(None), ids.id(None));
        let given = "0123456789abcdef0123456789abcdef";
        assert_eq!(print(ids.id(Some(given))), given);
        assert_eq!(value(ids.id(Some(given))), given);
        assert_eq!(
            print(ids.id(Some("01234567-89AB-cdef-0123-456789abcdef"))),
            given
        );
        for not in [
            "",
            "x",
            &given[1..],
            &format!("{given}0"),
            "0123456789abcdef0123456789abcde\u{e9}",
        ] {
            assert_ne!(print(ids.id(Some(not))), *not, "{not}");
        }
    }
}
