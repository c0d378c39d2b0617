//! What a manifest may refer to, and what may happen to tags.

use longshore_core::{Children, Code, ManifestPush, Registry, TagRule};
use longshore_spec::media::MediaType;
use serde_json::json;

use super::bench::{
    alice, by_tag, code, has_manifest, push_as, push_of, put_blob, put_image, put_image_in,
    put_manifest, repo, tag, tags_of,
};
use crate::content::{Dress, Maker};

pub(super) async fn a_missing_layer_is_refused_and_nothing_is_kept(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer, missing) = (maker.config("amd64"), maker.layer(), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let image = maker.image(&config, &[layer, missing], &Dress::default());
    for children in [Children::MustExist, Children::ManifestsMayBeAbsent] {
        let push = ManifestPush {
            children,
            ..push_as(&image, &["latest"])
        };
        assert_eq!(
            code(r.put_manifest(&alice(), &app, &push).await),
            Code::ManifestBlobUnknown
        );
        assert!(!has_manifest(r, &app, image.digest).await);
        assert!(!has_manifest(r, &app, by_tag("latest")).await);
    }
}

pub(super) async fn a_layer_of_another_repository_is_missing(r: &dyn Registry) {
    let (app, other, mut maker) = (repo("acme/app"), repo("acme/other"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &other, &layer).await;
    let image = maker.image(&config, &[layer], &Dress::default());
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push_of(&image)).await),
        Code::ManifestBlobUnknown
    );
}

pub(super) async fn a_missing_config_is_refused(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &layer).await;
    let image = maker.image(&config, &[layer], &Dress::default());
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push_of(&image)).await),
        Code::ManifestBlobUnknown
    );
}

pub(super) async fn a_missing_child_is_refused_unless_that_is_allowed(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let here = put_image(r, &app, 2, &[]).await;
    let config = maker.config("arm64");
    let absent = maker.image(&config, &[], &Dress::default());
    let index = maker.index(&[here, absent], &Dress::default());
    let push = push_as(&index, &["latest"]);
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push).await),
        Code::ManifestBlobUnknown
    );
    assert!(!has_manifest(r, &app, index.digest).await);
    let push = ManifestPush {
        children: Children::ManifestsMayBeAbsent,
        ..push
    };
    r.put_manifest(&alice(), &app, &push)
        .await
        .expect("a sparse index");
    assert!(has_manifest(r, &app, by_tag("latest")).await);
}

pub(super) async fn a_missing_layer_is_accepted_where_anything_may_be_absent(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    let image = maker.image(&config, &[layer], &Dress::default());
    let push = ManifestPush {
        children: Children::MayBeAbsent,
        ..push_as(&image, &["latest"])
    };
    r.put_manifest(&alice(), &app, &push)
        .await
        .expect("a manifest before its blobs");
    assert!(has_manifest(r, &app, by_tag("latest")).await);
}

pub(super) async fn a_manifest_before_its_blobs_stands_in_nobodys_way(r: &dyn Registry) {
    let (app, early, mut maker) = (repo("acme/app"), repo("acme/early"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let push = ManifestPush {
        children: Children::MayBeAbsent,
        ..push_of(&image)
    };
    r.put_manifest(&alice(), &early, &push)
        .await
        .expect("a manifest before its blobs");
    put_manifest(r, &app, &image, &["latest"]).await;
    put_blob(r, &early, &config).await;
    put_blob(r, &early, &layer).await;
    put_manifest(r, &early, &image, &["latest"]).await;
}

pub(super) async fn a_layer_of_another_length_is_refused(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let mut lie = layer.descriptor();
    lie.as_object_mut()
        .unwrap()
        .insert("size".into(), (layer.size() + 1).into());
    let image = maker.image_of(config.descriptor(), vec![lie], &Dress::default());
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push_of(&image)).await),
        Code::SizeInvalid
    );
    assert!(!has_manifest(r, &app, image.digest).await);
}

pub(super) async fn a_layer_that_is_not_distributed_need_not_be_here(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let foreign = |maker: &mut Maker, media_type: &MediaType| {
        let mut foreign = maker.layer_of(media_type).descriptor();
        let urls = json!(["https://layers.example/one"]);
        foreign.as_object_mut().unwrap().insert("urls".into(), urls);
        foreign
    };
    let layers = vec![
        foreign(&mut maker, &MediaType::OCI_FOREIGN_LAYER_GZIP),
        foreign(&mut maker, &MediaType::OCI_FOREIGN_LAYER),
        foreign(&mut maker, &MediaType::DOCKER_FOREIGN_LAYER_GZIP),
        layer.descriptor(),
    ];
    let image = maker.image_of(config.descriptor(), layers, &Dress::default());
    put_manifest(r, &app, &image, &[]).await;
    assert!(has_manifest(r, &app, image.digest).await);
}

