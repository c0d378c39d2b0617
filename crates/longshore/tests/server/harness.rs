//! A server of the test's own: the real binary on ports of its own, over a directory of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use longshore_testkit::wire::{Answer, Ask, Login, Wire};

/// The binary under test.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    for (name, _) in std::env::vars() {
        if name.starts_with("LONGSHORE") || name.starts_with("REGISTRY_") {
            command.env_remove(name);
        }
    }
    command
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where its metrics are.
    pub(crate) admin: SocketAddr,
    /// What it printed when it was ready.
    pub(crate) banner: String,
    log: Arc<Mutex<String>>,
}

/// How to start one.
pub(crate) struct Start {
    command: Command,
}

impl Start {
    /// A server over `data`, with nothing else configured. Test directories may lie on any kind of file system.
    pub(crate) fn over(data: &Path) -> Self {
        let mut start = Self::bare();
        start
            .command
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data);
        start
    }

    /// A server with this configuration.
    pub(crate) fn with(config: &Path) -> Self {
        let mut start = Self::bare();
        start.command.arg(config);
        start
    }

    fn bare() -> Self {
        let mut command = binary();
        command
            .arg("serve")
            .env("LONGSHORE__METRICS__ENABLED", "true")
            .env("LONGSHORE__METRICS__LISTEN", "127.0.0.1:0")
            .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true");
        Self { command }
    }

    /// With a key of the configuration set.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.command.env(
            format!("LONGSHORE__{}", key.to_uppercase().replace('.', "__")),
            value,
        );
        self
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn run(mut self) -> Server {
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let errors = BufReader::new(child.stderr.take().unwrap());
        let kept = log.clone();
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Next:") {
            if out.read_line(&mut banner).unwrap() == 0 {
                child.wait().unwrap();
                thread::sleep(Duration::from_millis(50));
                panic!("the server did not start:\n{banner}{}", log.lock().unwrap());
            }
        }
        let at = |words: [&str; 2]| {
            let line = banner
                .lines()
                .find(|line| words.iter().any(|word| line.trim_start().starts_with(word)))
                .unwrap();
            let rest = line.split_once("://").unwrap().1;
            rest.split(['/', ' ']).next().unwrap().parse().unwrap()
        };
        let (address, admin) = (at(["registry ", "index "]), at(["metrics "; 2]));
        // The pipe must stay open, or a later line would end the server.
        thread::spawn(move || out.read_to_end(&mut Vec::new()));
        Server {
            child,
            address,
            admin,
            banner,
            log,
        }
    }
}

impl Server {
    /// A client without credentials.
    pub(crate) fn client(&self) -> Wire {
        Wire::new(self.address, Login::Nobody)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as a power button would: no handler runs.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and waits; gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }

    /// Waits until it has ended by itself; gives its exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, name: &str) {
        let done = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks, and shows request and answer when the status is another.
pub(crate) async fn expect(client: &mut Wire, ask: Ask, status: u16) -> Answer {
    let answer = client.ask(&ask).await.unwrap();
    assert_eq!(answer.status, status, "\n{ask}{answer}");
    answer
}

/// Waits until the server has logged these words; lines are written by a thread of their own.
pub(crate) async fn said(server: &Server, words: &str) {
    for _ in 0..100 {
        if server.log().contains(words) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{words:?} was never logged:\n{}", server.log());
}

/// A file in `dir` with this content.
pub(crate) fn file(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}
