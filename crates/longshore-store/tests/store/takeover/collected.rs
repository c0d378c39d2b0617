//! Collection beside a takeover, and after it.

use std::sync::Mutex;

use longshore_store::Ask;
use longshore_store::check::{Check, CheckOptions};

use super::*;
use crate::check::Codes;

const DAY: Duration = Duration::from_hours(24);

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Clock(Arc<Mutex<SystemTime>>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(clock()())))
    }

    async fn open(&self, root: &Path) -> Store {
        let time = self.0.clone();
        let clock = Arc::new(move || *time.lock().unwrap());
        open_with(root, Options::default(), clock).await
    }

    /// Collects twice, days later: once to take blobs out of sight, once to remove their bytes.
    async fn collect(&self, store: &Store) -> Option<String> {
        let ask = Ask {
            accept_clock: true,
            hurry: true,
            ..Ask::default()
        };
        let mut paused = None;
        for _ in 0..2 {
            *self.0.lock().unwrap() += 3 * DAY;
            paused = store.gc(&ask, &|_| {}).await.unwrap().paused;
        }
        paused
    }
}

#[tokio::test]
async fn nothing_is_collected_while_a_repository_may_still_turn_out_to_need_it() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let image = tree.push("b", &mut Maker::new(1), "1.0");
    // Held by a repository that does not need it, and that is through first.
    tree.put_blob("a", &image.layer);
    let clock = Clock::new();
    let store = clock.open(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    takeover.ready(&repo("a")).await.unwrap();
    let paused = clock.collect(&store).await;
    assert!(paused.is_some_and(|why| why.contains("taken over")));
    let check = Check::of_running(&store, CheckOptions::default());
    let refused = check.run(&mut Codes::default()).await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::Unavailable,
        "half a takeover is not checked"
    );
    takeover.run().await.unwrap();
    let got = all(&store, "b", &image.layer.digest).await;
    assert_eq!(got.as_deref(), Some(&image.layer.bytes[..]));
    assert_eq!(clock.collect(&store).await, None);
    let got = all(&store, "b", &image.layer.digest).await;
    assert_eq!(got.as_deref(), Some(&image.layer.bytes[..]));
}

#[tokio::test]
async fn what_nobody_needs_any_more_is_removed_from_the_tree_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    let kept = tree.push("a", &mut maker, "kept");
    let orphan = maker.blob(500);
    tree.put_blob("a", &orphan);
    let untagged = maker.image(&kept.config, &[], &Dress::default());
    tree.put_manifest("a", &untagged, None);
    let clock = Clock::new();
    let store = clock.open(root.path()).await;
    begin(&store, root.path())
        .await
        .unwrap()
        .run()
        .await
        .unwrap();
    assert_eq!(clock.collect(&store).await, None);
    assert!(!tree.blob(&orphan.digest).exists(), "nobody needs it");
    for piece in [&kept.config, &kept.layer] {
        let got = all(&store, "a", &piece.digest).await;
        assert_eq!(got.as_deref(), Some(&piece.bytes[..]));
    }
    let got = manifest(&store, "a", &by_digest(&untagged)).await;
    assert!(
        got.is_some(),
        "what has no tag was kept by the old registry too"
    );
}
