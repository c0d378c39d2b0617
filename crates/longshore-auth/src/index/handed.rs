//! What is handed out to be brought back, and is nobody's to read or to make meanwhile.

use super::Index;
use crate::issuer::SealError;

impl Index {
    /// Seals what somebody is to bring back for the same `purpose`, to this node or another one of the index. The same gives the same.
    ///
    /// # Errors
    /// Never in practice.
    pub fn hand_out(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0.sealing.seal_same(purpose, plain)
    }

    /// What was handed out for `purpose`; nothing where it was not, or was changed since.
    pub fn take_back(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.sealing.unseal_same(purpose, sealed).ok()
    }
}
