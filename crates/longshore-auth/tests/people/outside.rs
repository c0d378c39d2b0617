//! Programs from outside: whether they are there, and that they end with their test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

/// Where a program is. Debian keeps servers where not every user's `PATH` leads.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Says that a test did not run, or fails where it must.
pub(crate) fn skip(why: &str) {
    let required = std::env::var_os("LONGSHORE_OUTSIDE").is_some_and(|value| value == "required");
    assert!(!required, "{why}");
    eprintln!("skipped: {why}");
}

/// A process that ends when this is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until something listens on `port`. The bound is for what never comes up.
pub(crate) fn await_port(port: u16, process: &mut Child) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..600 {
        if TcpStream::connect(address).is_ok() {
            return;
        }
        if let Some(status) = process.try_wait().unwrap() {
            panic!("the program ended: {status}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("nothing listens on {port}");
}
