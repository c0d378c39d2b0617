//! What clients do: images, indexes, referrers, tags, mounts, deletions, uploads in parts, reads.

use longshore_spec::digest::Digest;
use longshore_testkit::content::{Dress, Piece};
use longshore_testkit::wire::Ask;

use crate::client::{Client, is_whole};
use crate::deed::Deed;
use crate::way::Way;

/// How many manifests a repository holds before deletions come more often.
const MANY: usize = 12;
/// How many uploads stay open in a repository.
const OPEN: usize = 3;

impl Client {
    /// Does something. False when the connection broke.
    pub(crate) async fn act(&mut self, wire: &mut impl Way) -> bool {
        let repo = self.maker.draw.below(self.repos.len());
        let full = self.repos[repo].manifests.len() > MANY;
        let deed = match self.maker.draw.below(32) {
            0..=7 => Deed::Image,
            8 => Deed::Index,
            9 | 10 => Deed::Referrer,
            11 | 12 => Deed::Blob,
            13 | 14 => Deed::Retag,
            15 | 16 => Deed::Mount,
            17 | 18 if self.repos[repo].uploads.len() < OPEN => Deed::Part,
            19 => Deed::Extend,
            20 | 17 => Deed::Finish,
            18 => Deed::GiveUp,
            21 => Deed::Lie,
            22 => Deed::DeleteTag,
            23 => Deed::DeleteManifest,
            24 => Deed::DeleteBlob,
            25..=27 if full => Deed::DeleteManifest,
            28 if full => Deed::DeleteBlob,
            _ => Deed::Read,
        };
        self.do_it(wire, repo, deed).await;
        !self.gone
    }

    /// Does this.
    pub(crate) async fn do_it(&mut self, wire: &mut impl Way, repo: usize, deed: Deed) {
        let uploads = self.repos[repo].uploads.len();
        let upload = self.maker.draw.below(uploads);
        match deed {
            Deed::Image => self.push_image(wire, repo, None).await,
            Deed::Index => self.push_index(wire, repo).await,
            Deed::Referrer => {
                let sure = self.repos[repo].sure_manifests();
                let subject = self.maker.draw.pick(&sure).copied();
                self.push_image(wire, repo, subject).await;
            }
            Deed::Blob => {
                let piece = self.any_blob();
                self.push_blob(wire, repo, &piece).await;
            }
            Deed::Retag => self.retag(wire, repo).await,
            Deed::Mount => self.mount(wire, repo).await,
            Deed::Part => self.push_part(wire, repo).await,
            Deed::Extend if uploads > 0 => self.extend(wire, repo, upload).await,
            Deed::Finish if uploads > 0 => self.finish(wire, repo, upload, false).await,
            Deed::GiveUp if uploads > 0 => self.finish(wire, repo, upload, true).await,
            Deed::Extend | Deed::Finish | Deed::GiveUp => {}
            Deed::Lie => self.lie(wire, repo).await,
            Deed::DeleteTag => self.delete_tag(wire, repo).await,
            Deed::DeleteManifest => self.delete_manifest(wire, repo).await,
            Deed::DeleteBlob => self.delete_blob(wire, repo).await,
            Deed::Read => self.read(wire, repo).await,
        }
    }

    /// A blob of the common pool, or one of its own.
    fn any_blob(&mut self) -> Piece {
        match self.maker.draw.below(12) {
            0..=3 => {
                let at = self.maker.draw.below(self.shared.len());
                self.shared[at].clone()
            }
            n if self.small => self.maker.blob(50 << (n / 2)),
            4 => self.maker.blob(140_000),
            5 if self.maker.draw.below(6) == 0 => self.maker.blob(1_300_000),
            n => self.maker.blob(100 << n),
        }
    }

    async fn push_image(&mut self, wire: &mut impl Way, repo: usize, subject: Option<Digest>) {
        let config = self.maker.config("amd64");
        let mut layers = vec![self.any_blob()];
        if self.maker.draw.below(2) == 0 {
            layers.push(self.any_blob());
        }
        layers.dedup();
        for piece in layers.iter().chain([&config]) {
            if !self.push_blob(wire, repo, piece).await {
                return;
            }
        }
        let dress = match subject {
            None => Dress::default(),
            Some(digest) => {
                let made = &self.repos[repo].manifests[&digest];
                let about = serde_json::json!({
                    "mediaType": made.media_type, "digest": digest.to_string(), "size": made.bytes.len(),
                });
                Dress {
                    subject: Some(about),
                    ..Dress::kind("application/vnd.example.note")
                }
            }
        };
        let image = self.maker.image(&config, &layers, &dress);
        let made = self.repos[repo].manifests.entry(image.digest).or_default();
        image.media_type.as_str().clone_into(&mut made.media_type);
        made.bytes = image.bytes.clone();
        made.blobs = layers.iter().chain([&config]).map(|p| p.digest).collect();
        made.subject = subject;
        let tagged = subject.is_none() && self.maker.draw.below(5) > 0;
        self.put_manifest(wire, repo, &image.digest, tagged).await;
    }

