//! One sync for all who ask at about the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault::Failure;

/// How a sync went.
pub(crate) type Outcome = Result<(), Failure>;

/// What is told how it went.
pub(crate) type Waiter = Box<dyn FnOnce(&Outcome) + Send>;

/// Those who are concerned by the next sync of one thing, and whether anybody wants it now. It answers everybody who joined
/// before it *began*: one that was under way already may have missed what they are about.
#[derive(Default)]
pub(crate) struct Gather(Mutex<State>);

#[derive(Default)]
struct State {
    running: bool,
    wanted: bool,
    joined: Vec<Waiter>,
}

impl Gather {
    /// Adds somebody to be told of the next sync, without asking for one.
    pub(crate) fn join(&self, waiter: Waiter) {
        self.state().joined.push(waiter);
    }

    /// Asks for a sync. `true` when nobody is at it, and the caller has to see to it that [`Gather::serve`] runs.
    #[must_use]
    pub(crate) fn want(&self) -> bool {
        let mut state = self.state();
        state.wanted = true;
        !std::mem::replace(&mut state.running, true)
    }

    /// Syncs as long as it is wanted and concerns anybody.
    pub(crate) fn serve(&self, sync: impl Fn() -> Outcome) {
        loop {
            let joined = {
                let mut state = self.state();
                // Wanted by somebody who was told meanwhile, it is not done for nobody.
                if !std::mem::take(&mut state.wanted) || state.joined.is_empty() {
                    state.running = false;
                    return;
                }
                std::mem::take(&mut state.joined)
            };
            let outcome = sync();
            for waiter in joined {
                waiter(&outcome);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            gather.join(Box::new(move |_| {
                heard.send((who, begun.load(Ordering::SeqCst))).unwrap();
            }));
            who.is_multiple_of(2) && gather.want()
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
            assert!(!ask(who), "somebody is at it, or nobody wants it");
        }
        gate.send(()).unwrap();
        gate.send(()).unwrap();
        server.join().unwrap();
        let answers: Vec<_> = answers.try_iter().collect();
        assert_eq!(answers, [(0, 1), (1, 2), (2, 2), (3, 2), (4, 2), (5, 2)]);
        assert!(!ask(7), "nobody wants it");
        assert!(ask(8), "the server has left");
    }
}
