//! Servers that do nothing but send files, each in one way: what the machine can do at all.
//!
//! They check nothing, log nothing and know no rights; a thread serves a connection and waits for it. Whatever a registry is
//! compared with, it cannot be faster than the fastest of these, and a peer that copies is at best as fast as the one that does.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use rustix::net::sockopt;
use rustix::pipe::SpliceFlags;

/// What is asked of the kernel at once, as nginx and Longshore do.
const PIECE: usize = 2 << 20;
/// Longer bodies are corked.
const CORKED: u64 = 128 << 10;
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
        let (mut line, mut stretch) = (String::new(), None);
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            stretch = stretch.or_else(|| stretch_of(&line));
        }
        let path = asked.split(' ').nth(1).context("no request")?;
        let mut stream = stream;
        match File::open(root.join(path.trim_start_matches('/'))) {
            Ok(file) => {
                let status = stretch.map_or("200 OK", |_| "206 Partial Content");
                let (from, end) = match stretch {
                    Some(stretch) => stretch,
                    None => (0, file.metadata()?.len()),
                };
                let len = end.saturating_sub(from);
                // As nginx and Longshore do: else many packets are the few bytes that are left of 64 KiB.
                let corked = way != Way::Copy && len > CORKED;
                if corked {
                    sockopt::set_tcp_cork(stream, true)?;
                }
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\n\r\n");
                stream.write_all(head.as_bytes())?;
                sender.send(&file, from..end, stream)?;
                if corked {
                    sockopt::set_tcp_cork(stream, false)?;
                }
            }
            Err(_) => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
    }
}

/// What a line of a head asks for, if it is `Range: bytes=A-B`: from where up to before where.
fn stretch_of(line: &str) -> Option<(u64, u64)> {
    let (name, value) = line.split_once(':')?;
    let stretch = name
        .eq_ignore_ascii_case("range")
        .then(|| value.trim().strip_prefix("bytes="))??;
    let (first, last) = stretch.split_once('-')?;
    Some((first.parse().ok()?, last.parse::<u64>().ok()? + 1))
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

    fn send(&mut self, file: &File, stretch: Range<u64>, mut to: &TcpStream) -> Result<()> {
        let mut at = stretch.start;
        while at < stretch.end {
            let left = usize::try_from(stretch.end - at).unwrap_or(usize::MAX);
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
                for (path, range) in [
                    ("/file", ""),
                    ("/none", ""),
                    ("/file", "range: bytes=65536-131071\r\n"),
                    ("/file", ""),
                ] {
                    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{range}\r\n");
                    client.write_all(request.as_bytes()).unwrap();
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        client.read_exact(&mut byte).unwrap();
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8(head).unwrap();
                    let (status, wanted) = match (path, range) {
                        ("/none", _) => (404, &content[..0]),
                        (_, "") => (200, &content[..]),
                        _ => (206, &content[65_536..131_072]),
                    };
                    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
                    let mut body = vec![0; wanted.len()];
                    client.read_exact(&mut body).unwrap();
                    assert!(body == wanted, "{way:?}");
                }
                client.shutdown(std::net::Shutdown::Both).unwrap();
            });
        }
    }
}