    async fn push_index(&mut self, wire: &mut impl Way, repo: usize) {
        let sure = self.repos[repo].sure_manifests();
        let mut children: Vec<Digest> = (0..2)
            .filter_map(|_| self.maker.draw.pick(&sure).copied())
            .collect();
        children.sort();
        children.dedup();
        let described = children.iter().map(|digest| {
            let made = &self.repos[repo].manifests[digest];
            serde_json::json!({
                "mediaType": made.media_type, "digest": digest.to_string(), "size": made.bytes.len(),
            })
        });
        let note = ("n".to_owned(), self.maker.draw.clone().number().to_string());
        let dress = Dress {
            annotations: vec![note],
            ..Dress::default()
        };
        let index = self.maker.index_of(described.collect(), &dress);
        let made = self.repos[repo].manifests.entry(index.digest).or_default();
        index.media_type.as_str().clone_into(&mut made.media_type);
        made.bytes = index.bytes.clone();
        made.children = children;
        self.put_manifest(wire, repo, &index.digest, true).await;
    }

    /// Sets a tag to a manifest that is there.
    async fn retag(&mut self, wire: &mut impl Way, repo: usize) {
        let sure = self.repos[repo].sure_manifests();
        if let Some(digest) = self.maker.draw.pick(&sure).copied() {
            self.put_manifest(wire, repo, &digest, true).await;
        }
    }

    async fn put_manifest(
        &mut self,
        wire: &mut impl Way,
        repo: usize,
        digest: &Digest,
        tagged: bool,
    ) {
        let tag = tagged.then(|| format!("t{}", self.maker.draw.below(4)));
        let owned = &mut self.repos[repo];
        owned.together = None;
        let at = tag.clone().unwrap_or_else(|| digest.to_string());
        let target = format!("/v2/{}/manifests/{at}", owned.name);
        let Some(made) = owned.manifests.get_mut(digest) else {
            return;
        };
        let put = Ask::new("PUT", target)
            .header("content-type", made.media_type.clone())
            .sized(made.bytes.clone());
        let before = made.there.clone();
        made.there.asked(Some(()));
        let tag_before = tag.as_ref().map(|tag| {
            let cell = owned.tags.entry(tag.clone()).or_default();
            let before = cell.clone();
            cell.asked(Some(*digest));
            before
        });
        let Some(answer) = self.hear(wire, &put).await else {
            self.repos[repo].together = tag
                .filter(|_| before.surely_absent())
                .map(|tag| (tag, *digest));
            return;
        };
        let owned = &mut self.repos[repo];
        let Some(made) = owned.manifests.get_mut(digest) else {
            return;
        };
        if answer.status == 201 {
            made.there.is(Some(()));
            if let Some(tag) = tag {
                owned.tags.entry(tag).or_default().is(Some(*digest));
            }
            self.log_is_safe();
            return;
        }
        made.there = before;
        if let (Some(tag), Some(before)) = (tag, tag_before) {
            owned.tags.insert(tag, before);
        }
        // The sync of a blob may have failed since that was acknowledged; then it has to be pushed again.
        if !self.hindered {
            self.wrong(
                &put,
                &answer,
                "a manifest was refused, and all that it needs was acknowledged",
            );
        }
    }

    async fn mount(&mut self, wire: &mut impl Way, from: usize) {
        let to = (from + 1) % self.repos.len();
        let sure = self.repos[from].sure_blobs();
        let Some(digest) = self.maker.draw.pick(&sure).copied() else {
            return;
        };
        let bytes = self.repos[from].blobs[&digest].bytes.clone();
        let blob = self.repos[to].blobs.entry(digest).or_default();
        blob.bytes = bytes;
        blob.there.asked(Some(()));
        let (name, source) = (&self.repos[to].name, &self.repos[from].name);
        let target = format!("/v2/{name}/blobs/uploads/?mount={digest}&from={source}");
        let post = Ask::new("POST", target);
        let Some(answer) = self.hear(wire, &post).await else {
            return;
        };
        match answer.status {
            201 => {
                if let Some(blob) = self.repos[to].blobs.get_mut(&digest) {
                    blob.there.is(Some(()));
                }
            }
            // It was collected, or never was promised; the session that was opened instead is left to itself.
            202 if self.collected && !self.repos[from].surely_needs(&digest) => {}
            _ => self.wrong(&post, &answer, "a blob that is there cannot be mounted"),
        }
    }

