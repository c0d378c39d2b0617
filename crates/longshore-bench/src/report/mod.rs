//! What is said of a run: lines as they are measured, the table, the goals, the page.

mod machine;
mod page;
mod results;
mod table;

pub(crate) use machine::Machine;
pub(crate) use page::{Part, write};
pub(crate) use results::{Results, Spread};
pub(crate) use table::{sample, table};
