//! A second factor for local accounts: codes that change every 30 seconds (RFC 6238), and recovery codes for the day the
//! telephone is gone.
//!
//! A code is good for its step and one on either side, once: whoever keeps the secret also keeps the last step that was
//! accepted, and only a later one is accepted after it. That comparison must be made again in the statement that stores the
//! step, so that of two logins with one code one fails.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use totp_rs::{Algorithm, Builder};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// How long a code is shown, in seconds.
const STEP_SECS: u64 = 30;
/// How many steps the clock of a telephone may be off.
const SKEW: u64 = 1;
/// The letters of base 32 (RFC 4648).
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How many recovery codes are made.
const RECOVERY_CODES: usize = 10;
/// How many random bytes are in each: 80 bits, in two times eight letters.
const RECOVERY_BYTES: usize = 10;

/// The system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// The secret that account and telephone share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<[u8; 20]>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

impl TotpSecret {
    /// A new secret.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn make() -> Result<Self, NoRandom> {
        let mut bytes = Zeroizing::new([0; 20]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| NoRandom)?;
        Ok(TotpSecret(bytes))
    }

    /// The secret of which `bytes` were kept; none where it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Zeroizing::new).map(TotpSecret)
    }

    /// What is to be kept, sealed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// As people type it into a telephone: base 32, 32 letters.
    pub fn to_base32(&self) -> Zeroizing<String> {
        base32(self.0.as_ref())
    }

    /// What the square that telephones photograph says (`otpauth:`). `issuer` is this registry, `account` the user's name.
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        // A space as `+` is a plus sign to some telephones.
        let text = |text: &str| {
            byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        let (issuer, account) = (text(issuer), text(account));
        let secret = self.to_base32();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECS}",
            secret.as_str()
        ))
    }

    /// The step for which `code` is good at `now`, if it is later than `last`, the one accepted before.
    ///
    /// All steps are compared, so that the time it takes says nothing of which one it was.
    pub fn check(&self, code: &str, last: Option<u64>, now: SystemTime) -> Option<u64> {
        let code = digits(code)?;
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(0)
            .with_step_duration(STEP_SECS)
            .with_secret(*self.0)
            .build()
            .ok()?;
        steps(now)?
            .filter(|step| totp.check(&code, step * STEP_SECS).is_some())
            .fold(None, |found, step| {
                if last.is_some_and(|last| step <= last) {
                    found
                } else {
                    found.or(Some(step))
                }
            })
    }
}

/// The steps whose codes are good at `now`.
fn steps(now: SystemTime) -> Option<RangeInclusive<u64>> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs() / STEP_SECS;
    Some(now.saturating_sub(SKEW)..=now.saturating_add(SKEW))
}

/// Six digits, perhaps in two groups as telephones show them.
fn digits(code: &str) -> Option<String> {
    if code.len() > 16 {
        return None;
    }
    let code: String = code.chars().filter(|c| *c != ' ').collect();
    (code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

/// Codes that are each good for one login without the telephone. They are shown once; hashes are kept.
#[derive(Clone)]
pub struct RecoveryCodes(Vec<Zeroizing<String>>);

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCodes(..)")
    }
}

impl RecoveryCodes {
    /// A new set, which takes the place of any before it.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn make() -> Result<Self, NoRandom> {
        let random = SystemRandom::new();
        let codes = (0..RECOVERY_CODES).map(|_| {
            let mut bytes = Zeroizing::new([0; RECOVERY_BYTES]);
            random.fill(bytes.as_mut()).map_err(|_| NoRandom)?;
            let letters = base32(bytes.as_ref());
            let (first, second) = letters.split_at(letters.len() / 2);
            Ok(Zeroizing::new(format!("{first}-{second}")))
        });
        codes.collect::<Result<_, _>>().map(RecoveryCodes)
    }

    /// The codes, to be shown.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|code| code.as_str())
    }

    /// What is to be kept of them. `key` is not in the database, so the database alone gives nothing to try codes against.
    pub fn hashes(&self, key: &hmac::Key) -> Vec<[u8; 32]> {
        self.shown()
            .filter_map(|code| recovery_hash(key, code))
            .collect()
    }
}

/// What is kept of the recovery code that somebody typed, in whatever case and grouping; none where it cannot be one.
pub fn recovery_hash(key: &hmac::Key, typed: &str) -> Option<[u8; 32]> {
    if typed.len() > 64 {
        return None;
    }
    let letters: Zeroizing<String> = Zeroizing::new(
        typed
            .chars()
            .filter(|c| !matches!(c, ' ' | '-'))
            .map(|c| c.to_ascii_uppercase())
            .collect(),
    );
    let is_code = letters.len() == RECOVERY_BYTES * 8 / 5
        && letters.bytes().all(|letter| LETTERS.contains(&letter));
    is_code.then(|| {
        let mut context = hmac::Context::with_key(key);
        context.update(b"recovery code ");
        context.update(letters.as_bytes());
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        hash
    })
}

