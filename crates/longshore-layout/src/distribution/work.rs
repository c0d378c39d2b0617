//! Doing many small reads at once: on a cold disk each waits for it, and waiting together takes no longer.

use std::thread;

/// How many threads read at once for one repository.
const READERS: usize = 8;
/// Fewer things than this are not worth a thread.
const WORTH: usize = 16;

/// `work` on each of `items`, on several threads; answers in the order of the items.
pub(super) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(READERS).max(WORTH);
    if items.len() <= share {
        return items.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<_>>()))
            .collect();
        let mut answers = Vec::with_capacity(items.len());
        for thread in threads {
            match thread.join() {
                Ok(part) => answers.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_items_however_many_there_are() {
        for count in [0, 1, WORTH, WORTH + 1, 1_000] {
            let items: Vec<_> = (0..count).collect();
            assert_eq!(each(&items, |item| *item), items);
        }
    }
}
