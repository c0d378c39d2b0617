//! The head of the audit log: what was signed last, remembered outside the database.
//!
//! The database alone cannot say that it once held more. So what was signed last is also in a file of the data directory, in the memory of
//! the running server, and now and then in its own log: whoever takes rows out of the database, or puts an older copy of it there, is
//! found out by any of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_core::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

/// What was signed last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Up to which row the log was forgotten by time. More may be there: this is written before they go.
    pub(crate) base: i64,
    /// The number of the row; 0: the log was empty.
    pub(crate) seq: i64,
    /// When it was signed, in microseconds.
    pub(crate) at: i64,
    /// The hash of the row, in hexadecimal.
    pub(crate) hash: String,
    /// The key that signed this.
    pub(crate) kid: String,
    /// Its signature, in hexadecimal.
    pub(crate) signature: String,
}

impl Head {
    /// What is signed.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"longshore audit head 1\n".to_vec();
        bytes.extend(self.base.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.hash.as_bytes());
        bytes
    }

    /// The hash of the row.
    pub(crate) fn hash(&self) -> Vec<u8> {
        hex::decode(&self.hash).unwrap_or_default()
    }

    /// The same, signed.
    pub(crate) fn signed_by(mut self, sign: &dyn super::Sign) -> Result<Self> {
        let (kid, signature) = sign.sign(&self.bytes())?;
        (self.kid, self.signature) = (kid, hex::encode(signature));
        Ok(self)
    }

    /// Whether it was signed here.
    pub(crate) fn holds(&self, sign: &dyn super::Sign) -> bool {
        let signature = hex::decode(&self.signature);
        signature.is_ok_and(|it| sign.verify(&self.kid, &self.bytes(), &it) == Some(true))
    }
}

/// What is known of the log besides what the database says. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    file: Option<PathBuf>,
    state: Mutex<State>,
    broken: AtomicBool,
}

/// What this process knows. Whoever signs, forgets rows or checks the log has it, one at a time.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What was signed last.
    pub(crate) head: Option<Head>,
    /// Whether the file says the same.
    pub(crate) saved: bool,
    /// When the head was told in the server's log, in microseconds.
    pub(crate) told: i64,
    /// Why nothing is signed any more.
    pub(crate) broken: Option<String>,
}

/// What the file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// There is no file, or none is wanted.
    Nothing,
    /// This.
    Head(Head),
    /// Nothing that was ever written into it.
    Garbage,
}

impl Ledger {
    /// One that is also kept in a file.
    pub(crate) fn in_file(file: PathBuf) -> Self {
        Self(Arc::new(Inner {
            file: Some(file),
            ..Inner::default()
        }))
    }

    /// The file, where there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// What this process knows.
    pub(crate) async fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().await
    }

    /// Whether the log was found not to be what was signed.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.broken.load(Ordering::Relaxed)
    }

    /// Says whether it was, for those who only look.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.0.broken.store(broken, Ordering::Relaxed);
    }

    /// What the file says.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be read.
    pub(crate) async fn load(&self) -> Result<Kept> {
        let Some(file) = self.0.file.clone() else {
            return Ok(Kept::Nothing);
        };
        let read = tokio::task::spawn_blocking(move || fs::read(file));
        match read.await.map_err(Error::internal)? {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_or(Kept::Garbage, Kept::Head)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::Nothing),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Makes the file say this. It says either this or what it said before, whenever the power goes.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub(crate) async fn save(&self, head: &Head) -> Result<()> {
        let Some(file) = self.0.file.clone() else {
            return Ok(());
        };
        let mut text = serde_json::to_vec(head).map_err(Error::internal)?;
        text.push(b'\n');
        let written = tokio::task::spawn_blocking(move || write(&file, &text));
        let written = written.await.map_err(Error::internal)?;
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Error {
        let file = self.file().unwrap_or(Path::new("audit.head")).display();
        let what = "the audit log cannot be signed just now";
        Error::new(Code::Unavailable, what)
            .because(io::Error::new(error.kind(), format!("{file}: {error}")))
    }
}

fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let next = file.with_extension("head.next");
    let mut out = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&next)?;
    out.write_all(text)?;
    out.sync_all()?;
    fs::rename(&next, file)?;
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