/// `bytes` in base 32, without padding; their number is a multiple of five.
fn base32(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 8 / 5));
    for group in bytes.chunks(5) {
        let bits = group
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for letter in (0..8).rev() {
            let index = usize::try_from(bits >> (5 * letter) & 31).unwrap_or(0);
            text.push(LETTERS.get(index).copied().map_or('A', char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The secret of RFC 6238, appendix B.
    fn example() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_examples_of_the_standard_are_good_at_their_times() {
        // The last six of the eight digits of RFC 6238, appendix B.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = seconds / 30;
            assert_eq!(example().check(code, None, at(seconds)), Some(step));
            assert_eq!(
                example().check(code, None, at(seconds + 30)),
                Some(step),
                "a telephone that is late"
            );
            assert_eq!(example().check(code, None, at(seconds + 60)), None);
            if seconds > 60 {
                assert_eq!(example().check(code, None, at(seconds - 30)), Some(step));
                assert_eq!(example().check(code, None, at(seconds - 60)), None);
            }
        }
    }

    #[test]
    fn a_code_is_accepted_once_and_never_one_before_it() {
        let now = at(1_111_111_109);
        let step = example().check("081804", None, now).unwrap();
        assert_eq!(example().check("081804", Some(step), now), None);
        assert_eq!(
            example().check("081804", Some(step + 1), now),
            None,
            "one that was seen over somebody's shoulder and not used"
        );
        assert_eq!(example().check("081804", Some(step - 1), now), Some(step));
    }

    #[test]
    fn what_is_no_code_is_refused_and_spaces_are_not_part_of_one() {
        let now = at(1_111_111_109);
        for bad in [
            "",
            "081",
            "0818040",
            "08180a",
            "０８１８０４",
            "-81804",
            "081805",
            "0x8180",
            "081804\n",
            &" ".repeat(1000),
        ] {
            assert_eq!(example().check(bad, None, now), None, "{bad:?}");
        }
        assert!(example().check("081 804", None, now).is_some());
    }

    #[test]
    fn a_secret_is_shown_as_telephones_read_it() {
        assert_eq!(
            example().to_base32().as_str(),
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        );
        assert_eq!(
            example().uri("My Registry", "alice&x").as_str(),
            "otpauth://totp/My%20Registry:alice%26x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20Registry\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert_ne!(
            TotpSecret::make().unwrap(),
            TotpSecret::make().unwrap(),
            "secrets differ"
        );
        assert_eq!(format!("{:?}", example()), "TotpSecret(..)");
        assert!(TotpSecret::from_bytes(b"short").is_none());
    }

    #[test]
    fn recovery_codes_are_found_by_their_hashes_however_they_are_typed() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
        let codes = RecoveryCodes::make().unwrap();
        let hashes = codes.hashes(&key);
        assert_eq!(hashes.len(), RECOVERY_CODES);
        for (code, hash) in codes.shown().zip(&hashes) {
            assert_eq!(recovery_hash(&key, code), Some(*hash));
            let sloppy = format!(" {} ", code.replace('-', " ").to_lowercase());
            assert_eq!(recovery_hash(&key, &sloppy), Some(*hash));
            let other = hmac::Key::new(hmac::HMAC_SHA256, b"other");
            assert_ne!(recovery_hash(&other, code), Some(*hash));
            assert!(recovery_hash(&key, &code[1..]).is_none());
        }
        let mut distinct = hashes.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), RECOVERY_CODES);
    }

    proptest! {
        #[test]
        fn no_order_of_codes_makes_one_count_twice(times in proptest::collection::vec((0_u64..40, 0_u64..40), 1..60)) {
            let totp = Builder::new()
                .with_algorithm(Algorithm::SHA1)
                .with_digits(6)
                .with_step_duration(STEP_SECS)
                .with_secret(*example().0)
                .build()
                .unwrap();
            let mut last = None;
            let mut used = std::collections::BTreeSet::new();
            for (code_of, now) in times {
                let code = totp.generate(code_of * STEP_SECS).to_string();
                let accepted = example().check(&code, last, at(now * STEP_SECS));
                if let Some(step) = accepted {
                    prop_assert!(used.insert(step));
                    prop_assert!(last.is_none_or(|last| step > last));
                    prop_assert!(step.abs_diff(now) <= SKEW);
                    last = accepted;
                } else {
                    prop_assert!(code_of.abs_diff(now) > SKEW || last.is_some_and(|last| code_of <= last));
                }
            }
        }
    }
}
