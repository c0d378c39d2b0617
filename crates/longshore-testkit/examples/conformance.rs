//! Asks a running server every conformance point: `conformance ADDRESS:PORT [USER PASSWORD]`.

use std::process::ExitCode;

use longshore_testkit::conformance::{Target, run};
use longshore_testkit::wire::Login;

#[tokio::main(flavor = "current_thread")]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it reports to who started it"
)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (address, login) = match arguments.as_slice() {
        [address] => (address.parse(), Login::Nobody),
        [address, user, password] => (address.parse(), Login::with_password(user, password)),
        _ => {
            eprintln!("usage: conformance ADDRESS:PORT [USER PASSWORD]");
            return ExitCode::from(2);
        }
    };
    let Ok(address) = address else {
        eprintln!("error: the address must be written as 127.0.0.1:5000");
        return ExitCode::from(2);
    };
    let report = run(&Target::new(address).asked_by(login)).await;
    println!("{report}");
    if report.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
