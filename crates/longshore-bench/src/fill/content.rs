//! What a filled store holds: valid manifests, as small as those of small images.

use longshore_meta::manifests::ManifestRow;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::manifest::{Limits, View};

use anyhow::Result;

/// Something with a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Piece {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self {
            digest: Digest::of(Algorithm::Sha256, bytes),
            size: bytes.len() as u64,
        }
    }
}

/// A manifest, ready to be written.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) row: ManifestRow,
    pub(super) bytes: Vec<u8>,
    /// Its config and its layer.
    pub(super) needs: [Piece; 2],
}

impl Made {
    /// An image of a config and a layer; one that says what it is about is a referrer, of the artifact type `kind`.
    pub(super) fn new(config: Piece, layer: Piece, about: Option<(Piece, &str)>) -> Result<Self> {
        let about = about.map_or_else(String::new, |(subject, kind)| {
            let image = descriptor("manifest.v1+json", subject);
            format!(r#","artifactType":"application/vnd.example.{kind}","subject":{image}"#)
        });
        let bytes = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]{about}}}"#,
            descriptor("config.v1+json", config),
            descriptor("layer.v1.tar+gzip", layer),
        )
        .into_bytes();
        // Read as a push would read it: what a push would refuse is not to be measured.
        let view = View::parse(&bytes, None, &Limits::default())?;
        let Piece { digest, size } = Piece::of(&bytes);
        let row = ManifestRow::of(&view, digest, size)?;
        Ok(Self {
            row,
            bytes,
            needs: [config, layer],
        })
    }

    pub(super) fn piece(&self) -> Piece {
        Piece {
            digest: self.row.digest,
            size: self.row.size,
        }
    }
}

fn descriptor(kind: &str, piece: Piece) -> String {
    let Piece { digest, size } = piece;
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#
    )
}
