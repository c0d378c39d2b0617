//! The trash and the history of tags: what was deleted or moved by mistake comes back.

use longshore_core::{Code, Parents, Registry as _};
use longshore_spec::name::Tag;

use super::bench::{Bench, DAY, image, index, large, name, options};
use super::check::check;
use crate::gc::{GcOptions, Untagged};
use crate::history::TagCause;

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_deleted_manifest_comes_back_with_its_blobs_and_its_tags() {
    let bench = Bench::new().await;
    let digest = bench.image("a", &["1", "2"], &[b"{}", &large("x")]).await;
    bench.delete("a", &digest).await;
    assert!(!bench.pulls("a", "1").await);
    bench.gc_after(13 * DAY).await;
    bench.image("a", &["2"], &[b"{\"a\":1}"]).await;
    let listed = bench.store.trash(None, 10).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].digest, listed[0].tags.len()), (digest, 2));
    assert_eq!(listed[0].deleted_by, "alice");
    assert_eq!(listed[0].outlook.freed.bytes, 40_002);
    let restored = bench
        .store
        .trash_restore(&name("a"), &digest, "bob")
        .await
        .unwrap();
    assert_eq!(
        (restored.tags, restored.taken),
        (vec!["1".into()], vec!["2".into()])
    );
    assert!(bench.pulls("a", "1").await);
    check(&bench).await;
    bench.gc_after(20 * DAY).await;
    assert!(bench.pulls("a", &digest.to_string()).await);
    check(&bench).await;
    let again = bench.store.trash_restore(&name("a"), &digest, "bob").await;
    assert_eq!(again.unwrap_err().code(), Code::ManifestUnknown);
}

#[tokio::test]
async fn an_index_comes_back_with_what_it_lists() {
    let bench = Bench::new().await;
    let part = image(&[(bench.put("a", b"{}").await, 2)], &[]);
    let listed = [(bench.push("a", &part).await.unwrap(), part.bytes.len())];
    let top = bench.push("a", &index(&listed, "1", &["1"])).await.unwrap();
    bench.delete("a", &top).await;
    bench.delete("a", &listed[0].0).await;
    check(&bench).await;
    let restored = bench
        .store
        .trash_restore(&name("a"), &top, "bob")
        .await
        .unwrap();
    assert_eq!(restored.manifests, 2);
    assert!(bench.pulls("a", &listed[0].0.to_string()).await);
    check(&bench).await;
}

#[tokio::test]
async fn what_is_pushed_again_leaves_the_trash() {
    let bench = Bench::new().await;
    let digest = bench.image("a", &["1"], &[b"{}"]).await;
    bench.delete("a", &digest).await;
    assert_eq!(bench.image("a", &["1"], &[b"{}"]).await, digest);
    assert_eq!(bench.store.trash(None, 10).await.unwrap(), []);
    check(&bench).await;
    bench.gc_after(20 * DAY).await;
    assert!(bench.pulls("a", "1").await);
    check(&bench).await;
}

#[tokio::test]
async fn the_history_of_a_tag_says_who_moved_it_when_and_from_where_to_where() {
    let bench = Bench::new().await;
    let first = bench.image("a", &["1"], &[b"{}"]).await;
    let second = bench.image("a", &["1"], &[b"{\"a\":1}"]).await;
    bench.image("a", &["1"], &[b"{\"a\":1}"]).await;
    bench
        .store
        .delete_tag(&bench.cx(), &name("a"), &tag("1"))
        .await
        .unwrap();
    let history = bench
        .store
        .tag_history(&name("a"), &tag("1"), None, 10)
        .await
        .unwrap();
    let said: Vec<_> = history
        .iter()
        .map(|change| (change.old, change.new, change.cause))
        .collect();
    assert_eq!(
        said,
        [
            (Some(second), None, TagCause::Deleted),
            (Some(first), Some(second), TagCause::Pushed),
            (None, Some(first), TagCause::Pushed),
        ],
        "a push that moved nothing is no change"
    );
    assert!(history.iter().all(|change| change.actor == "alice"));
    assert!(history[0].at > history[1].at, "the clock stood still");
    bench.gc_after(91 * DAY).await;
    let history = bench
        .store
        .tag_history(&name("a"), &tag("1"), None, 10)
        .await
        .unwrap();
    assert_eq!(history, []);
}

#[tokio::test]
async fn the_history_of_a_repository_is_paged_over_all_of_its_tags_and_misses_none() {
    let bench = Bench::new().await;
    for content in [&b"{}"[..], b"{\"a\":1}", b"{\"a\":2}"] {
        for repo in ["a", "b"] {
            bench.image(repo, &["1", "2.0", "latest"], &[content]).await;
        }
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = bench.store.tag_history_all(&name("a"), after, 2).await;
        let page = page.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.tag.clone(), last.at));
        seen.extend(page);
    }
    let tags: Vec<_> = seen.iter().map(|change| change.tag.as_str()).collect();
    let (one, two, latest) = ("1", "2.0", "latest");
    assert_eq!(tags, [one, one, one, two, two, two, latest, latest, latest]);
    assert_eq!(seen[0].old, None);
    assert_eq!((seen[0].new, seen[1].new), (seen[1].old, seen[2].old));
    let before = Some(seen[2].at);
    let earlier = bench
        .store
        .tag_history(&name("a"), &tag("1"), before, 9)
        .await
        .unwrap();
    assert_eq!(earlier, [seen[1].clone(), seen[0].clone()]);
}

#[tokio::test]
async fn a_tag_comes_back_to_where_it_was_also_out_of_the_trash() {
    let bench = Bench::new().await;
    let first = bench.image("a", &["1"], &[b"{}"]).await;
    let second = bench.image("a", &["1"], &[b"{\"a\":1}"]).await;
    let restored = bench
        .store
        .tag_restore(&name("a"), &tag("1"), None, "bob")
        .await
        .unwrap();
    assert_eq!((restored.to, restored.from), (first, Some(second)));
    bench.delete("a", &second).await;
    let restored = bench
        .store
        .tag_restore(&name("a"), &tag("1"), Some(second), "bob")
        .await
        .unwrap();
    assert_eq!((restored.to, restored.manifests), (second, 1));
    assert!(bench.pulls("a", "1").await);
    let unknown = bench
        .store
        .tag_restore(&name("a"), &tag("nothing"), None, "bob")
        .await;
    assert_eq!(unknown.unwrap_err().code(), Code::ManifestUnknown);
    check(&bench).await;
}

#[tokio::test]
async fn who_was_told_that_a_part_is_here_can_push_its_index_though_it_was_collected() {
    let bench = Bench::with(options(GcOptions {
        untagged: Untagged::All,
        ..GcOptions::default()
    }))
    .await;
    let part = image(&[(bench.put("a", b"{}").await, 2)], &[]);
    let listed = [(bench.push("a", &part).await.unwrap(), part.bytes.len())];
    bench.gc_after(DAY).await;
    assert!(!bench.pulls("a", &listed[0].0.to_string()).await);
    bench.push("a", &index(&listed, "1", &["1"])).await.unwrap();
    assert!(bench.pulls("a", &listed[0].0.to_string()).await);
    check(&bench).await;
    // What somebody deleted stays deleted.
    bench
        .store
        .delete_manifest(&bench.cx(), &name("a"), &listed[0].0, Parents::MayRemain)
        .await
        .unwrap();
    let again = bench.push("a", &index(&listed, "2", &["2"])).await;
    assert_eq!(again.unwrap_err().code(), Code::ManifestBlobUnknown);
}
