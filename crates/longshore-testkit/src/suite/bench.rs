//! The words that the cases are written in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use longshore_core::{
    Actor, BlobInfo, Children, Chunk, Code, Cx, Expect, Grant, Listing, ManifestPush, On, Origin,
    Pushed, Registry, Result, Rights, TagRule, Verb, Verbs, Window, body,
};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;

use crate::content::{Dress, Maker, Piece};

/// Alice, who may do everything, at a certain moment.
pub fn alice() -> Cx {
    someone("alice")
}

/// Somebody who may do everything, at the same moment.
pub fn someone(name: &str) -> Cx {
    Cx {
        actor: Actor::Named(Arc::from(name)),
        rights: Rights::Everything,
        origin: Origin::default(),
        request: 1,
        now: SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
    }
}

/// Alice, when she may list what there is, pull from some repositories and push to some.
pub fn alice_with(pull: &[&str], push: &[&str]) -> Cx {
    let grant = |on, verb| Grant::new(on, Verbs::NONE.with(verb));
    let pull = pull
        .iter()
        .map(|name| grant(On::Repo(repo(name)), Verb::Pull));
    let push = push
        .iter()
        .map(|name| grant(On::Repo(repo(name)), Verb::Push));
    let grants = pull.chain(push).chain([grant(On::Catalog, Verb::Catalog)]);
    Cx {
        rights: Rights::Listed(grants.collect()),
        ..alice()
    }
}

/// A repository name.
pub fn repo(name: &str) -> RepoName {
    name.parse().expect("a repository name")
}

/// A tag.
pub fn tag(name: &str) -> Tag {
    name.parse().expect("a tag")
}

/// A tag as a reference.
pub fn by_tag(name: &str) -> Reference {
    Reference::Tag(tag(name))
}

/// The code of a failure; a success is a failure of the test.
pub fn code<T: std::fmt::Debug>(answer: Result<T>) -> Code {
    answer.expect_err("this must be refused").code()
}

/// Whether it is not there; a success or another failure is a failure of the test.
pub fn is_absent<T: std::fmt::Debug>(answer: Result<T>) -> bool {
    code(answer).is_absence()
}

/// A chunk that says where it starts and how long it is.
pub fn chunk(at: usize, bytes: &Bytes) -> Chunk {
    Chunk {
        at: Some(at as u64),
        size: Some(bytes.len() as u64),
        body: body::once(bytes.clone()),
    }
}

/// A chunk that says neither.
pub fn stream(bytes: &Bytes) -> Chunk {
    Chunk {
        at: None,
        size: None,
        body: body::once(bytes.clone()),
    }
}

/// The first window of a listing, with room for everything a case makes.
pub fn whole<K>() -> Window<K> {
    Window {
        after: None,
        limit: 1000,
    }
}

/// Walks a listing in windows of `limit` items.
pub async fn windows<K, T>(
    limit: usize,
    key: impl Fn(&T) -> K,
    mut list: impl AsyncFnMut(Window<K>) -> Result<Listing<T>>,
) -> Vec<T> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let part = list(Window { after, limit }).await.expect("a window");
        assert!(part.items.len() <= limit, "more items than were asked for");
        after = part.items.last().map(&key);
        all.extend(part.items);
        if !part.more {
            return all;
        }
        assert!(after.is_some(), "an empty window that says there is more");
    }
}

/// Pushes a blob in one go.
pub async fn put_blob(r: &dyn Registry, to: &RepoName, piece: &Piece) -> BlobInfo {
    let want = Expect {
        digest: piece.digest,
        size: Some(piece.size()),
    };
    r.put_blob(&alice(), to, &want, body::once(piece.bytes.clone()))
        .await
        .expect("a blob pushed")
}

/// A push of a manifest by digest, with everything it refers to.
pub fn push_of(piece: &Piece) -> ManifestPush {
    ManifestPush {
        bytes: piece.bytes.clone(),
        media_type: Some(piece.media_type.clone()),
        digest: Some(piece.digest),
        tags: Vec::new(),
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    }
}

/// A push of a manifest by digest that sets tags too.
pub fn push_as(piece: &Piece, tags: &[&str]) -> ManifestPush {
    ManifestPush {
        tags: tags.iter().map(|name| tag(name)).collect(),
        ..push_of(piece)
    }
}

/// Pushes a manifest by digest and sets tags.
pub async fn put_manifest(r: &dyn Registry, to: &RepoName, piece: &Piece, tags: &[&str]) -> Pushed {
    r.put_manifest(&alice(), to, &push_as(piece, tags))
        .await
        .expect("a manifest pushed")
}

/// Makes an image of a config and a layer, pushes all of it and gives the manifest.
pub async fn put_image(r: &dyn Registry, to: &RepoName, seed: u64, tags: &[&str]) -> Piece {
    put_image_in(r, to, &mut Maker::new(seed), &Dress::default(), tags).await
}

/// Makes an image in some dress, pushes all of it and gives the manifest.
pub async fn put_image_in(
    r: &dyn Registry,
    to: &RepoName,
    maker: &mut Maker,
    dress: &Dress,
    tags: &[&str],
) -> Piece {
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, to, &config).await;
    put_blob(r, to, &layer).await;
    let image = maker.image(&config, &[layer], dress);
    put_manifest(r, to, &image, tags).await;
    image
}

/// Reads a blob, or a range of it, to its end.
pub async fn read(
    r: &dyn Registry,
    from: &RepoName,
    digest: &Digest,
    range: Option<ByteRange>,
) -> Bytes {
    let blob = r
        .get_blob(&alice(), from, digest, range)
        .await
        .expect("a blob");
    assert_eq!(blob.info.digest, *digest);
    let length = blob.range.end - blob.range.start;
    let add = async |mut sum: BytesMut, piece: Bytes| {
        sum.extend_from_slice(&piece);
        Ok(sum)
    };
    let bytes = blob
        .body
        .try_fold(BytesMut::new(), add)
        .await
        .expect("a whole body")
        .freeze();
    assert_eq!(
        bytes.len() as u64,
        length,
        "the body is not as long as the range"
    );
    bytes
}

/// Whether a repository holds a blob; any failure but an absence is a failure of the test.
pub async fn has_blob(r: &dyn Registry, at: &RepoName, digest: &Digest) -> bool {
    there(r.stat_blob(&alice(), at, digest).await)
}

/// Whether a repository holds a manifest; any failure but an absence is a failure of the test.
pub async fn has_manifest(
    r: &dyn Registry,
    at: &RepoName,
    reference: impl Into<Reference>,
) -> bool {
    there(r.stat_manifest(&alice(), at, &reference.into()).await)
}

fn there<T: std::fmt::Debug>(answer: Result<T>) -> bool {
    match answer {
        Ok(_) => true,
        Err(error) if error.code().is_absence() => false,
        Err(error) => panic!("neither there nor absent: {error:?}"),
    }
}

/// The tags of a repository.
pub async fn tags_of(r: &dyn Registry, at: &RepoName) -> Vec<String> {
    let listing = r
        .tags(&alice(), at, &whole())
        .await
        .expect("a list of tags");
    assert!(!listing.more);
    listing.items.iter().map(ToString::to_string).collect()
}

/// The digests of the referrers of a subject.
pub async fn referrers_of(
    r: &dyn Registry,
    at: &RepoName,
    subject: &Digest,
    kind: Option<&str>,
) -> BTreeSet<Digest> {
    let listing = r
        .referrers(&alice(), at, subject, kind, &whole())
        .await
        .expect("a list of referrers");
    assert!(!listing.more);
    listing.items.iter().map(|item| item.digest).collect()
}
