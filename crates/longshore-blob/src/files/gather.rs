//! One sync for all who ask at about the same time.

use std::sync::{Mutex, PoisonError};

use super::fault::Failure;

/// How a sync went.
pub(crate) type Outcome = Result<(), Failure>;

/// What is told how it went.
pub(crate) type Waiter = Box<dyn FnOnce(&Outcome) + Send>;

/// Those who wait for the next sync of one thing. A request is answered by a sync that *began* after it was made: one that
/// was under way already may have missed what the request is about.
#[derive(Default)]
pub(crate) struct Gather(Mutex<State>);

#[derive(Default)]
struct State {
    running: bool,
    waiting: Vec<Waiter>,
}

impl Gather {
    /// Adds a request. `true` when nobody is serving requests, and the caller has to see to it that [`Gather::serve`] runs.
    #[must_use]
    pub(crate) fn request(&self, waiter: Waiter) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.push(waiter);
        !std::mem::replace(&mut state.running, true)
    }

    /// Syncs until nobody waits any more.
    pub(crate) fn serve(&self, sync: impl Fn() -> Outcome) {
        loop {
            let waiting = {
                let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if state.waiting.is_empty() {
                    state.running = false;
                    return;
                }
                std::mem::take(&mut state.waiting)
            };
            let outcome = sync();
            for waiter in waiting {
                waiter(&outcome);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn those_who_come_during_a_sync_share_the_next_one_and_none_gets_the_one_that_ran() {
        let gather = Arc::new(Gather::default());
        let begun = Arc::new(AtomicUsize::new(0));
        let (heard, answers) = mpsc::channel();
        let (gate, open) = mpsc::channel::<()>();
        let ask = |who: u32| {
            let (heard, begun) = (heard.clone(), Arc::clone(&begun));
            gather.request(Box::new(move |_| {
                heard.send((who, begun.load(Ordering::SeqCst))).unwrap();
            }))
        };
        assert!(ask(0));
        let server = {
            let (gather, begun) = (Arc::clone(&gather), Arc::clone(&begun));
            std::thread::spawn(move || {
                gather.serve(|| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    open.recv().unwrap();
                    Ok(())
                });
            })
        };
        while begun.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        for who in 1..=5 {
            assert!(!ask(who), "somebody is serving");
        }
        gate.send(()).unwrap();
        gate.send(()).unwrap();
        server.join().unwrap();
        let answers: Vec<_> = answers.try_iter().collect();
        assert_eq!(answers, [(0, 1), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2)]);
        assert!(ask(6), "the server has left");
    }
}
