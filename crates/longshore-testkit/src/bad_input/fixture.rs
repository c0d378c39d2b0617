//! What the registry holds while the table runs, and the names by which rows speak of it.
//!
//! | name | what |
//! |---|---|
//! | `<D>` `<len>` | a layer in `acme/app`, and its length (3000) |
//! | `<C>` | a config in `acme/app` |
//! | `<O>` | a blob that is in `acme/other` only |
//! | `<X>` `<X512>` | digests of nothing |
//! | `<E>` | the digest of no bytes at all |
//! | `<M>` | a manifest of `acme/app`, tagged `v1` and `v2` |
//! | `<I>` | an index of `acme/app` that lists `<M>`, tagged `list` |
//! | `<config>` `<layer>` `<foreign>` `<child>` | descriptors of `<C>`, of `<D>`, of a blob in `acme/other`, of `<M>` |
//! | `<image>` | a whole manifest like `<M>` that was not pushed; `<image-digest>` is its digest |
//! | `<U>` `<V>` | a new upload session of `acme/app`, of `acme/other` |
//! | `<V-here>` | the id of `<V>`, in `acme/app` |
//! | `<hello>` | the digest of the bytes `hello` |
//!
//! `<text*n>` is `text` n times.

use std::io;

use bytes::Bytes;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::media::MediaType;

use super::{Target, Who};
use crate::content::{Dress, Maker, Piece};
use crate::wire::Ask;

/// The repository that rows are about.
pub(super) const REPO: &str = "acme/app";
const OTHER: &str = "acme/other";

/// What was pushed.
#[derive(Debug)]
pub(super) struct Fixture {
    names: Vec<(&'static str, String)>,
}

impl Fixture {
    /// Fills an empty registry.
    pub(super) async fn push(target: &mut impl Target) -> io::Result<Self> {
        let mut maker = Maker::new(20);
        let noise = maker.draw.bytes(3000);
        let layer = maker.piece(&MediaType::OCI_LAYER_GZIP, noise);
        let config = maker.config("amd64");
        let foreign = maker.blob(400);
        let nothing = maker.piece(&MediaType::OCTET_STREAM, Bytes::new());
        let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
        let index = maker.index(std::slice::from_ref(&image), &Dress::default());
        let unpushed = maker.image(
            &config,
            std::slice::from_ref(&layer),
            &Dress::kind("test/unpushed"),
        );
        for (repo, blob) in [
            (REPO, &layer),
            (REPO, &config),
            (REPO, &nothing),
            (OTHER, &foreign),
        ] {
            blob_push(target, repo, blob).await?;
        }
        for (tag, manifest) in [("v1", &image), ("v2", &image), ("list", &index)] {
            manifest_push(target, tag, manifest).await?;
        }
        let absent = |algorithm| Digest::of(algorithm, b"what nobody pushed").to_string();
        Ok(Self {
            names: vec![
                ("D", layer.digest.to_string()),
                ("len", layer.size().to_string()),
                ("C", config.digest.to_string()),
                ("O", foreign.digest.to_string()),
                ("X", absent(Algorithm::Sha256)),
                ("X512", absent(Algorithm::Sha512)),
                ("E", nothing.digest.to_string()),
                ("M", image.digest.to_string()),
                ("I", index.digest.to_string()),
                ("config", config.descriptor().to_string()),
                ("layer", layer.descriptor().to_string()),
                ("foreign", foreign.descriptor().to_string()),
                ("child", image.descriptor().to_string()),
                (
                    "image",
                    String::from_utf8_lossy(&unpushed.bytes).into_owned(),
                ),
                ("image-digest", unpushed.digest.to_string()),
                ("hello", Digest::of(Algorithm::Sha256, b"hello").to_string()),
                (
                    "hello512",
                    Digest::of(Algorithm::Sha512, b"hello").to_string(),
                ),
                ("U", String::new()),
                ("V", String::new()),
                ("V-here", String::new()),
            ],
        })
    }

    /// Opens the sessions that `row` speaks of.
    pub(super) async fn open(
        &mut self,
        target: &mut impl Target,
        row: &super::Row,
    ) -> io::Result<()> {
        let speaks_of = |name: &str| row.steps.iter().any(|step| step.target.contains(name));
        for (name, path) in [
            ("U", "/v2/acme/app/blobs/uploads/"),
            ("V", "/v2/acme/other/blobs/uploads/"),
        ] {
            if !speaks_of(&format!("<{name}>")) {
                continue;
            }
            let answer = target.send(Who::Owner, &Ask::new("POST", path)).await?;
            let location = answer
                .location()
                .ok_or_else(|| io::Error::other(format!("no session: {answer}")))?;
            self.name(name, location.to_owned());
            if name == "V" {
                self.name("V-here", location.replace(OTHER, REPO));
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &str, value: String) {
        if let Some((_, old)) = self.names.iter_mut().find(|(known, _)| *known == name) {
            *old = value;
        }
    }

    /// A text with its names and repetitions written out.
    pub(super) fn write_out(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            let name = format!("<{name}>");
            if text.contains(&name) {
                text = text.replace(&name, value);
            }
        }
        repeat(&text)
    }
}

/// Writes `<text*n>` out.
fn repeat(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let inside = from[1..].split_once('>').and_then(|(inside, after)| {
            let (what, times) = inside.rsplit_once('*')?;
            Some((what.repeat(times.parse().ok()?), after))
        });
        if let Some((repeated, after)) = inside {
            out.push_str(&repeated);
            rest = after;
        } else {
            out.push('<');
            rest = &from[1..];
        }
    }
    out + rest
}

async fn blob_push(target: &mut impl Target, repo: &str, blob: &Piece) -> io::Result<()> {
    let path = format!("/v2/{repo}/blobs/uploads/");
    let answer = target.send(Who::Owner, &Ask::new("POST", path)).await?;
    let location = answer
        .location()
        .ok_or_else(|| io::Error::other(format!("no session: {answer}")))?;
    let join = if location.contains('?') { '&' } else { '?' };
    let close = Ask::new("PUT", format!("{location}{join}digest={}", blob.digest))
        .sized(blob.bytes.clone());
    expect(target, close).await
}

async fn manifest_push(target: &mut impl Target, tag: &str, manifest: &Piece) -> io::Result<()> {
    let put = Ask::new("PUT", format!("/v2/{REPO}/manifests/{tag}"))
        .header("content-type", manifest.media_type.as_str())
        .sized(manifest.bytes.clone());
    expect(target, put).await
}

async fn expect(target: &mut impl Target, ask: Ask) -> io::Result<()> {
    let answer = target.send(Who::Owner, &ask).await?;
    if answer.status == 201 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the fixture was not taken:\n{ask}{answer}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_written_out_and_other_brackets_stay() {
        assert_eq!(repeat("x<ab*3>y<c*2>"), "xabababycc");
        assert_eq!(
            repeat("<script>alert(1)</script> < <b>"),
            "<script>alert(1)</script> < <b>"
        );
    }
}
