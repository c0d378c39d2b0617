//! Pushes of blobs and mounts, and the threads of all work that writes.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use anyhow::{Context as _, Result, bail, ensure};

use super::client::{Ask, Client, Dial, Unit};
use super::content::{Content, Nonce};
use super::image::Images;
use super::run::{Run, Shared, Word};
use super::tls::TlsDial;
use crate::job::{Job, Protocol, Task, Way, Work};
use crate::wire::Response;

/// The type of a body that is just bytes.
pub(super) const BYTES: &str = "application/octet-stream";

/// Starts the threads of a work, one for each connection, and says how many.
///
/// # Errors
/// When the work is not understood.
pub(super) fn start(
    job: &Job,
    work: &Work,
    run: &Arc<Run>,
    shared: &Arc<Shared>,
    words: &Sender<Word>,
) -> Result<usize> {
    let dial = match &job.protocol {
        Protocol::Http1 => Dial::Plain(job.address),
        Protocol::Tls1(certificate) => {
            Dial::Tls(TlsDial::new(job.address, certificate, b"http/1.1")?)
        }
        Protocol::Tls2(_) => bail!("pushes over HTTP/2 are not measured"),
    };
    for (at, mut unit) in units(work)?.into_iter().enumerate() {
        let client = Client::new(
            dial.clone(),
            job.headers_of(work, at).clone(),
            Arc::clone(run),
            Arc::clone(shared),
        );
        let words = words.clone();
        std::thread::Builder::new()
            .name("pushes".to_owned())
            .spawn(move || {
                let result = client.work(unit.as_mut(), &words);
                let _ = words.send(Word::Finished(result));
            })?;
    }
    Ok(work.connections)
}

/// What each connection does.
fn units(work: &Work) -> Result<Vec<Box<dyn Unit>>> {
    let connections = 0..work.connections as u64;
    Ok(match &work.task {
        Task::Push {
            repository,
            size,
            way,
        } => {
            if let Way::Chunked(0) = way {
                bail!("pieces without bytes");
            }
            let (content, nonce) = (Content::new(*size)?, Nonce::new()?);
            let push = |connection| -> Box<dyn Unit> {
                Box::new(Pushes {
                    repository: format!("{repository}-{connection}"),
                    content: content.clone(),
                    way: *way,
                    nonce,
                    connection,
                    n: 0,
                })
            };
            connections.map(push).collect()
        }
        Task::Image {
            repository,
            blobs,
            size,
            shared,
        } => {
            let nonce = Nonce::new()?;
            let images = Images::new(*blobs, *size, nonce)?;
            let push = |connection| -> Box<dyn Unit> {
                let repository = if *shared {
                    repository.clone()
                } else {
                    format!("{repository}-{connection}")
                };
                Box::new(images.of(connection, repository))
            };
            connections.map(push).collect()
        }
        Task::Mount {
            from,
            into,
            digests,
            again,
        } => {
            ensure!(!digests.is_empty(), "nothing to mount");
            let mount = |connection| -> Box<dyn Unit> {
                Box::new(Mounts {
                    from: from.clone(),
                    into: match again {
                        true => into.clone(),
                        false => format!("{into}-{connection}"),
                    },
                    digests: digests.clone(),
                    again: *again,
                    n: 0,
                })
            };
            connections.map(mount).collect()
        }
        Task::Read(_) | Task::Pull { .. } => bail!("not a writing work"),
    })
}

/// Layers of random bytes.
struct Pushes {
    repository: String,
    content: Content,
    way: Way,
    nonce: Nonce,
    connection: u64,
    n: u64,
}

impl Unit for Pushes {
    fn perform(&mut self, client: &mut Client) -> Result<()> {
        let tail = self.nonce.tail(self.connection, self.n);
        self.n += 1;
        let digest = self.content.digest(&tail);
        let size = self.content.size();
        let mut location = begin_upload(client, &self.repository)?;
        let step = match self.way {
            Way::PostPut => {
                let path = with_digest(&location, &digest);
                let ask = Ask::new("PUT", &path, 201).of(BYTES);
                let content = &mut self.content;
                let response =
                    client.send_with(ask, size, |sink| content.write(&tail, 0, size, sink))?;
                return named(client, &response, &digest);
            }
            Way::PostPatchPut => size,
            Way::Chunked(step) => step,
        };
        let mut at = 0;
        while at < size {
            let len = step.min(size - at);
            let range = format!("{at}-{}", at + len - 1);
            let mut ask = Ask::new("PATCH", &location, 202).of(BYTES);
            if self.way != Way::PostPatchPut {
                ask.range = Some(&range);
            }
            let content = &mut self.content;
            let response =
                client.send_with(ask, len, |sink| content.write(&tail, at, len, sink))?;
            location = location_of(&response)?;
            at += len;
        }
        let path = with_digest(&location, &digest);
        let response = client.send(Ask::new("PUT", &path, 201), &[])?;
        named(client, &response, &digest)
    }
}

/// Mounts of blobs that another repository has.
struct Mounts {
    from: String,
    into: String,
    digests: Vec<String>,
    again: bool,
    n: usize,
}

impl Unit for Mounts {
    fn perform(&mut self, client: &mut Client) -> Result<()> {
        let (round, at) = (self.n / self.digests.len(), self.n % self.digests.len());
        self.n += 1;
        let Some(digest) = self.digests.get(at) else {
            return Ok(());
        };
        // What is mounted already would not be mounted again, so each round has a repository of its own.
        let (into, from) = (&self.into, &self.from);
        let path = match round {
            _ if self.again => format!("/v2/{into}/blobs/uploads/?mount={digest}&from={from}"),
            0 => format!("/v2/{into}/blobs/uploads/?mount={digest}&from={from}"),
            _ => format!("/v2/{into}-{round}/blobs/uploads/?mount={digest}&from={from}"),
        };
        let response = client.send(Ask::new("POST", &path, 201), &[])?;
        named(client, &response, digest)
    }
}

/// Asks for an upload and says where its bytes go.
pub(super) fn begin_upload(client: &mut Client, repository: &str) -> Result<String> {
    let path = format!("/v2/{repository}/blobs/uploads/");
    location_of(&client.send(Ask::new("POST", &path, 202), &[])?)
}

fn location_of(response: &Response) -> Result<String> {
    let location = response.location().context("an answer without Location")?;
    Ok(location.to_owned())
}

/// The place of an upload with the digest that finishes it.
pub(super) fn with_digest(location: &str, digest: &str) -> String {
    let sign = if location.contains('?') { '&' } else { '?' };
    format!("{location}{sign}digest={digest}")
}

/// Checks the digest in an answer, where the server names one.
pub(super) fn named(client: &Client, response: &Response, digest: &str) -> Result<()> {
    if let Some(named) = response.header("docker-content-digest") {
        ensure!(named == digest, "the server took {digest} for {named}");
        client.verified();
    }
    Ok(())
}
