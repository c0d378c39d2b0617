//! Servers that do nothing but send files, each in one way: what the machine can do at all.
//!
//! They check nothing, log nothing and know no rights; a thread serves a connection and waits for it. Whatever a registry is
//! compared with, it cannot be faster than the fastest of these, and a peer that copies is at best as fast as the one that does.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use rustix::pipe::SpliceFlags;

/// What is asked of the kernel at once, as nginx and Longshore do.
const PIECE: usize = 2 << 20;
/// What a pipe holds.
const PIPE: usize = 1 << 20;
/// What the registries written in Go copy at once.
const COPY: usize = 32 << 10;

/// How the bytes of a file get to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Way {
    /// `sendfile(2)`.
    Sendfile,
    /// `splice(2)` into a pipe and out of it.
    Splice,
    /// `read(2)` and `write(2)`.
    Copy,
}

/// Serves the files below a folder by their paths.
#[derive(Args, Debug)]
pub(crate) struct Plain {
    #[arg(long, value_enum)]
    by: Way,
    #[arg(long)]
    root: PathBuf,
    #[arg(long)]
    listen: SocketAddr,
}

/// Serves until it is ended.
///
/// # Errors
/// When it cannot listen.
pub(crate) fn run(plain: &Plain) -> Result<ExitCode> {
    let listener = TcpListener::bind(plain.listen).context("it cannot listen")?;
    let (way, root) = (plain.by, plain.root.as_path());
    thread::scope(|scope| {
        for stream in listener.incoming().flatten() {
            // A connection that breaks off is its client's business.
            scope.spawn(move || serve(way, root, &stream));
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn serve(way: Way, root: &Path, stream: &TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut sender = Sender::new(way)?;
    loop {
        let mut asked = String::new();
        if reader.read_line(&mut asked)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        let path = asked.split(' ').nth(1).context("no request")?;
        let mut stream = stream;
        match File::open(root.join(path.trim_start_matches('/'))) {
            Ok(file) => {
                let len = file.metadata()?.len();
                stream.write_all(
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n").as_bytes(),
                )?;
                sender.send(&file, len, stream)?;
            }
            Err(_) => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
    }
}

/// One way, with what it needs.
enum Sender {
    Sendfile,
    Splice(OwnedFd, OwnedFd),
    Copy(Vec<u8>),
}

impl Sender {
    fn new(way: Way) -> Result<Self> {
        Ok(match way {
            Way::Sendfile => Self::Sendfile,
            Way::Splice => {
                let (out, into) = rustix::pipe::pipe()?;
                rustix::pipe::fcntl_setpipe_size(&into, PIPE)?;
                Self::Splice(out, into)
            }
            Way::Copy => Self::Copy(vec![0; COPY]),
        })
    }

    fn send(&mut self, file: &File, len: u64, mut to: &TcpStream) -> Result<()> {
        let mut at = 0;
        while at < len {
            let left = usize::try_from(len - at).unwrap_or(usize::MAX);
            match self {
                Self::Sendfile => {
                    let sent = rustix::fs::sendfile(to, file, Some(&mut at), left.min(PIECE))?;
                    anyhow::ensure!(sent > 0, "the file is too short");
                }
                Self::Splice(out, into) => {
                    let flags = SpliceFlags::MOVE | SpliceFlags::MORE;
                    let piece = left.min(PIPE);
                    let mut held =
                        rustix::pipe::splice(file, Some(&mut at), &*into, None, piece, flags)?;
                    anyhow::ensure!(held > 0, "the file is too short");
                    while held > 0 {
                        held -= rustix::pipe::splice(&*out, None, to, None, held, flags)?;
                    }
                }
                Self::Copy(buffer) => {
                    let piece = buffer.get_mut(..left.min(COPY)).unwrap_or_default();
                    file.read_exact_at(piece, at)?;
                    to.write_all(piece)?;
                    at += piece.len() as u64;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn each_way_sends_the_same_bytes_again_and_again() {
        let root = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..3_000_001_u32).map(|at| at.to_le_bytes()[0]).collect();
        std::fs::write(root.path().join("file"), &content).unwrap();
        for way in [Way::Sendfile, Way::Splice, Way::Copy] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, _) = listener.accept().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| serve(way, root.path(), &server).unwrap());
                for path in ["/file", "/none", "/file"] {
                    client
                        .write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
                        .unwrap();
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        client.read_exact(&mut byte).unwrap();
                        head.push(byte[0]);
                    }
                    let mut body = vec![0; if path == "/none" { 0 } else { content.len() }];
                    client.read_exact(&mut body).unwrap();
                    assert!(path == "/none" || body == content, "{way:?}");
                }
                client.shutdown(std::net::Shutdown::Both).unwrap();
            });
        }
    }
}
