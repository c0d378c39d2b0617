//! What the browser keeps between leaving for the provider and coming back: a ticket that only we can make and read.
//!
//! It has all that the way back is checked against, so nothing is kept here for logins that strangers begin and never end;
//! and it is a cookie, so who comes back is who left. It is good for ten minutes and one time.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quick_cache::sync::{Cache, GuardResult};
use zeroize::Zeroizing;

/// How long somebody may take at the provider.
pub const TICKET_LIVES: Duration = Duration::from_mins(10);
/// How many tickets that were used are remembered.
const MAX_USED: usize = 100_000;
/// How many random bytes each of the three values has.
const RANDOM: usize = 32;
/// The time, then the values.
const PLAIN: usize = 8 + 3 * RANDOM;

/// Makes and takes tickets.
pub(super) struct Tickets {
    key: RandomizedNonceKey,
    used: Cache<[u8; 32], ()>,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets(..)")
    }
}

/// What a login is checked against.
pub(super) struct Ticket {
    pub(super) state: String,
    pub(super) nonce: String,
    /// The secret of PKCE (RFC 7636), of which the provider was shown a hash.
    pub(super) verifier: Zeroizing<String>,
}

impl Ticket {
    fn read(values: &[u8]) -> Option<Self> {
        let (state, rest) = values.split_at_checked(RANDOM)?;
        let (nonce, verifier) = rest.split_at_checked(RANDOM)?;
        Some(Ticket {
            state: URL_SAFE_NO_PAD.encode(state),
            nonce: URL_SAFE_NO_PAD.encode(nonce),
            verifier: Zeroizing::new(URL_SAFE_NO_PAD.encode(verifier)),
        })
    }

    /// What the provider is shown of the verifier.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }
}

impl Tickets {
    /// # Errors
    /// Never in practice.
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, &'static str> {
        Ok(Tickets {
            key: RandomizedNonceKey::new(&AES_256_GCM, key)
                .map_err(|_| "the key cannot be used")?,
            used: Cache::new(MAX_USED),
        })
    }

    /// A ticket, and how the browser keeps it. `provider` is part of it.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn make(
        &self,
        provider: &str,
        now: SystemTime,
    ) -> Result<(Ticket, Zeroizing<String>), &'static str> {
        let no_random = "the system gives no random numbers";
        let mut plain = vec![0; PLAIN];
        let (time, values) = plain.split_at_mut(8);
        time.copy_from_slice(&seconds(now).to_be_bytes());
        SystemRandom::new().fill(values).map_err(|_| no_random)?;
        let ticket = Ticket::read(values).ok_or(no_random)?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(provider.as_bytes()), &mut plain)
            .map_err(|_| no_random)?;
        let sealed = [nonce.as_ref().as_slice(), &plain].concat();
        Ok((ticket, Zeroizing::new(URL_SAFE_NO_PAD.encode(sealed))))
    }

    /// Takes the ticket that a browser brings back with `state`. It is used up by that.
    ///
    /// # Errors
    /// It is not ours, too old, another browser's, or was used.
    pub(super) fn take(
        &self,
        provider: &str,
        kept: &str,
        state: &str,
        now: SystemTime,
    ) -> Result<Ticket, &'static str> {
        let ticket = self.open(provider, kept, now)?;
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(
            ticket.state.as_bytes(),
            state.as_bytes(),
        );
        same.map_err(|_| "`state` is that of another login")?;
        let mut tag = [0; 32];
        for (to, from) in tag
            .iter_mut()
            .zip(digest(&SHA256, state.as_bytes()).as_ref())
        {
            *to = *from;
        }
        // Of two that come at once one is first.
        match self.used.get_value_or_guard(&tag, None) {
            GuardResult::Guard(first) => {
                // What is forgotten meanwhile, because thousands of others came, is forgotten.
                let _ = first.insert(());
                Ok(ticket)
            }
            GuardResult::Value(()) | GuardResult::Timeout => Err("this login was ended before"),
        }
    }

    fn open(&self, provider: &str, kept: &str, now: SystemTime) -> Result<Ticket, &'static str> {
        let not_ours = "what the browser kept is not from here";
        if kept.len() > 2 * PLAIN + 100 {
            return Err(not_ours);
        }
        let sealed = URL_SAFE_NO_PAD.decode(kept).map_err(|_| not_ours)?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(not_ours)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| not_ours)?;
        let mut text = Zeroizing::new(text.to_vec());
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(provider.as_bytes()), &mut text)
            .map_err(|_| not_ours)?;
        let (time, values) = plain.split_at_checked(8).ok_or(not_ours)?;
        let made = u64::from_be_bytes(time.try_into().map_err(|_| not_ours)?);
        if seconds(now).abs_diff(made) >= TICKET_LIVES.as_secs() {
            return Err("this login took too long");
        }
        Ticket::read(values).ok_or(not_ours)
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000 + seconds)
    }

    #[test]
    fn a_ticket_is_for_one_browser_one_provider_ten_minutes_and_one_time() {
        let tickets = Tickets::new(&[7; 32]).unwrap();
        let (ticket, kept) = tickets.make("corp", at(0)).unwrap();
        let take = |provider: &str, kept: &str, state: &str, seconds| {
            tickets
                .take(provider, kept, state, at(seconds))
                .map(|ticket| ticket.nonce)
        };
        let (other, others) = tickets.make("corp", at(0)).unwrap();
        assert_ne!((&ticket.state, &ticket.nonce), (&other.state, &other.nonce));
        assert!(
            take("corp", &others, &ticket.state, 1).is_err(),
            "another browser"
        );
        assert!(
            take("other", &kept, &ticket.state, 1).is_err(),
            "another provider"
        );
        assert!(take("corp", &kept, "", 1).is_err());
        assert!(take("corp", "", &ticket.state, 1).is_err());
        assert!(take("corp", &kept[1..], &ticket.state, 1).is_err());
        assert!(take("corp", &"A".repeat(100_000), &ticket.state, 1).is_err());
        let elsewhere = Tickets::new(&[8; 32]).unwrap();
        assert!(
            elsewhere.take("corp", &kept, &ticket.state, at(1)).is_err(),
            "another key"
        );
        assert!(take("corp", &kept, &ticket.state, 600).is_err(), "too late");
        assert_eq!(take("corp", &kept, &ticket.state, 599), Ok(ticket.nonce));
        assert_eq!(
            take("corp", &kept, &ticket.state, 599),
            Err("this login was ended before")
        );
        assert!(!kept.contains(&other.state) && kept.len() < 300);
    }

    #[test]
    fn any_changed_letter_makes_a_ticket_void() {
        let tickets = Tickets::new(&[7; 32]).unwrap();
        let (ticket, kept) = tickets.make("corp", at(0)).unwrap();
        for place in 0..kept.len() {
            let mut changed = kept.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'Q' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                tickets
                    .take("corp", &changed, &ticket.state, at(0))
                    .is_err(),
                "{place}"
            );
        }
    }
}
