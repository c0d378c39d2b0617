//! Codes of command lines that wait for somebody at a browser (RFC 8628), and marks that tie a form to the browser it was
//! shown in.
//!
//! The code that a person types has eight letters out of twenty (RFC 8628, 6.1): no vowels, so that it spells nothing, and none
//! that is taken for another. That is 34 bits, for ten minutes, behind a login and the throttle. The code that the client keeps
//! has 256 bits.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::Index;
use super::secret::NoRandom;
use crate::throttle::network;

/// The letters of a code that people type.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many there are.
const LENGTH: usize = 8;
/// The least random byte that is not taken: all below it give each letter as often as any other.
const FAIR: u8 = 240;

/// The two codes of a login that waits.
pub struct DeviceCodes {
    /// What the client asks with.
    pub device: Zeroizing<String>,
    /// What a person types.
    pub user: UserCode,
}

impl fmt::Debug for DeviceCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCodes(..)")
    }
}

/// A code that a person types, without what they put between the letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// Reads what somebody typed: small letters, blanks and dashes are theirs to choose.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > 4 * LENGTH {
            return None;
        }
        let letters: String = text
            .chars()
            .filter(|letter| !matches!(letter, ' ' | '-'))
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let is_one = letters.len() == LENGTH && letters.bytes().all(|it| LETTERS.contains(&it));
        is_one.then_some(UserCode(letters))
    }

    /// As it is shown: `WDJB-MJHT`.
    pub fn shown(&self) -> String {
        let (one, two) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        format!("{one}-{two}")
    }
}

impl Index {
    /// New codes.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new_device(&self) -> Result<DeviceCodes, NoRandom> {
        let random = SystemRandom::new();
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut()).map_err(|_| NoRandom)?;
        let device = Zeroizing::new(hex::encode(bytes.as_ref()));
        let mut user = String::with_capacity(LENGTH);
        while user.len() < LENGTH {
            let mut byte = [0];
            random.fill(&mut byte).map_err(|_| NoRandom)?;
            let [byte] = byte;
            let letter = LETTERS.get(usize::from(byte) % LETTERS.len());
            if let Some(letter) = letter.filter(|_| byte < FAIR) {
                user.push(char::from(*letter));
            }
        }
        Ok(DeviceCodes {
            device,
            user: UserCode(user),
        })
    }

    /// What is kept of a code that a client asks with.
    pub fn device_hash(&self, code: &str) -> [u8; 32] {
        self.hash(&format!("device code {code}"))
    }

    /// What is kept of a code that a person types.
    pub fn user_code_hash(&self, code: &UserCode) -> [u8; 32] {
        self.hash(&format!("user code {}", code.0))
    }

    /// A mark for a form of a page, good in the browser that holds `held` and for nothing else. Nobody else can make it.
    pub fn form_mark(&self, page: &str, held: &str) -> String {
        let hash = self.hash(&format!("form of {page} for {held}"));
        hash.get(..16).map_or_else(String::new, hex::encode)
    }

    /// Whether `mark` is that of the form. Takes the same time wherever they differ.
    pub fn is_form_mark(&self, page: &str, held: &str, mark: &str) -> bool {
        self.hash(&self.form_mark(page, held)) == self.hash(mark)
    }

    /// A text that nobody can guess, for a browser that has no session yet.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new_mark(&self) -> Result<String, NoRandom> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
        Ok(hex::encode(bytes))
    }
}

/// What an address counts for where addresses are counted: an IPv6 customer has at least 2^64 of them.
pub fn counted_as(address: IpAddr) -> IpAddr {
    network(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed_and_nothing_else_is_one() {
        let code = UserCode("WDJBMJHT".to_owned());
        for typed in ["WDJB-MJHT", "wdjbmjht", " wDjB mJhT ", "W-D-J-B-M-J-H-T"] {
            assert_eq!(UserCode::read(typed), Some(code.clone()), "{typed}");
        }
        assert_eq!(code.shown(), "WDJB-MJHT");
        for bad in [
            "",
            "WDJB-MJH",
            "WDJB-MJHTT",
            "WDJB-MJHA",
            "WDJB-MJH0",
            "WDJB_MJHT",
            "ＷDJB-MJHT",
            "WDJB-MJH\u{212a}",
            &"-".repeat(100),
        ] {
            assert_eq!(UserCode::read(bad), None, "{bad}");
        }
    }
}
