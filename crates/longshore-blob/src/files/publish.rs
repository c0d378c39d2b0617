//! From a stage to a blob: the digest is checked, the file gets its name, its sync begins.

use std::fs::File;
use std::sync::Arc;

use longshore_core::{Code, Error, Result};
use longshore_spec::{Digest, Hasher};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Files;
use super::fault;
use super::writer::{absent, cut, recognise, reread};
use crate::location::Location;
use crate::stage::{Stage, lost};
use crate::store::Stored;

impl Files {
    pub(crate) async fn publish_stage(&self, stage: &Stage, digest: &Digest) -> Result<Stored> {
        self.maker.syncs.writable()?;
        // Dropped from here on, only staged bytes stay: the name is given below, between two awaits.
        let (_seat, _hold) = self.seats.take(stage.key(), stage.offset()).await?;
        let room = self.maker.syncs.room().await?;
        let location = name(stage, digest)?;
        let (file, published) = match self.maker.root.open(stage.key().as_str(), OFlags::RDWR) {
            Ok(file) => (File::from(file), false),
            // A second call, or the first of a process that was killed before it could say so.
            Err(Errno::NOENT) => (
                File::from(self.maker.root.open_file(&location).map_err(absent)?),
                true,
            ),
            Err(error) => return Err(fault::storage(error)),
        };
        if published {
            let found = file.metadata().map_err(fault::storage)?.len();
            if found != stage.offset() {
                return Err(lost(
                    "the published file has another length than the upload's row says",
                ));
            }
        } else {
            cut(&file, stage.offset())?;
        }
        let file = Arc::new(file);
        self.verify(stage, &file, digest).await?;

        let (dir, _) = self
            .maker
            .hours
            .existing(&self.maker.root, location.parent())
            .map_err(absent)?;
        #[cfg(feature = "broken")]
        if !published && crate::broken::is("commit-before-rename") {
            let (dir, from, to) = (Arc::clone(&dir), stage.key().clone(), location.clone());
            crate::broken::late(move || {
                let _ = rustix::fs::renameat(dir.fd(), from.name(), dir.fd(), to.name());
            });
            return Ok(Stored {
                location,
                size: stage.offset(),
            });
        }
        if !published {
            rustix::fs::renameat(dir.fd(), stage.key().name(), dir.fd(), location.name())
                .map_err(absent)?;
        }
        let file = file.try_clone().map_err(fault::storage)?;
        self.maker.syncs.start(&location, file, dir, room);
        Ok(Stored {
            location,
            size: stage.offset(),
        })
    }

    /// Compares the digest. The hash that came with the bytes is enough, unless it is of another algorithm: then the bytes are read
    /// again. They are too when the machine has been down since; what it lost is told as that, and not as a wrong digest.
    async fn verify(&self, stage: &Stage, file: &Arc<File>, digest: &Digest) -> Result<()> {
        #[cfg(feature = "broken")]
        if crate::broken::is("publish-before-verify") {
            return Ok(());
        }
        if stage.witness() != self.witness {
            recognise(&self.hashing, file, stage).await?;
        }
        let hasher = if stage.algorithm() == digest.algorithm() {
            stage.hasher()?
        } else {
            let new = Hasher::new(digest.algorithm());
            reread(&self.hashing, file, stage.offset(), new, stage.key()).await?
        };
        same(&hasher.finish(), digest)
    }
}

/// # Errors
/// `DigestInvalid` when they are two.
pub(crate) fn same(found: &Digest, digest: &Digest) -> Result<()> {
    if found == digest {
        return Ok(());
    }
    Err(Error::new(
        Code::DigestInvalid,
        "the digest is not that of the bytes that came",
    ))
}

/// The name of a published blob; see [`name`].
pub(crate) fn name_of(digest: &Digest, id: &str) -> String {
    format!("{}-{}.{id}", digest.algorithm(), digest.hex())
}

/// The name a stage is published under: `<algorithm>-<hex>.<upload id>` in the directory it was staged in. The id keeps two
/// uploads of the same content apart, so that removing one never takes the other; the digest lets a database be rebuilt.
fn name(stage: &Stage, digest: &Digest) -> Result<Location> {
    let id = stage
        .key()
        .name()
        .strip_suffix(super::STAGED)
        .ok_or_else(|| lost("not a stage of this store"))?;
    stage
        .key()
        .sibling(&name_of(digest, id))
        .map_err(Error::internal)
}
