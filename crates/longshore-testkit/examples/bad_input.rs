//! Asks the table of bad input of a running server that is empty and open to everybody:
//! `cargo run -p longshore-testkit --example bad_input -- 127.0.0.1:5000`.
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::collections::HashMap;
use std::error::Error;

use longshore_testkit::bad_input::{Callers, Who, run};
use longshore_testkit::wire::{Login, Wire};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args()
        .nth(1)
        .ok_or("say where the server listens: 127.0.0.1:5000")?;
    let wire = Wire::new(address.parse()?, Login::Nobody);
    let report = run(&mut Callers(HashMap::from([(Who::Owner, wire)]))).await?;
    println!("{report}");
    if report.failures.is_empty() {
        Ok(())
    } else {
        Err("some rows do not hold".into())
    }
}
