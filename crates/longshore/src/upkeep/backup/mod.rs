//! A copy of a registry in a directory, from which it can be made again.
//!
//! The metadata is copied first, as of one moment; what it names is copied after that. A blob that is collected in between was
//! needed by nobody, and one that was healed in between is found where it lies now. `backup.json` is written last: a directory
//! without it is no backup.

pub mod about;
pub mod restore;
pub mod write;

mod transfer;
