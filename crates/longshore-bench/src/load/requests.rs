//! Requests made before they are sent, and what their answers must be.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use aws_lc_rs::digest::Digest;

use super::answer::Answer;
use crate::job::{Method, Read, Target};

/// What a client of images accepts. Without it, older registries do not give OCI manifests.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// Bodies above this are hashed in the warm-up only, so that hashing is never what is measured.
const BIG: u64 = 1 << 20;
/// Of the other answers, one in so many on each connection is hashed.
const SAMPLE: u64 = 1_000;

/// A source of places to read that is the same in every run.
#[derive(Debug, Clone)]
pub(super) struct Places(u64);

impl Places {
    /// Each `seed` has a sequence of its own.
    pub(super) fn new(seed: u64) -> Self {
        Self(
            seed.wrapping_mul(2)
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15),
        )
    }

    /// A number below `end`, or 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The high bits of xorshift are its better ones.
        (self.0 >> 11).checked_rem(end).unwrap_or_default()
    }
}

/// One request that is sent again and again.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// All of it, or all but the range and the empty line.
    message: Vec<u8>,
    /// The same for a protocol with another way of writing it.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    /// Stretches of so many bytes, and how many of them the target has.
    range: Option<(u64, u64)>,
    pub(super) bodyless: bool,
    status: u16,
    length: Option<u64>,
    /// The digest that the whole body must have.
    digest: Option<Vec<u8>>,
}

impl Prepared {
    /// # Errors
    /// When the target's digest is none, or a range of a target of unknown length is asked for.
    pub(super) fn new(
        target: &Target,
        read: &Read,
        host: SocketAddr,
        headers: &[(String, String)],
    ) -> Result<Self> {
        let digest = target.digest.as_deref();
        let hash = digest
            .map(|digest| -> Result<Vec<u8>> {
                let digits = digest.strip_prefix("sha256:").unwrap_or_default();
                let hash = from_hex(digits);
                ensure!(hash.len() == 32, "not a SHA-256 digest: {digest}");
                Ok(hash)
            })
            .transpose()?;
        let range = match (read.range, target.length) {
            (None, _) => None,
            (Some(size), Some(length)) if size > 0 && length >= size => Some((size, length / size)),
            _ => anyhow::bail!("{} is too short to read ranges of it", target.path),
        };
        let method = match read.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
        };
        let mut message = format!("{method} {} HTTP/1.1\r\nHost: {host}\r\n", target.path);
        let mut line = |name: &str, value: &str| {
            message.push_str(name);
            message.push_str(": ");
            message.push_str(value);
            message.push_str("\r\n");
        };
        let headers = all_headers(target, read, headers);
        for (name, value) in &headers {
            line(name, value);
        }
        if range.is_none() {
            message.push_str("\r\n");
        }
        let (status, length) = match (read.conditional, range) {
            (true, _) => (304, None),
            (false, Some((size, _))) => (206, Some(size)),
            (false, None) => (200, target.length),
        };
        let bodyless = read.method == Method::Head;
        let whole = !bodyless && !read.conditional && range.is_none();
        Ok(Self {
            message: message.into_bytes(),
            path: target.path.clone(),
            headers,
            range,
            bodyless,
            status,
            length,
            digest: hash.filter(|_| whole),
        })
    }

    /// Writes the request into `out`, which is emptied first.
    pub(super) fn write(&self, places: &mut Places, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.message);
        if let Some((first, last)) = self.stretch(places) {
            // Writing to memory does not fail.
            let _ = write!(out, "Range: bytes={first}-{last}\r\n\r\n");
        }
    }

    /// The first and the last byte of the stretch to ask for next, where stretches are asked for.
    pub(super) fn stretch(&self, places: &mut Places) -> Option<(u64, u64)> {
        self.range.map(|(size, count)| {
            let first = places.below(count) * size;
            (first, first + size - 1)
        })
    }

    /// Whether the `nth` answer on a connection is to be hashed.
    pub(super) fn sampled(&self, nth: u64, warming_up: bool) -> bool {
        self.digest.is_some()
            && match self.length {
                Some(length) if length > BIG => warming_up && nth == 0,
                _ => nth.is_multiple_of(SAMPLE),
            }
    }

    /// Whether the complete answer is the right one; says if its digest was looked at.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn check(&self, answer: &mut Answer) -> Result<bool> {
        let length = if self.bodyless {
            answer.length
        } else {
            Some(answer.body)
        };
        self.judge(answer.status, length, answer.digest())
    }

    /// The same of what was heard in another protocol.
    ///
    /// # Errors
    /// When it is not the right answer.
    pub(super) fn judge(
        &self,
        status: u16,
        told: Option<u64>,
        digest: Option<Digest>,
    ) -> Result<bool> {
        ensure!(
            status == self.status,
            "{}: status {status} where {} is right",
            self.what(),
            self.status
        );
        if let Some(length) = self.length {
            ensure!(
                told == Some(length),
                "{}: {told:?} bytes where {length} are right",
                self.what()
            );
        }
        let Some(digest) = digest else {
            return Ok(false);
        };
        ensure!(
            Some(digest.as_ref()) == self.digest.as_deref(),
            "{}: the body has another digest",
            self.what()
        );
        Ok(true)
    }

    /// The request's first line, for an error.
    fn what(&self) -> String {
        let line = self.message.split(|&byte| byte == b'\r').next();
        String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
    }
}

