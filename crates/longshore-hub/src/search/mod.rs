//! Finding repositories.
//!
//! A repository is found by tokens ([`words`]): words of its name, its description, its tags and what its artifacts say, and facts
//! that a query can name (`label:x=y`). A query ([`query`]) becomes a question for all of some tokens; who may see what is part
//! of that question, and looked at again for each repository that comes back. What comes back is ranked by name first
//! ([`rank`]), then by stars and pulls.

mod doc;
mod find;
mod near;
mod query;
mod rank;
pub(crate) mod words;

pub(crate) use doc::{EDITION, doc};
pub(crate) use near::near;

pub use find::Search;
