//! Whole tokens, good and hostile. Times and texts are the test's; keys are made for each run.

mod certificates;
mod forms;
mod hostile;
mod limits;
mod outside;
mod random;
mod rotation;
pub(crate) mod support;
