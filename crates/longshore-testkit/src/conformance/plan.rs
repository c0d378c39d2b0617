//! The points, in order.

mod blobs;
mod life;

use std::ops::Range;

use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::reference::Reference;

use crate::content::{Maker, Piece};

use super::blob_push::Way;
use super::made::Referrers;
use super::talk::Place;
use super::{Api, Point, data};

/// What is asked of the server.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Ping,
    TagsOfNothing,
    ReferrersOfNothing(Digest),
    Tags(Vec<String>),
    Referrers(Referrers),
    PushBlob {
        piece: Piece,
        way: Way,
        to: Place,
    },
    PushBadBlob {
        piece: Piece,
        way: Way,
    },
    Cancel,
    Mount {
        piece: Piece,
        named: bool,
    },
    MountMissing(Piece),
    BlobAbsent(Digest),
    HeadBlob(Piece),
    GetBlob(Piece),
    GetRange {
        piece: Piece,
        asked: &'static str,
        gets: Option<Range<usize>>,
    },
    DeleteBlob {
        digest: Digest,
        from: Place,
        there: bool,
    },
    BlobGone {
        digest: Digest,
        from: Place,
    },
    PutManifest {
        piece: Piece,
        at: Reference,
        tags: Vec<String>,
        subject: Option<Digest>,
    },
    PutOtherBytes {
        digest: Digest,
        piece: Piece,
    },
    PutMalformed(Piece),
    GetMalformed,
    HeadManifest {
        piece: Piece,
        at: Reference,
    },
    GetManifest {
        piece: Piece,
        at: Reference,
    },
    ManifestAbsent(Reference),
    DeleteManifest {
        at: Reference,
        there: bool,
    },
    ManifestGone(Reference),
}

/// Every point, in the order in which they are asked.
pub fn points() -> Vec<Point> {
    let mut plan = Plan {
        set: "registry",
        points: Vec::new(),
    };
    plan.add("is a registry", &[Api::Ping], Act::Ping);
    plan.add(
        "tags before the first push",
        &[Api::TagList],
        Act::TagsOfNothing,
    );
    let nothing = Maker::new(0).blob(1).digest;
    plan.add(
        "referrers before the first push",
        &[Api::Referrers],
        Act::ReferrersOfNothing(nothing),
    );
    plan.blob_apis("blobs-sha256", Algorithm::Sha256);
    plan.blob_apis("blobs-sha512", Algorithm::Sha512);
    for set in data::sets() {
        plan.life_of(&set);
    }
    plan.errors();
    plan.points
}

struct Plan {
    set: &'static str,
    points: Vec<Point>,
}

impl Plan {
    fn add(&mut self, name: impl Into<String>, apis: &[Api], act: Act) {
        self.points.push(Point {
            set: self.set,
            name: name.into(),
            apis: apis.to_vec(),
            act,
        });
    }

    fn push(&mut self, name: &str, piece: &Piece, way: Way, to: Place) {
        let act = Act::PushBlob {
            piece: piece.clone(),
            way,
            to,
        };
        self.add(format!("{name}: push"), &[api(way), Api::BlobPush], act);
    }

    fn read(&mut self, name: &str, piece: &Piece) {
        self.add(
            format!("{name}: head"),
            &[Api::BlobHead],
            Act::HeadBlob(piece.clone()),
        );
        self.add(
            format!("{name}: get"),
            &[Api::BlobGet],
            Act::GetBlob(piece.clone()),
        );
    }

    fn read_and_delete(&mut self, name: &str, piece: &Piece) {
        self.read(name, piece);
        self.delete_blob(name, piece.digest, Place::Repo, true);
    }

    fn delete_blob(&mut self, name: &str, digest: Digest, from: Place, there: bool) {
        self.add(
            format!("{name}: delete"),
            &[Api::BlobDelete],
            Act::DeleteBlob {
                digest,
                from,
                there,
            },
        );
        self.add(
            format!("{name}: is gone"),
            &[Api::BlobDeleteAtomic],
            Act::BlobGone { digest, from },
        );
    }
}

fn api(way: Way) -> Api {
    match way {
        Way::PostOnly => Api::BlobPostOnly,
        Way::PostPut => Api::BlobPostPut,
        Way::Stream => Api::BlobStream,
        Way::Chunks(_) => Api::BlobChunked,
    }
}
