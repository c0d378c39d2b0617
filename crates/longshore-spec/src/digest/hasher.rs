//! Computing a digest in pieces, and keeping the computation between them.

use std::fmt;

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};

use super::{Algorithm, Digest, Value};

/// A hash under way.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

/// Bytes that [`Hasher::freeze`] did not write, or wrote for another algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the saved state of the hash cannot be read")]
pub struct ThawError;

impl Hasher {
    /// A hash of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// The algorithm the hash is computed with.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Adds `bytes` to the end of what is hashed.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of everything added so far.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Sha256(state) => Value::Sha256(state.finalize().into()),
            State::Sha512(state) => Value::Sha512(state.finalize().into()),
        })
    }

    /// The state as bytes (about 100 or 200), to be stored and given to [`Hasher::thaw`] later, on any machine.
    pub fn freeze(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(state) => state.serialize().to_vec(),
            State::Sha512(state) => state.serialize().to_vec(),
        }
    }

    /// Goes on from a frozen state.
    ///
    /// # Errors
    /// [`ThawError`] when `frozen` has the wrong length or an impossible content.
    pub fn thaw(algorithm: Algorithm, frozen: &[u8]) -> Result<Self, ThawError> {
        // The chaining value comes first, then the number of whole blocks it stands for.
        let blocks = frozen.get(algorithm.value_bytes()..).ok_or(ThawError)?;
        let state = match algorithm {
            Algorithm::Sha256 => {
                check_blocks(blocks.first_chunk().copied().map(u64::from_le_bytes))?;
                let frozen = frozen.try_into().map_err(|_| ThawError)?;
                State::Sha256(Sha256::deserialize(frozen).map_err(|_| ThawError)?)
            }
            Algorithm::Sha512 => {
                check_blocks(blocks.first_chunk().copied().map(u128::from_le_bytes))?;
                let frozen = frozen.try_into().map_err(|_| ThawError)?;
                State::Sha512(Sha512::deserialize(frozen).map_err(|_| ThawError)?)
            }
        };
        Ok(Self(state))
    }
}

/// Refuses a count of blocks that nobody can have hashed: sha2 trusts it, and its arithmetic overflows on more.
fn check_blocks<N: Into<u128>>(blocks: Option<N>) -> Result<(), ThawError> {
    const MOST: u128 = 1 << 50;
    if blocks.is_some_and(|blocks| blocks.into() <= MOST) {
        Ok(())
    } else {
        Err(ThawError)
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frozen_hash_of_another_length_or_algorithm_does_not_thaw() {
        let frozen = Hasher::new(Algorithm::Sha256).freeze();
        assert!(Hasher::thaw(Algorithm::Sha512, &frozen).is_err());
        assert!(Hasher::thaw(Algorithm::Sha256, &frozen[1..]).is_err());
        assert!(Hasher::thaw(Algorithm::Sha256, &[]).is_err());
    }

    #[test]
    fn a_frozen_hash_of_more_than_can_have_been_hashed_does_not_thaw() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let mut frozen = Hasher::new(algorithm).freeze();
            assert!(Hasher::thaw(algorithm, &frozen).is_ok());
            frozen[algorithm.value_bytes() + 7] = 1;
            assert_eq!(Hasher::thaw(algorithm, &frozen).err(), Some(ThawError));
        }
    }

    proptest! {
        #[test]
        fn a_hash_frozen_between_any_two_chunks_ends_the_same(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
            large in any::<bool>(),
        ) {
            let algorithm = if large { Algorithm::Sha512 } else { Algorithm::Sha256 };
            let mut hasher = Hasher::new(algorithm);
            for chunk in &chunks {
                hasher = Hasher::thaw(algorithm, &hasher.freeze()).unwrap();
                hasher.update(chunk);
            }
            prop_assert_eq!(hasher.finish(), Digest::of(algorithm, &chunks.concat()));
        }
    }
}