    async fn delete_tag(&mut self, wire: &mut impl Way, repo: usize) {
        let tags: Vec<String> = self.repos[repo].tags.keys().cloned().collect();
        let Some(tag) = self.maker.draw.pick(&tags).cloned() else {
            return;
        };
        let delete = Ask::new(
            "DELETE",
            format!("/v2/{}/manifests/{tag}", self.repos[repo].name),
        );
        self.repos[repo].together = None;
        let cell = self.repos[repo].tags.entry(tag.clone()).or_default();
        let before = cell.clone();
        cell.asked(None);
        let Some(answer) = self.hear(wire, &delete).await else {
            return;
        };
        let allowed = before.allows(None);
        let hindered = self.hindered;
        let cell = self.repos[repo].tags.entry(tag).or_default();
        match answer.status {
            202 => {
                cell.is(None);
                self.log_is_safe();
            }
            404 if allowed => cell.found(None, hindered),
            _ => {
                cell.is(None);
                self.wrong(&delete, &answer, "a tag cannot be deleted");
            }
        }
    }

    async fn delete_manifest(&mut self, wire: &mut impl Way, repo: usize) {
        let all: Vec<Digest> = self.repos[repo].manifests.keys().copied().collect();
        let Some(digest) = self.maker.draw.pick(&all).copied() else {
            return;
        };
        let delete = Ask::new(
            "DELETE",
            format!("/v2/{}/manifests/{digest}", self.repos[repo].name),
        );
        let listed = self.repos[repo].lists(&digest);
        self.repos[repo].together = None;
        let before = self.repos[repo].clone();
        self.repos[repo].deletion_asked(&digest);
        let Some(answer) = self.hear(wire, &delete).await else {
            return;
        };
        match answer.status {
            202 => {
                self.repos[repo].deleted(&digest);
                self.log_is_safe();
            }
            404 if before.manifests[&digest].there.allows(None) => {
                self.repos[repo].deleted(&digest);
            }
            403 if listed => self.repos[repo] = before,
            _ => {
                self.repos[repo] = before;
                self.wrong(&delete, &answer, "a manifest cannot be deleted");
            }
        }
        // What is gone for sure needs no memory.
        self.repos[repo]
            .manifests
            .retain(|_, made| !made.there.surely_absent());
    }

    async fn delete_blob(&mut self, wire: &mut impl Way, repo: usize) {
        let all: Vec<Digest> = self.repos[repo].blobs.keys().copied().collect();
        let Some(digest) = self.maker.draw.pick(&all).copied() else {
            return;
        };
        let delete = Ask::new(
            "DELETE",
            format!("/v2/{}/blobs/{digest}", self.repos[repo].name),
        );
        let (needed, surely) = (
            self.repos[repo].needs(&digest),
            self.repos[repo].surely_needs(&digest),
        );
        let Some(blob) = self.repos[repo].blobs.get_mut(&digest) else {
            return;
        };
        let before = blob.there.clone();
        blob.there.asked(None);
        let Some(answer) = self.hear(wire, &delete).await else {
            return;
        };
        match answer.status {
            202 if !surely => {}
            404 if before.allows(None) || (self.collected && !surely) => {}
            403 if needed => {
                if let Some(blob) = self.repos[repo].blobs.get_mut(&digest) {
                    blob.there = before;
                }
                return;
            }
            _ => self.wrong(
                &delete,
                &answer,
                "a blob that is needed was deleted, or one that is not was kept",
            ),
        }
        self.repos[repo].blobs.remove(&digest);
    }

    /// Pulls by a tag, as `docker pull` does.
    async fn read(&mut self, wire: &mut impl Way, repo: usize) {
        let tags: Vec<String> = self.repos[repo].tags.keys().cloned().collect();
        let Some(tag) = self.maker.draw.pick(&tags).cloned() else {
            return;
        };
        let name = self.repos[repo].name.clone();
        let get = Ask::new("GET", format!("/v2/{name}/manifests/{tag}"));
        let Some(answer) = self.hear(wire, &get).await else {
            return;
        };
        let points = answer
            .header("docker-content-digest")
            .and_then(|d| d.parse::<Digest>().ok());
        let points = points.filter(|_| answer.status == 200);
        if !self.repos[repo].tags[&tag].allows(points.as_ref()) {
            self.wrong(&get, &answer, "a tag points where nobody set it");
            return;
        }
        let Some(made) = points.and_then(|digest| self.repos[repo].manifests.get(&digest)) else {
            return;
        };
        let Some(blob) = self.maker.draw.pick(&made.blobs).copied() else {
            return;
        };
        let get = Ask::new("GET", format!("/v2/{name}/blobs/{blob}"));
        let Some(answer) = self.hear(wire, &get).await else {
            return;
        };
        if answer.status != 200 || !is_whole(&blob, &answer.body) {
            self.wrong(
                &get,
                &answer,
                "a manifest can be pulled and its blob cannot",
            );
        }
    }
}
