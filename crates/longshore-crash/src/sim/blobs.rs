//! A blob store in memory that keeps what was synced and, of the rest, what the seed decides.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::pending;
use longshore_blob::{BlobStore, Location, Pace, Stage, Stored, arrivals};
use longshore_core::{ByteStream, Code, Error, Result, SignedUrl, body};
use longshore_spec::digest::{Algorithm, Digest, Hasher};

use super::platter::{Item, Platter};
use super::world::{World, now};

/// The store over a platter, in one life of the machine.
#[derive(Debug)]
pub(crate) struct SimBlobs {
    world: Arc<World>,
    platter: Arc<Mutex<Platter>>,
    busy: Mutex<BTreeSet<String>>,
    witness: u128,
}

/// The right to write to a stage.
struct Seat<'a>(&'a SimBlobs, String);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        lock(&self.0.busy).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lost() -> Error {
    Error::new(
        Code::BlobUploadUnknown,
        "the bytes of this upload were lost; start it again",
    )
}

fn last_part(at: &Location) -> &str {
    at.as_str().rsplit('/').next().unwrap_or_default()
}

fn hash(algorithm: Algorithm, bytes: &[u8]) -> Hasher {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher
}

impl SimBlobs {
    pub(crate) fn new(world: Arc<World>, platter: Arc<Mutex<Platter>>) -> Self {
        let witness = lock(&platter).boot;
        Self {
            world,
            platter,
            busy: Mutex::default(),
            witness,
        }
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        lock(&self.platter)
    }

