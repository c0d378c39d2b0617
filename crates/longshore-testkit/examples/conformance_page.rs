//! Prints `docs/conformance.md`.

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn main() {
    print!("{}", longshore_testkit::conformance::page());
}
