//! Manifests that point to a subject.

use std::collections::BTreeSet;

use longshore_core::{Parents, Registry};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::media::ArtifactType;
use longshore_spec::name::RepoName;

use super::bench::{
    alice, has_manifest, put_blob, put_image, put_image_in, put_manifest, referrers_of, repo,
    whole, windows,
};
use crate::content::{Dress, Maker, Piece};

const SBOM: &str = "application/vnd.example.sbom.v1+json";
const SIGNATURE: &str = "application/vnd.example.signature.v1+json";

/// An artifact of some type about `subject`, with all it needs.
async fn put_about(
    r: &dyn Registry,
    to: &RepoName,
    maker: &mut Maker,
    kind: &'static str,
    subject: &Piece,
) -> Piece {
    let (nothing, layer) = (maker.nothing(), maker.layer());
    put_blob(r, to, &nothing).await;
    put_blob(r, to, &layer).await;
    let dress = Dress {
        artifact_type: Some(kind),
        ..Dress::about(subject)
    };
    let artifact = maker.image(&nothing, &[layer], &dress);
    put_manifest(r, to, &artifact, &[]).await;
    artifact
}

pub(super) async fn a_repository_nobody_pushed_to_has_no_referrers(r: &dyn Registry) {
    let subject = Maker::new(1).blob(1).digest;
    assert!(
        referrers_of(r, &repo("acme/nowhere"), &subject, None)
            .await
            .is_empty()
    );
    assert!(
        referrers_of(r, &repo("acme/nowhere"), &subject, Some(SBOM))
            .await
            .is_empty()
    );
}

pub(super) async fn a_subject_nobody_points_to_has_no_referrers(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &[]).await;
    assert!(referrers_of(r, &app, &image.digest, None).await.is_empty());
    assert!(
        referrers_of(r, &app, &Maker::new(2).blob(1).digest, None)
            .await
            .is_empty()
    );
}

pub(super) async fn a_referrer_is_listed_with_all_that_is_told_about_it(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let told = [("org.example.a", "one"), ("org.example.b", "two\nlines")];
    let dress = Dress {
        artifact_type: Some(SBOM),
        annotations: told
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        ..Dress::about(&subject)
    };
    let about = put_image_in(r, &app, &mut maker, &dress, &["tagged"]).await;
    let listing = r
        .referrers(&alice(), &app, &subject.digest, None, &whole())
        .await
        .unwrap();
    let [item] = listing.items.as_slice() else {
        panic!("one referrer, not {:?}", listing.items)
    };
    assert_eq!((item.digest, item.size), (about.digest, about.size()));
    assert_eq!(item.media_type, about.media_type);
    assert_eq!(
        item.artifact_type.as_ref().map(ArtifactType::as_str),
        Some(SBOM)
    );
    let annotations = told.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(item.annotations, annotations.into());
}

pub(super) async fn a_referrer_without_artifact_type_is_of_the_type_of_its_config(
    r: &dyn Registry,
) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let about = put_image_in(r, &app, &mut maker, &Dress::about(&subject), &[]).await;
    let kind = "application/vnd.oci.image.config.v1+json";
    let listing = r
        .referrers(&alice(), &app, &subject.digest, Some(kind), &whole())
        .await
        .unwrap();
    assert_eq!(listing.items.len(), 1);
    assert_eq!(listing.items[0].digest, about.digest);
    assert_eq!(
        listing.items[0]
            .artifact_type
            .as_ref()
            .map(ArtifactType::as_str),
        Some(kind)
    );
}

pub(super) async fn an_index_can_be_a_referrer(r: &dyn Registry) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let typed = maker.index(
        &[],
        &Dress {
            artifact_type: Some(SBOM),
            ..Dress::about(&subject)
        },
    );
    let plain = maker.index(&[], &Dress::about(&subject));
    put_manifest(r, &app, &typed, &[]).await;
    put_manifest(r, &app, &plain, &[]).await;
    assert_eq!(
        referrers_of(r, &app, &subject.digest, None).await,
        [typed.digest, plain.digest].into()
    );
    assert_eq!(
        referrers_of(r, &app, &subject.digest, Some(SBOM)).await,
        [typed.digest].into()
    );
}

