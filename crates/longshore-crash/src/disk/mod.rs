//! A disk that forgets: a file system of our own under the real program (T6).
//!
//! Journals hide mistakes: on ext4 the sync of one file commits the names of all. This file system promises what POSIX does and
//! nothing more, fails where it is told to, and at a power cut drops what was not synced. It is mounted through the kernel's
//! FUSE protocol, so the program under test, its threads and its SQLite are what is shipped.

mod change;
pub(crate) mod image;
pub(crate) mod plan;
mod serve;
mod wire;

use std::ffi::CString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use image::{Image, Keep};
use plan::{Class, Plan};
use serve::{MOST, State};

/// As much room as anybody needs.
const ROOM: u64 = 1 << 30;

/// A mounted disk; dropped, it is unmounted.
#[derive(Debug)]
pub(crate) struct Disk {
    at: PathBuf,
    state: Arc<Mutex<State>>,
    server: Option<JoinHandle<()>>,
}

impl Disk {
    /// Mounts `image` at the directory `at`, which is made.
    ///
    /// # Errors
    /// Without root, or without FUSE in the kernel.
    pub(crate) fn mount(image: Image, at: &Path) -> Result<Self> {
        std::fs::create_dir_all(at).with_context(|| format!("{} cannot be made", at.display()))?;
        let mut device = File::options()
            .read(true)
            .write(true)
            .open("/dev/fuse")
            .context("/dev/fuse cannot be opened; this mode needs root and FUSE")?;
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,max_read=131072",
            device.as_raw_fd()
        );
        let options = CString::new(options)?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("crash-disk", at, "fuse", flags, options.as_c_str())
            .context("a file system cannot be mounted; this mode needs root")?;
        let state = Arc::new(Mutex::new(State {
            image,
            fate: plan::Fate::default(),
            room: ROOM,
        }));
        let shared = Arc::clone(&state);
        let server = thread::spawn(move || {
            let mut buffer = vec![0; MOST as usize + (64 << 10)];
            // It ends when the file system is unmounted.
            while let Ok(len) = device.read(&mut buffer) {
                let (head, mut args) = wire::request(&buffer[..len]);
                let answer = lock(&shared).answer(&head, &mut args);
                if let Some(answer) = answer {
                    // A request that was interrupted wants no answer.
                    let _ = device.write_all(&answer);
                }
            }
        });
        Ok(Self {
            at: at.to_owned(),
            state,
            server: Some(server),
        })
    }

    /// What goes wrong from now on; operations are counted anew.
    pub(crate) fn plan(&self, plan: Option<Plan>) {
        lock(&self.state).fate.plan(plan);
    }

    /// The operations since the last plan, and how often it came true.
    pub(crate) fn seen(&self) -> (Vec<(Class, String)>, Vec<Class>) {
        let state = lock(&self.state);
        (state.fate.seen.clone(), state.fate.fired.clone())
    }

    /// How many operations there were since the last plan.
    pub(crate) fn count(&self) -> usize {
        lock(&self.state).fate.seen.len()
    }

    /// Whether the power is gone.
    pub(crate) fn is_cut(&self) -> bool {
        lock(&self.state).fate.cut
    }

    /// Takes the power away: nothing reaches the disk any more.
    pub(crate) fn cut(&self) {
        lock(&self.state).fate.cut = true;
    }

    /// What would be on it after a power cut now.
    pub(crate) fn after(&self, keep: Keep) -> Image {
        lock(&self.state).image.after_cut(keep)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if unmount(&self.at, UnmountFlags::DETACH).is_ok()
            && let Some(server) = self.server.take()
        {
            let _ = server.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
