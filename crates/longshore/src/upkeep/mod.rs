//! What is done to a store beside serving it: checking it, backing it up, restoring it.

pub mod backup;
pub mod check;
pub mod parts;