pub(super) async fn the_subject_may_come_after_its_referrers(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let config = maker.config("amd64");
    let subject = maker.image(&config, &[], &Dress::default());
    let about = put_about(r, &app, &mut maker, SBOM, &subject).await;
    assert_eq!(
        referrers_of(r, &app, &subject.digest, None).await,
        [about.digest].into()
    );
    put_blob(r, &app, &config).await;
    put_manifest(r, &app, &subject, &["latest"]).await;
    assert_eq!(
        referrers_of(r, &app, &subject.digest, None).await,
        [about.digest].into()
    );
}

pub(super) async fn referrers_are_filtered_by_type(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let sboms = [
        put_about(r, &app, &mut maker, SBOM, &subject).await.digest,
        put_about(r, &app, &mut maker, SBOM, &subject).await.digest,
    ];
    let signature = put_about(r, &app, &mut maker, SIGNATURE, &subject)
        .await
        .digest;
    assert_eq!(
        referrers_of(r, &app, &subject.digest, Some(SBOM)).await,
        sboms.into()
    );
    assert_eq!(
        referrers_of(r, &app, &subject.digest, Some(SIGNATURE)).await,
        [signature].into()
    );
    for other in ["application/vnd.example.sbom.v1", "", "%", "' OR 1=1 --"] {
        assert!(
            referrers_of(r, &app, &subject.digest, Some(other))
                .await
                .is_empty(),
            "{other:?}"
        );
    }
}

pub(super) async fn windows_of_referrers_join_to_the_whole_list(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let (mut all, mut sboms) = (BTreeSet::new(), BTreeSet::new());
    for n in 0..7 {
        let kind = if n % 2 == 0 { SBOM } else { SIGNATURE };
        let digest = put_about(r, &app, &mut maker, kind, &subject).await.digest;
        all.insert(digest);
        if kind == SBOM {
            sboms.insert(digest);
        }
    }
    for limit in 1..=8 {
        for (kind, expected) in [(None, &all), (Some(SBOM), &sboms)] {
            let found = windows(
                limit,
                |item: &Descriptor| item.digest,
                async |window| {
                    r.referrers(&alice(), &app, &subject.digest, kind, &window)
                        .await
                },
            );
            let digests: Vec<_> = found.await.iter().map(|item| item.digest).collect();
            assert!(
                digests.iter().eq(expected),
                "{kind:?} in windows of {limit}, in the order of their digests"
            );
        }
    }
}

pub(super) async fn a_deleted_referrer_is_not_listed(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let gone = put_about(r, &app, &mut maker, SBOM, &subject).await;
    let kept = put_about(r, &app, &mut maker, SBOM, &subject).await;
    r.delete_manifest(&alice(), &app, &gone.digest, Parents::MustBeGone)
        .await
        .unwrap();
    assert_eq!(
        referrers_of(r, &app, &subject.digest, None).await,
        [kept.digest].into()
    );
}

pub(super) async fn referrers_stay_in_their_repository(r: &dyn Registry) {
    let (app, other, mut maker) = (repo("acme/app"), repo("acme/other"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    put_image(r, &other, 2, &[]).await;
    put_about(r, &app, &mut maker, SBOM, &subject).await;
    assert!(
        referrers_of(r, &other, &subject.digest, None)
            .await
            .is_empty()
    );
}

pub(super) async fn referrers_outlive_their_subject(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let about = put_about(r, &app, &mut maker, SBOM, &subject).await;
    r.delete_manifest(&alice(), &app, &subject.digest, Parents::MustBeGone)
        .await
        .unwrap();
    assert!(has_manifest(r, &app, about.digest).await);
    assert_eq!(
        referrers_of(r, &app, &subject.digest, None).await,
        [about.digest].into()
    );
}