/// The headers of a request for `target`, but for `Host` and `Range`.
fn all_headers(
    target: &Target,
    read: &Read,
    headers: &[(String, String)],
) -> Vec<(String, String)> {
    let mut all = headers.to_vec();
    let accepting = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("accept"));
    if !accepting && target.path.contains("/manifests/") {
        all.push(("Accept".to_owned(), ACCEPT.to_owned()));
    }
    if let (true, Some(digest)) = (read.conditional, &target.digest) {
        all.push(("If-None-Match".to_owned(), format!("\"{digest}\"")));
    }
    all
}

fn from_hex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map_while(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(range: Option<u64>) -> Read {
        Read {
            method: Method::Get,
            targets: Vec::new(),
            range,
            conditional: false,
            copy: false,
        }
    }

    fn prepared(length: u64, range: Option<u64>) -> Prepared {
        let target = Target {
            path: "/v2/a/manifests/b".to_owned(),
            length: Some(length),
            digest: Some(format!("sha256:{}", "ab".repeat(32))),
        };
        let host = "127.0.0.1:80".parse().unwrap();
        Prepared::new(&target, &read(range), host, &[]).unwrap()
    }

    #[test]
    fn ranges_are_aligned_whole_and_spread_over_the_target() {
        let (one, mut places, mut out) = (prepared(1_000, Some(64)), Places::new(3), Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            one.write(&mut places, &mut out);
            let text = str::from_utf8(&out).unwrap();
            assert!(text.ends_with("\r\n\r\n"));
            let (_, range) = text.split_once("Range: bytes=").unwrap();
            let (first, last) = range.trim().split_once('-').unwrap();
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            assert!(first % 64 == 0 && last == first + 63 && last < 1_000);
            seen.insert(first);
        }
        assert_eq!(seen.len(), 15);
    }

    #[test]
    fn big_bodies_are_hashed_in_the_warm_up_only_and_small_ones_now_and_then() {
        let (big, small) = (prepared(BIG + 1, None), prepared(BIG, None));
        assert!(big.sampled(0, true) && !big.sampled(0, false) && !big.sampled(1_000, true));
        assert!(small.sampled(0, false) && small.sampled(1_000, false) && !small.sampled(1, true));
        assert!(
            !prepared(1_000, Some(64)).sampled(0, true),
            "a piece has no known digest"
        );
    }

    #[test]
    fn an_answer_must_have_the_status_the_length_and_the_digest() {
        let one = prepared(5, None);
        for (text, hashed, right) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                false,
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                true,
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell",
                false,
                false,
            ),
            (
                "HTTP/1.1 404 OK\r\nContent-Length: 5\r\n\r\nhello",
                false,
                false,
            ),
        ] {
            let mut answer = Answer::new();
            answer.expect(false, hashed);
            answer.feed(text.as_bytes()).unwrap();
            assert_eq!(one.check(&mut answer).is_ok(), right, "{text}");
        }
    }
}
