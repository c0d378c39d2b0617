//! What images are made of, as the clerk keeps it.

use longshore_core::{Parents, Registry as _, Rights};
use longshore_meta::Durability;
use longshore_meta::artifact_parts::{Parts, part_get, part_gone};
use longshore_meta::artifacts::{Artifact, artifact_get, artifact_put};
use longshore_spec::digest::Digest;
use serde_json::{Value, json};

use super::{Place, cx, open, place};
use crate::artifact::{self, Layer, Run};

async fn parts(place: &Place, digest: &Digest) -> Option<Parts> {
    let found = place
        .db
        .read(digest, |tx, digest| Box::pin(part_get(tx, digest)));
    found.await.unwrap()
}

/// Pushes an image with these layers, which are not packed.
async fn image(place: &Place, tag: &str, layers: &[&str]) -> Digest {
    let repo = "acme/app";
    let config = json!({
        "os": "linux", "architecture": tag,
        "config": {"Env": ["A=b"], "Cmd": ["serve"]},
        "history": layers.iter().map(|_| json!({"created_by": "COPY"})).collect::<Vec<_>>(),
    })
    .to_string();
    let digest = place.blob(repo, &config).await;
    let mut listed: Vec<Value> = Vec::new();
    for layer in layers {
        let digest = place.blob(repo, layer).await;
        listed.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": digest.to_string(),
            "size": layer.len(),
        }));
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": config.len()},
        "layers": listed,
    });
    place.manifest(repo, &[tag], &manifest).await
}

#[tokio::test]
async fn an_image_is_known_by_how_it_is_run_and_by_its_layers_until_it_is_gone() {
    let place = open().await;
    let digest = image(&place, "one", &["abc", "defgh"]).await;
    place.settle().await;
    let known = parts(&place, &digest).await.unwrap();
    let run: Run = serde_json::from_str(&known.run).unwrap();
    assert_eq!(
        (run.env, run.cmd),
        (vec!["A=b".into()], vec!["serve".into()])
    );
    let layers: Vec<Layer> = serde_json::from_str(&known.layers).unwrap();
    let seen: Vec<_> = layers.iter().map(|it| (it.size, it.step)).collect();
    assert_eq!(seen, [(3, Some(0)), (5, Some(1))]);
    assert_eq!(known.unpacked, Some(8));
    let repo = "acme/app".parse().unwrap();
    place
        .store
        .delete_manifest(&cx(Rights::Everything), &repo, &digest, Parents::MayRemain)
        .await
        .unwrap();
    place.settle().await;
    assert_eq!(parts(&place, &digest).await, None);
}

#[tokio::test]
async fn what_was_read_before_parts_were_kept_is_read_once_more() {
    let place = place().await;
    let digest = image(&place, "one", &["abc"]).await;
    // As a version wrote it that knew less.
    let old = Artifact {
        kind: "artifact".to_owned(),
        ..artifact::unread(1, "").known
    };
    let put = place
        .db
        .write(Durability::Process, (digest, old), |tx, (digest, old)| {
            Box::pin(artifact_put(tx, digest, old))
        });
    put.await.unwrap();
    place.clerk.open().await.unwrap();
    place.settle().await;
    let known = parts(&place, &digest).await.unwrap();
    assert_eq!(known.unpacked, Some(3));
    let now = place
        .db
        .read(&digest, |tx, digest| Box::pin(artifact_get(tx, digest)));
    assert_eq!(now.await.unwrap().unwrap().kind, "image");
    // What a repository has is not forgotten.
    let kept = place.db.write(Durability::Process, digest, |tx, digest| {
        Box::pin(part_gone(tx, digest))
    });
    kept.await.unwrap();
    assert_eq!(parts(&place, &digest).await, Some(known));
}

#[tokio::test]
async fn an_index_unpacks_to_what_it_lists_or_to_nobody_knows() {
    let place = open().await;
    let (one, two) = (
        image(&place, "one", &["abc"]).await,
        image(&place, "two", &["defgh"]).await,
    );
    let index = async |tag: &str, children: &[&Digest]| {
        let child = |digest: &&Digest| json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest.to_string(), "size": 300});
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": children.iter().map(child).collect::<Vec<_>>(),
        });
        place.manifest("acme/app", &[tag], &index).await
    };
    let both = index("both", &[&one, &two]).await;
    place.settle().await;
    assert_eq!(parts(&place, &both).await.unwrap().unpacked, Some(8));
    let packed = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": place.blob("acme/app", "{}").await.to_string(), "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": place.blob("acme/app", "zip").await.to_string(), "size": 3}],
    });
    let packed = place.manifest("acme/app", &["packed"], &packed).await;
    let mixed = index("mixed", &[&one, &packed]).await;
    place.settle().await;
    assert_eq!(parts(&place, &packed).await.unwrap().unpacked, None);
    assert_eq!(parts(&place, &mixed).await.unwrap().unpacked, None);
}
