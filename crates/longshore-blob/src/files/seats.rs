//! One writer at a time for each stage.
//!
//! The rows of the database decide who may go on with an upload. This is about what outlives a request: a piece of a body
//! that a thread is still writing when its request is gone must not land in the file after the next request has begun.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::{Code, Error, Result};
use tokio::sync::Notify;

use super::open::Lock;
use crate::location::Location;

pub(crate) struct Seats {
    taken: Mutex<HashMap<Location, Arc<AtomicBool>>>,
    left: Notify,
    lock: Arc<Lock>,
}

/// The right to write to a stage; goes with whatever writes, to other threads too.
pub(crate) struct Seat {
    key: Location,
    seats: Arc<Seats>,
    /// A thread that still writes keeps other processes out.
    _lock: Arc<Lock>,
}

/// What a request holds of its seat. Dropped, it says that nobody waits for the writer any more and its end is near.
pub(crate) struct Hold(Arc<AtomicBool>);

impl Hold {
    /// For whoever writes: whether the request is gone.
    pub(crate) fn watch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Seats {
    pub(crate) fn new(lock: Lock) -> Self {
        Self {
            taken: Mutex::default(),
            left: Notify::new(),
            lock: Arc::new(lock),
        }
    }

    /// Takes the seat of the stage `key`. Waits for a writer whose request is gone.
    ///
    /// # Errors
    /// `UploadBusy` when another request holds it.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: &Location,
        offset: u64,
    ) -> Result<(Seat, Hold)> {
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            // Before looking, so that a seat that is left in between is not missed.
            left.as_mut().enable();
            {
                let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
                match taken.get(key) {
                    None => {
                        let gone = Arc::new(AtomicBool::new(false));
                        taken.insert(key.clone(), Arc::clone(&gone));
                        let seat = Seat {
                            key: key.clone(),
                            seats: Arc::clone(self),
                            _lock: Arc::clone(&self.lock),
                        };
                        return Ok((seat, Hold(gone)));
                    }
                    Some(gone) if gone.load(Ordering::Acquire) => {}
                    Some(_) => {
                        let busy = Error::new(
                            Code::UploadBusy,
                            "another request is writing to this upload",
                        );
                        return Err(busy.at_offset(offset));
                    }
                }
            }
            left.await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
        self.seats.left.notify_waiters();
    }
}
