//! What could not be read while it was being sent, until somebody looks into it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::location::Location;

/// How many places are remembered. A disk that fails everywhere says nothing new with the next one.
const MOST: usize = 256;

/// Places that gave trouble, each once, in the order it was noticed.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    noticed: Mutex<VecDeque<Location>>,
    some: Notify,
}

impl Troubles {
    /// Remembers that `at` gave trouble.
    pub(crate) fn at(&self, at: &Location) {
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.len() < MOST && !noticed.contains(at) {
            noticed.push_back(at.clone());
            self.some.notify_one();
        }
    }

    /// Waits for the next.
    pub(crate) async fn next(&self) -> Location {
        loop {
            let next = {
                let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
                noticed.pop_front()
            };
            match next {
                Some(at) => return at,
                None => self.some.notified().await,
            }
        }
    }
}
