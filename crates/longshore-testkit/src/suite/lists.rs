//! Lists of tags and of repositories.

use longshore_core::{Code, Registry, Window};

use super::bench::{
    alice, alice_with, code, put_blob, put_image, put_manifest, repo, tag, tags_of, whole, windows,
};
use crate::content::{Dress, Maker};

/// In byte order; digits, capitals, `_` and small letters lie in different places than dictionaries put them.
const TAGS: [&str; 9] = ["0.9", "1", "1.1", "1.10", "1.2", "B", "_x", "a", "a-b"];

pub(super) async fn a_repository_nobody_pushed_to_has_no_list_of_tags(r: &dyn Registry) {
    put_image(r, &repo("acme/app"), 1, &["latest"]).await;
    let answer = r.tags(&alice(), &repo("acme/nowhere"), &whole()).await;
    assert_eq!(code(answer), Code::NameUnknown);
}

pub(super) async fn a_repository_with_blobs_alone_has_no_tags(r: &dyn Registry) {
    let app = repo("acme/app");
    put_blob(r, &app, &Maker::new(1).blob(10)).await;
    assert!(tags_of(r, &app).await.is_empty());
}

pub(super) async fn tags_are_listed_in_the_order_of_their_bytes(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &[]).await;
    for name in ["a-b", "1.2", "_x", "a", "1.10", "B", "1", "0.9", "1.1"] {
        put_manifest(r, &app, &image, &[name]).await;
    }
    assert_eq!(tags_of(r, &app).await, TAGS);
    put_image(r, &repo("acme/other"), 2, &["other"]).await;
    assert_eq!(
        tags_of(r, &app).await,
        TAGS,
        "tags of another repository are not listed"
    );
}

pub(super) async fn windows_of_tags_join_to_the_whole_list(r: &dyn Registry) {
    let app = repo("acme/app");
    put_image(r, &app, 1, &TAGS).await;
    for limit in 1..=TAGS.len() + 1 {
        let all = windows(limit, Clone::clone, async |window| {
            r.tags(&alice(), &app, &window).await
        })
        .await;
        assert_eq!(all, TAGS.map(tag), "in windows of {limit}");
    }
}

pub(super) async fn a_window_may_start_after_a_tag_that_does_not_exist(r: &dyn Registry) {
    let app = repo("acme/app");
    put_image(r, &app, 1, &TAGS).await;
    let window = Window {
        after: Some(tag("1.15")),
        limit: 2,
    };
    let listing = r.tags(&alice(), &app, &window).await.unwrap();
    assert_eq!(
        (listing.items, listing.more),
        (vec![tag("1.2"), tag("B")], true)
    );
}

pub(super) async fn a_window_after_the_last_tag_is_empty(r: &dyn Registry) {
    let app = repo("acme/app");
    put_image(r, &app, 1, &TAGS).await;
    for last in ["a-b", "zzz"] {
        let listing = r
            .tags(
                &alice(),
                &app,
                &Window {
                    after: Some(tag(last)),
                    limit: 10,
                },
            )
            .await
            .unwrap();
        assert_eq!(
            (listing.items, listing.more),
            (vec![], false),
            "after {last}"
        );
    }
}

/// In byte order: `-` and `.` come before `/`, letters after it.
const REPOS: [&str; 6] = ["a", "a-b", "a.b", "a/b", "a/b/c", "ab"];

async fn six(r: &dyn Registry) {
    for name in ["ab", "a/b/c", "a", "a.b", "a/b", "a-b"] {
        put_image(r, &repo(name), 1, &[]).await;
    }
}

pub(super) async fn repositories_are_listed_in_the_order_of_their_bytes(r: &dyn Registry) {
    six(r).await;
    let listing = r.repositories(&alice(), &whole()).await.unwrap();
    assert_eq!(
        (listing.items, listing.more),
        (REPOS.map(repo).to_vec(), false)
    );
}

pub(super) async fn windows_of_repositories_join_to_the_whole_list(r: &dyn Registry) {
    six(r).await;
    for limit in 1..=REPOS.len() + 1 {
        let all = windows(limit, Clone::clone, async |window| {
            r.repositories(&alice(), &window).await
        })
        .await;
        assert_eq!(all, REPOS.map(repo), "in windows of {limit}");
    }
}

pub(super) async fn a_repository_without_manifests_is_not_listed(r: &dyn Registry) {
    put_blob(r, &repo("acme/blobs"), &Maker::new(1).blob(10)).await;
    let index = Maker::new(1).index(&[], &Dress::default());
    put_manifest(r, &repo("acme/index"), &index, &[]).await;
    let listing = r.repositories(&alice(), &whole()).await.unwrap();
    assert_eq!(listing.items, [repo("acme/index")]);
}

pub(super) async fn a_repository_the_caller_may_not_pull_is_not_listed(r: &dyn Registry) {
    six(r).await;
    let some = alice_with(&["a/b", "ab", "absent"], &["a"]);
    let listing = r.repositories(&some, &whole()).await.unwrap();
    assert_eq!(
        (listing.items, listing.more),
        (vec![repo("a/b"), repo("ab")], false)
    );
    let one = r
        .repositories(
            &some,
            &Window {
                after: None,
                limit: 1,
            },
        )
        .await
        .unwrap();
    assert_eq!(
        (one.items, one.more),
        (vec![repo("a/b")], true),
        "a window counts what the caller sees"
    );
    let none = alice_with(&[], &[]);
    let listing = r.repositories(&none, &whole()).await.unwrap();
    assert_eq!((listing.items, listing.more), (vec![], false));
}
