//! Asking a running server.

use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::{Buf as _, Bytes, BytesMut};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::answer::PREFIX;
use super::line::Line;
use super::operation::Operation;
use super::place::{NAME, Place};

/// The longest line of an answer, in bytes.
const LONGEST: usize = 64 << 20;

const CUT: &str =
    "the server ended the answer before its end: it stopped, or was killed; see its log";

/// What reads one line, and says whether it was the last.
type Read<'a> = &'a mut dyn FnMut(&[u8]) -> anyhow::Result<bool>;

/// Somebody who asks the server that runs over a data directory.
#[derive(Debug, Clone)]
pub struct Client {
    data: PathBuf,
}

impl Client {
    /// Asks the server over `data`.
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// Asks for an operation, calls `step` for each step it tells, and gives what it tells at its end.
    ///
    /// # Errors
    /// No server runs over the directory, it may not be asked by this user, or it says that the operation failed; in words for
    /// whoever runs the command.
    pub async fn call<O: Operation>(
        &self,
        args: &O::Args,
        mut step: impl FnMut(O::Step),
    ) -> anyhow::Result<O::Done> {
        let mut done = None;
        let mut read = |line: &[u8]| {
            let line = serde_json::from_slice(line)
                .context("the server's answer is not understood; use a command of its version")?;
            match line {
                Line::Step(said) => step(said),
                Line::Done(said) => done = Some(said),
                Line::Failed(why) => bail!(why),
            }
            Ok(done.is_some())
        };
        let args = Bytes::from(serde_json::to_vec(args)?);
        self.lines(O::NAME, args, &mut read).await?;
        done.context(CUT)
    }

    /// Asks for the operation of that name and has each line of the answer read. Apart from [`call`](Self::call), which is made for each of
    /// fifty operations.
    async fn lines(&self, name: &str, args: Bytes, read: Read<'_>) -> anyhow::Result<()> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // What breaks the connection breaks the answer, which says so better.
        let driver = async {
            let _ = connection.await;
            pending::<()>().await;
        };
        let request = Request::post(format!("{PREFIX}{name}"))
            .header(http::header::HOST, "control")
            .body(Full::new(args))?;
        let answer = async {
            let response = sender.send_request(request).await.context(CUT)?;
            let mut lines = LineReader {
                body: response.into_body(),
                rest: BytesMut::new(),
            };
            while let Some(line) = lines.next().await.context(CUT)? {
                if read(&line)? {
                    return Ok(());
                }
            }
            bail!(CUT)
        };
        tokio::select! {
            ended = answer => ended,
            () = driver => bail!("unreachable: the driver never ends"),
        }
    }

    async fn connect(&self) -> anyhow::Result<UnixStream> {
        let shown = self.data.join(NAME);
        let shown = shown.display();
        let connected = match Place::of(&self.data, NAME) {
            Ok(place) => UnixStream::connect(place.path()).await,
            Err(error) => Err(error),
        };
        connected.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => anyhow::anyhow!(
                "no server runs over {} (nobody answers at {shown}); start it with `longshore serve`, or name its directory with --data or its configuration with --config",
                self.data.display()
            ),
            io::ErrorKind::PermissionDenied => anyhow::anyhow!(
                "this user may not ask the server at {shown}; run the command as the user the server runs as, or as root"
            ),
            _ => anyhow::Error::new(error).context(format!("the server cannot be asked at {shown}")),
        })
    }
}

/// The lines of a body.
struct LineReader {
    body: Incoming,
    rest: BytesMut,
}

impl LineReader {
    async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        let mut looked = 0;
        loop {
            let new = self.rest.get(looked..).unwrap_or_default();
            if let Some(end) = new.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(looked + end).freeze();
                self.rest.advance(1);
                return Ok(Some(line));
            }
            looked = self.rest.len();
            if looked > LONGEST {
                bail!("a line is too long");
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            if let Ok(part) = frame?.into_data() {
                self.rest.extend_from_slice(&part);
            }
        }
    }
}
