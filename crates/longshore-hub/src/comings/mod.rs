//! People who come in and who come back: invitations, sign-up, addresses that are confirmed, passwords that were forgotten.
//!
//! Whoever has a token from a letter has read the letter: that is what it proves. No answer to a stranger says whether an address or
//! an account is known; what depends on that happens behind the outbox. Names are no secret: whoever wants one must be told that it
//! is taken.

mod addresses;
mod invitations;
mod joining;
mod resets;
mod worth;

pub(crate) use self::invitations::full_name;
pub use self::invitations::{INVITATION_LIVES, Invited, NewInvitation};
pub use self::joining::{Joining, SignedUp};
