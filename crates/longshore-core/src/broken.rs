//! Mistakes on purpose, for builds that the proof must catch (`cargo xtask crash controls`, `cargo xtask matrix --controls`). Never part of a
//! build that is shipped: without the feature `broken` this file is not compiled, and with it no optimised build compiles.

#[cfg(not(debug_assertions))]
compile_error!("the feature `broken` is for tests; nothing that is shipped may have it");

/// The variable that names a mistake. No operator has anything to do with it.
const VARIABLE: &str = "MISTAKE_ON_PURPOSE";

/// Whether the mistake `name` is to be made.
pub fn is(name: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|chosen| chosen == name)
}
