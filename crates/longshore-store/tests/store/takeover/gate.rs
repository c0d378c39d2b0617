//! Asking for what is still to be taken over.

use longshore_layers::Behind as _;
use longshore_store::Arriving;

use super::*;

#[tokio::test]
async fn whoever_asks_first_finds_the_whole_repository_and_the_list_waits() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    let images: Vec<_> = ["a", "a/b", "c"]
        .map(|name| (name, tree.push(name, &mut maker, "1.0")))
        .into();
    let store = open_here(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    let served: Arc<dyn Registry> = Arc::new(store.clone());
    let served = served.behind(Arriving(takeover.clone()));
    let cx = alice();
    for (name, image) in &images {
        // What a client asks first is not always a manifest.
        let got = all(&*served, name, &image.layer.digest).await;
        assert_eq!(got.as_deref(), Some(&image.layer.bytes[..]), "{name}");
        assert!(manifest(&*served, name, &by_tag("1.0")).await.is_some());
    }
    let nowhere = served.stat_manifest(&cx, &repo("b"), &by_tag("1.0")).await;
    assert_eq!(nowhere.unwrap_err().code(), Code::NameUnknown);
    let window = Window {
        after: None,
        limit: 10,
    };
    let early = served.repositories(&cx, &window).await.unwrap_err();
    assert_eq!(early.code(), Code::Unavailable);
    assert!(early.wait().is_some(), "it says when to come again");
    takeover.run().await.unwrap();
    assert_eq!(
        served.repositories(&cx, &window).await.unwrap().items.len(),
        3
    );
    let (config, layer) = (&images[0].1.config, &images[2].1.layer);
    let mounted = served
        .mount_blob(&cx, &repo("new"), &layer.digest, Some(&repo("c")))
        .await;
    assert!(mounted.unwrap().is_some());
    let unlinked = all(&*served, "new", &config.digest).await;
    assert_eq!(unlinked, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_many_ask_for_at_once_is_taken_over_once() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    for tag in 0..30 {
        tree.push("a", &mut maker, &format!("t{tag}"));
        write(&tree.tag("a", &format!("broken{tag}")), b"");
    }
    let store = open_here(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    let name = repo("a");
    let asked = futures_util::future::join_all((0..50).map(|_| takeover.ready(&name)));
    let (asked, all) = tokio::join!(asked, takeover.run());
    all.unwrap();
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    let progress = takeover.progress();
    assert_eq!(
        (progress.manifests, progress.tags, progress.blobs),
        (30, 30, 60)
    );
    assert_eq!(findings(&store).await.len(), 30);
}

#[tokio::test]
async fn a_blob_mounted_from_a_repository_that_nobody_looked_at_yet_is_found() {
    let root = tempfile::tempdir().unwrap();
    let image = OldTree::new(root.path()).push("a", &mut Maker::new(1), "1.0");
    let store = open_here(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    let served: Arc<dyn Registry> = Arc::new(store);
    let served = served.behind(Arriving(takeover));
    let mounted = served
        .mount_blob(
            &alice(),
            &repo("new"),
            &image.layer.digest,
            Some(&repo("a")),
        )
        .await;
    assert!(mounted.unwrap().is_some());
}