    fn seat(&self, stage: &Stage) -> Result<Seat<'_>> {
        let key = stage.key().to_string();
        if !lock(&self.busy).insert(key.clone()) {
            let busy = Error::new(
                Code::UploadBusy,
                "another request is writing to this upload",
            );
            return Err(busy.at_offset(stage.offset()));
        }
        Ok(Seat(self, key))
    }

    fn place(name: &str) -> Result<Location> {
        // By the hour of arrival, as on a disk: collection looks for what was left by hours.
        format!("{}/{name}", arrivals(now())?)
            .parse()
            .map_err(Error::internal)
    }

    fn next_name(&self) -> String {
        let mut platter = self.platter();
        platter.names += 1;
        format!("{:032x}", platter.names)
    }

    fn bytes(&self, at: &Location) -> Option<Vec<u8>> {
        self.platter()
            .items
            .get(at.as_str())
            .map(|item| item.bytes.clone())
    }

    /// The stage's bytes, cut to its offset, and trusted only as far as this run of the machine knows them.
    fn staged(&self, stage: &Stage) -> Result<Hasher> {
        let mut platter = self.platter();
        let item = platter
            .items
            .get_mut(stage.key().as_str())
            .ok_or_else(lost)?;
        let offset = usize::try_from(stage.offset()).map_err(Error::internal)?;
        if item.bytes.len() < offset {
            return Err(lost());
        }
        item.bytes.truncate(offset);
        let known = stage.hasher()?;
        if stage.witness() != self.witness
            && hash(stage.algorithm(), &item.bytes).finish() != known.clone().finish()
        {
            return Err(lost());
        }
        Ok(known)
    }

    async fn append(
        &self,
        stage: &Stage,
        mut body: ByteStream,
        size: Option<u64>,
        most: u64,
        hasher: &mut Hasher,
        kept: &mut u64,
    ) -> Result<()> {
        let mut taken = 0_u64;
        loop {
            let frame = match body.try_next().await {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    return Err(match error.downcast::<Error>() {
                        Ok(error) => error,
                        Err(error) => {
                            Error::new(Code::BodyLost, "the body broke off").because(error)
                        }
                    });
                }
            };
            taken += frame.len() as u64;
            if taken > most {
                return Err(Error::new(
                    Code::TooLarge,
                    "larger than this registry takes",
                ));
            }
            if size.is_some_and(|size| taken > size) {
                return Err(Error::new(
                    Code::SizeInvalid,
                    "more came than was announced",
                ));
            }
            // Pieces, so that a crash or a failure may come between any two of them.
            for piece in frame.chunks(400) {
                self.world.step("write").await?;
                let mut platter = self.platter();
                let item = platter
                    .items
                    .get_mut(stage.key().as_str())
                    .ok_or_else(lost)?;
                item.bytes.extend_from_slice(piece);
                item.safe = false;
                hasher.update(piece);
                *kept += piece.len() as u64;
            }
        }
        if size.is_some_and(|size| taken < size) {
            return Err(Error::new(
                Code::SizeInvalid,
                "fewer came than were announced",
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl BlobStore for SimBlobs {
    async fn size(&self, at: &Location) -> Result<Option<u64>> {
        self.world.step("size").await?;
        Ok(self.bytes(at).map(|bytes| bytes.len() as u64))
    }

    async fn read(&self, at: &Location, size: u64, range: Range<u64>) -> Result<ByteStream> {
        self.world.step("read").await?;
        let bytes = self.bytes(at).filter(|bytes| bytes.len() as u64 == size);
        let bytes = bytes.ok_or_else(|| Error::internal("the registry has lost content"))?;
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let part = bytes[within(range.start)..within(range.end)].to_vec();
        Ok(body::once(Bytes::from(part)))
    }

    async fn sign(&self, _at: &Location, _ttl: Duration) -> Result<Option<SignedUrl>> {
        Ok(None)
    }

    async fn stage(&self, algorithm: Algorithm, _now: SystemTime) -> Result<Stage> {
        self.world.step("stage").await?;
        let key = Self::place(&format!("{}.part", self.next_name()))?;
        self.platter()
            .items
            .insert(key.to_string(), Item::default());
        Ok(Stage::new(key, algorithm, self.witness))
    }

    async fn extend(
        &self,
        stage: &mut Stage,
        body: ByteStream,
        size: Option<u64>,
        most: u64,
    ) -> Result<()> {
        if size.is_some_and(|size| size > most) {
            return Err(Error::new(
                Code::TooLarge,
                "larger than this registry takes",
            ));
        }
        let _seat = self.seat(stage)?;
        self.world.step("extend").await?;
        let mut hasher = self.staged(stage)?;
        let mut kept = stage.offset();
        let done = self
            .append(stage, body, size, most, &mut hasher, &mut kept)
            .await;
        stage.keep(kept, &hasher, self.witness);
        done
    }

    async fn publish(&self, stage: &Stage, digest: &Digest) -> Result<Stored> {
        let _seat = self.seat(stage)?;
        self.world.step("publish").await?;
        let id = last_part(stage.key()).trim_end_matches(".part");
        let folder = stage
            .key()
            .as_str()
            .trim_end_matches(last_part(stage.key()));
        let to = format!("{folder}{}-{}.{id}", digest.algorithm(), digest.hex());
        let to: Location = to.parse().map_err(Error::internal)?;
        let stored = Stored {
            location: to.clone(),
            size: stage.offset(),
        };
        if self.bytes(stage.key()).is_none() {
            // A second call, or the first of a process that was killed before it could say so.
            let there = self
                .bytes(&to)
                .filter(|bytes| bytes.len() as u64 == stage.offset());
            let there = there.ok_or_else(lost)?;
            if hash(digest.algorithm(), &there).finish() != *digest {
                return Err(lost());
            }
            return Ok(stored);
        }
        let known = self.staged(stage)?;
        let bytes = self.bytes(stage.key()).ok_or_else(lost)?;
        let found = if stage.algorithm() == digest.algorithm() {
            known.finish()
        } else {
            hash(digest.algorithm(), &bytes).finish()
        };
        if found != *digest {
            return Err(Error::new(
                Code::DigestInvalid,
                "the digest is not that of the bytes",
            ));
        }
        let mut platter = self.platter();
        if let Some(item) = platter.items.remove(stage.key().as_str()) {
            platter.items.insert(
                to.to_string(),
                Item {
                    safe: false,
                    ..item
                },
            );
        }
        Ok(stored)
    }

    async fn put(&self, content: &[Bytes], digest: &Digest, _now: SystemTime) -> Result<Stored> {
        let bytes = content.concat();
        if hash(digest.algorithm(), &bytes).finish() != *digest {
            return Err(Error::new(
                Code::DigestInvalid,
                "the digest is not that of the bytes",
            ));
        }
        self.world.step("put").await?;
        let name = format!(
            "{}-{}.{}",
            digest.algorithm(),
            digest.hex(),
            self.next_name()
        );
        let (location, size) = (Self::place(&name)?, bytes.len() as u64);
        let item = Item {
            bytes,
            ..Item::default()
        };
        self.platter().items.insert(location.to_string(), item);
        Ok(Stored { location, size })
    }

    async fn sync(&self, at: &Location) -> Result<()> {
        let failed = self.world.step("sync").await.is_err();
        let mut platter = self.platter();
        let Some(item) = platter.items.get_mut(at.as_str()) else {
            return Err(Error::internal("it is not there"));
        };
        item.failed |= failed;
        if item.failed {
            return Err(Error::new(
                Code::Unavailable,
                "the storage could not keep the content",
            ));
        }
        item.safe = true;
        Ok(())
    }

    async fn discard(&self, stage: &Stage) -> Result<()> {
        let _seat = self.seat(stage)?;
        self.world.step("discard").await?;
        self.platter().items.remove(stage.key().as_str());
        Ok(())
    }

    async fn remove(&self, at: &Location) -> Result<()> {
        self.world.step("remove").await?;
        let mut platter = self.platter();
        if let Some(item) = platter.items.remove(at.as_str())
            && item.safe
        {
            platter.removed.insert(at.to_string(), item);
        }
        Ok(())
    }

    async fn digest(
        &self,
        at: &Location,
        algorithm: Algorithm,
        _pace: &dyn Pace,
    ) -> Result<Option<(u64, Digest)>> {
        self.world.step("digest").await?;
        let bytes = self.bytes(at);
        Ok(bytes.map(|bytes| (bytes.len() as u64, hash(algorithm, &bytes).finish())))
    }

    async fn quarantine(&self, at: &Location) -> Result<Option<Location>> {
        self.world.step("quarantine").await?;
        let mut platter = self.platter();
        let Some(item) = platter.items.remove(at.as_str()) else {
            return Ok(None);
        };
        let to: Location = format!("quarantine/{}", last_part(at))
            .parse()
            .map_err(Error::internal)?;
        platter.items.insert(to.to_string(), item);
        Ok(Some(to))
    }

    async fn trouble(&self) -> Location {
        pending().await
    }

    async fn walk(&self, after: Option<&Location>, limit: usize) -> Result<Vec<(Location, u64)>> {
        self.world.step("walk").await?;
        let after = after.map_or("", Location::as_str);
        let platter = self.platter();
        let behind = platter
            .items
            .iter()
            .filter(|(name, _)| name.as_str() > after);
        behind
            .take(limit)
            .map(|(name, item)| {
                let at = name.parse().map_err(Error::internal)?;
                Ok((at, item.bytes.len() as u64))
            })
            .collect()
    }
}
