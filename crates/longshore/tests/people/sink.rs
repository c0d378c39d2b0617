//! A real mail server that keeps what it gets, and servers that mean ill.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::file;
use crate::outside::{Process, await_port, find, skip};

/// A mail server.
pub(crate) struct Sink {
    folder: PathBuf,
    _process: Process,
}

/// A certificate for an address, in a folder.
pub(crate) fn certificate(folder: &Path, name: &str) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    file(folder, "cert.pem", &made.cert.pem());
    file(folder, "key.pem", &made.signing_key.serialize_pem());
}

impl Sink {
    /// Whether there can be one here.
    pub(crate) fn is_there() -> bool {
        if find("python3").is_none() {
            skip("python3 is not installed");
            return false;
        }
        if !library().join("aiosmtpd").is_dir() {
            skip("there is no aiosmtpd; `cargo xtask tools aiosmtpd` brings it");
            return false;
        }
        true
    }

    /// Starts one that keeps letters in `folder`.
    pub(crate) fn start(folder: &Path, port: u16, tls: bool) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/people/sink.py");
        let mut command = Command::new(find("python3").unwrap());
        command
            .arg("-B")
            .arg(script)
            .arg(folder)
            .arg(port.to_string());
        if tls {
            command.arg("tls");
        }
        let mut child = command
            .env("PYTHONPATH", library().canonicalize().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_port(port, &mut child);
        Self {
            folder: folder.to_owned(),
            _process: Process(child),
        }
    }

    /// The next letter, and takes it out. The bound is for one that never comes.
    pub(crate) async fn next(&self) -> Value {
        for _ in 0..1200 {
            if let Some(letter) = self.take() {
                return letter;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no letter came");
    }

    /// A letter that is there, the oldest.
    pub(crate) fn take(&self) -> Option<Value> {
        let names = std::fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<PathBuf> = names
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .collect();
        names.sort();
        let first = names.first()?;
        let letter = serde_json::from_slice(&std::fs::read(first).unwrap()).unwrap();
        std::fs::remove_file(first).unwrap();
        Some(letter)
    }
}

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/aiosmtpd")
}

/// The code in a letter.
pub(crate) fn token(letter: &Value) -> String {
    let text = letter["text"].as_str().unwrap().replace("=\r\n", "");
    let (_, rest) = text.split_once('#').unwrap_or_else(|| panic!("{text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// What a server does that means ill.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Evil {
    /// Says nothing, and keeps the connection.
    Silent,
    /// Says a line without end.
    Endless,
    /// Promises TLS and hangs up.
    Drops,
    /// Offers none.
    Strips,
    /// Refuses for now whoever mail is for, and for ever from the second time on.
    Refuses,
}

/// Starts one on a port; it ends with the process of the test.
pub(crate) fn evil(what: Evil) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { continue };
            thread::spawn(move || serve(stream, what, count));
        }
    });
    port
}

fn serve(mut stream: std::net::TcpStream, what: Evil, count: usize) -> Option<()> {
    match what {
        Evil::Silent => {
            stream.read_to_end(&mut Vec::new()).ok()?;
            return None;
        }
        Evil::Endless => loop {
            stream.write_all(&[b'2'; 8192]).ok()?;
        },
        _ => stream.write_all(b"220 evil\r\n").ok()?,
    }
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).ok()?;
        line.push(byte[0]);
        if byte[0] != b'\n' {
            continue;
        }
        let said = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        let reply = match (what, said.get(..4)?) {
            (Evil::Drops, "EHLO") => "250-evil\r\n250 STARTTLS\r\n",
            (Evil::Drops, "STAR") => {
                stream.write_all(b"220 go\r\n").ok()?;
                return None;
            }
            (Evil::Refuses, "RCPT") if count == 0 => "450 not now\r\n",
            (Evil::Refuses, "RCPT") => "550 never\r\n",
            _ => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes()).ok()?;
    }
}