pub(super) async fn a_subject_need_not_be_here(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let config = maker.config("amd64");
    let absent = maker.image(&config, &[], &Dress::default());
    let about = put_image_in(r, &app, &mut maker, &Dress::about(&absent), &[]).await;
    assert!(has_manifest(r, &app, about.digest).await);
}

pub(super) async fn the_answer_names_the_subject(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let subject = put_image(r, &app, 2, &[]).await;
    let config = maker.config("amd64");
    put_blob(r, &app, &config).await;
    for about in [
        maker.image(&config, &[], &Dress::about(&subject)),
        maker.index(&[], &Dress::about(&subject)),
    ] {
        let answer = put_manifest(r, &app, &about, &[]).await;
        assert_eq!(
            (answer.digest, answer.subject),
            (about.digest, Some(subject.digest))
        );
        let again = put_manifest(r, &app, &about, &["tagged"]).await;
        assert_eq!(
            again.subject,
            Some(subject.digest),
            "also when it is here already"
        );
    }
}

pub(super) async fn a_tag_moves(r: &dyn Registry) {
    let app = repo("acme/app");
    let old = put_image(r, &app, 1, &["latest"]).await;
    let new = put_image(r, &app, 2, &["latest"]).await;
    let now = r
        .get_manifest(&alice(), &app, &by_tag("latest"))
        .await
        .unwrap();
    assert_eq!((now.digest, now.bytes), (new.digest, new.bytes));
    assert!(
        has_manifest(r, &app, old.digest).await,
        "what the tag left behind stays"
    );
    assert_eq!(tags_of(r, &app).await, ["latest"]);
}

pub(super) async fn several_tags_are_set_at_once(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &["1.2.3", "1.2", "1", "latest"]).await;
    assert_eq!(tags_of(r, &app).await, ["1", "1.2", "1.2.3", "latest"]);
    for name in ["1.2.3", "1.2", "1", "latest"] {
        assert_eq!(
            r.stat_manifest(&alice(), &app, &by_tag(name))
                .await
                .unwrap()
                .digest,
            image.digest
        );
    }
}

pub(super) async fn a_tag_that_may_only_be_created_does_not_move(r: &dyn Registry) {
    let app = repo("acme/app");
    let old = put_image(r, &app, 1, &[]).await;
    let new = put_image(r, &app, 2, &[]).await;
    let create = |piece| ManifestPush {
        tag_rule: TagRule::CreateOnly,
        ..push_as(piece, &["v1"])
    };
    r.put_manifest(&alice(), &app, &create(&old))
        .await
        .expect("a new tag");
    r.put_manifest(&alice(), &app, &create(&old))
        .await
        .expect("it points there already");
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &create(&new)).await),
        Code::ConditionFailed
    );
    assert_eq!(
        r.stat_manifest(&alice(), &app, &by_tag("v1"))
            .await
            .unwrap()
            .digest,
        old.digest
    );
}

pub(super) async fn a_tag_that_must_point_somewhere_moves_from_there_only(r: &dyn Registry) {
    let app = repo("acme/app");
    let old = put_image(r, &app, 1, &["latest"]).await;
    let new = put_image(r, &app, 2, &[]).await;
    let from = |digest| ManifestPush {
        tag_rule: TagRule::MoveFrom(digest),
        ..push_as(&new, &["latest"])
    };
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &from(new.digest)).await),
        Code::ConditionFailed
    );
    assert_eq!(
        r.stat_manifest(&alice(), &app, &by_tag("latest"))
            .await
            .unwrap()
            .digest,
        old.digest
    );
    r.put_manifest(&alice(), &app, &from(old.digest))
        .await
        .expect("it points where it must");
    assert_eq!(
        r.stat_manifest(&alice(), &app, &by_tag("latest"))
            .await
            .unwrap()
            .digest,
        new.digest
    );
}

pub(super) async fn a_tag_that_does_not_exist_does_not_point_where_it_must(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &[]).await;
    let push = ManifestPush {
        tag_rule: TagRule::MoveFrom(image.digest),
        ..push_as(&image, &["latest"])
    };
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push).await),
        Code::ConditionFailed
    );
    assert!(tags_of(r, &app).await.is_empty());
}

pub(super) async fn one_tag_against_the_rule_keeps_everything_away(r: &dyn Registry) {
    let app = repo("acme/app");
    let old = put_image(r, &app, 1, &["taken"]).await;
    let index = Maker::new(2).index(&[], &Dress::default());
    let tags = ["a", "taken", "z"].map(tag).to_vec();
    let push = ManifestPush {
        tag_rule: TagRule::CreateOnly,
        tags,
        ..push_of(&index)
    };
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push).await),
        Code::ConditionFailed
    );
    assert_eq!(tags_of(r, &app).await, ["taken"]);
    assert!(
        !has_manifest(r, &app, index.digest).await,
        "not even the manifest"
    );
    assert_eq!(
        r.stat_manifest(&alice(), &app, &by_tag("taken"))
            .await
            .unwrap()
            .digest,
        old.digest
    );
}
