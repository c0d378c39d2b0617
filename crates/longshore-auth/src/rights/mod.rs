//! Who may do what: roles as data, bindings as rows, one decision.
//!
//! [`Judge`] is what others ask: the token service for grants, the API and the commands for single actions and their
//! explanations, lists and search for a reach. All of them come to [`decide::decide`], which compares rules with an action and
//! reads nothing. Absent on purpose: anything that changes a row; that is the use cases' matter.

pub mod action;
pub mod condition;
pub mod decide;
pub mod explain;
pub mod facts;
pub mod ground;
pub mod judge;
pub mod lack;
mod looks;
pub mod narrow;
mod reach;
pub mod role;
pub mod rule;
pub mod shown;
pub mod suppose;
pub mod who;

#[cfg(test)]
mod tests;

pub use action::{Action, ActionSet, Place};
pub use explain::Explanation;
pub use facts::Facts;
pub use ground::{Object, Sight};
pub use judge::{Granted, Judge, grant_of};
pub use lack::{lack_of, missing};
pub use narrow::Narrow;
pub use shown::Shown;
pub use suppose::Supposed;
pub use who::{Via, Who};
