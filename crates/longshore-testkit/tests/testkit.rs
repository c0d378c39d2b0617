//! The reference registry against the suite: the specification must meet its own sentences.
#![allow(clippy::unwrap_used, reason = "tests")]

mod mem {
    use longshore_testkit::mem::Mem;

    longshore_testkit::suite!(async { Mem::new() });
}
