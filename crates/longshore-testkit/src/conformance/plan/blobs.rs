//! Every way to push a blob, with content of its own for each.

use longshore_spec::digest::Algorithm;

use crate::content::{Maker, Piece};

use super::super::Api;
use super::super::blob_push::Way;
use super::super::chunks::{CHUNK, Order};
use super::super::talk::Place;
use super::{Act, Plan, api};

const IN_ORDER: Order = Order {
    disturbed: false,
    last_with_put: false,
};
const LAST_WITH_PUT: Order = Order {
    disturbed: false,
    last_with_put: true,
};

impl Plan {
    /// Every way to push a blob, with content of its own for each.
    pub(super) fn blob_apis(&mut self, set: &'static str, algorithm: Algorithm) {
        self.set = set;
        let mut maker = Maker::new(algorithm.value_bytes() as u64).naming_with(algorithm);
        let absent = maker.blob(512).digest;
        self.add(
            "get what was never pushed",
            &[Api::BlobGet],
            Act::BlobAbsent(absent),
        );
        for (name, way) in [
            ("POST", Way::PostOnly),
            ("POST and PUT", Way::PostPut),
            ("stream", Way::Stream),
        ] {
            let blob = maker.blob(512);
            self.push(name, &blob, way, Place::Repo);
            self.read_and_delete(name, &blob);
        }
        let orders = [
            ("one chunk", 512, IN_ORDER),
            ("chunks", 3 * CHUNK - 5, IN_ORDER),
            ("chunks, the last with PUT", 3 * CHUNK - 5, LAST_WITH_PUT),
            (
                "chunks out of order",
                3 * CHUNK - 5,
                Order {
                    disturbed: true,
                    ..IN_ORDER
                },
            ),
            (
                "chunks out of order, the last with PUT",
                3 * CHUNK - 5,
                Order {
                    disturbed: true,
                    ..LAST_WITH_PUT
                },
            ),
        ];
        for (name, length, order) in orders {
            let blob = maker.blob(length);
            self.push(name, &blob, Way::Chunks(order), Place::Repo);
            self.read_and_delete(name, &blob);
        }
        self.mounts(&mut maker);
        self.cancel(&mut maker);
        self.ranges(&mut maker);
        for (name, blob) in [
            ("empty blob", maker.blob(0)),
            ("empty JSON", maker.nothing()),
        ] {
            self.push(name, &blob, Way::PostPut, Place::Repo);
            self.read_and_delete(name, &blob);
        }
        let ways = [
            ("POST", Way::PostOnly),
            ("POST and PUT", Way::PostPut),
            ("stream", Way::Stream),
            ("chunks", Way::Chunks(IN_ORDER)),
            ("chunks, the last with PUT", Way::Chunks(LAST_WITH_PUT)),
        ];
        for (name, way) in ways {
            let (named, sent) = (maker.blob(3 * CHUNK - 5), maker.blob(3 * CHUNK - 5));
            let piece = Piece {
                bytes: sent.bytes,
                ..named
            };
            self.add(
                format!("{name}: wrong digest"),
                &[api(way)],
                Act::PushBadBlob { piece, way },
            );
        }
    }

    fn mounts(&mut self, maker: &mut Maker) {
        for (name, api, named) in [
            ("mount", Api::BlobMount, true),
            ("mount without source", Api::BlobMountAnonymous, false),
        ] {
            let blob = maker.blob(512);
            self.push(
                &format!("{name}: source"),
                &blob,
                Way::PostPut,
                Place::Other,
            );
            self.add(
                name,
                &[api],
                Act::Mount {
                    piece: blob.clone(),
                    named,
                },
            );
            self.read_and_delete(name, &blob);
            self.delete_blob(&format!("{name}: source"), blob.digest, Place::Other, true);
        }
        let blob = maker.blob(512);
        self.add(
            "mount of nothing",
            &[Api::BlobMount],
            Act::MountMissing(blob.clone()),
        );
        self.read_and_delete("mount of nothing", &blob);
    }

    fn cancel(&mut self, maker: &mut Maker) {
        self.add("cancel", &[Api::BlobPush, Api::BlobCancel], Act::Cancel);
        self.delete_blob("cancel", maker.blob(512).digest, Place::Repo, false);
    }

    fn ranges(&mut self, maker: &mut Maker) {
        let blob = maker.blob(2048);
        self.push("ranges", &blob, Way::PostPut, Place::Repo);
        let ranges = [
            ("500-1499", Some(500..1500)),
            ("500-", Some(500..2048)),
            ("-500", Some(1548..2048)),
            ("2000-5000", Some(2000..2048)),
            ("500-0", None),
            ("5000-10000", None),
        ];
        for (asked, gets) in ranges {
            let act = Act::GetRange {
                piece: blob.clone(),
                asked,
                gets,
            };
            self.add(format!("range {asked}"), &[Api::BlobGetRange], act);
        }
        self.delete_blob("ranges", blob.digest, Place::Repo, true);
    }
}
