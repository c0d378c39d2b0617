//! After a restart: is all that was acknowledged there, and is nothing there by half?

use std::collections::{BTreeMap, BTreeSet};

use longshore_spec::digest::Digest;
use longshore_testkit::wire::{Answer, Ask};

use crate::client::{Client, is_whole};
use crate::ledger::Repo;
use crate::way::Way;

/// How much of what was checked before is checked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Every byte of everything.
    All,
    /// Every tag, manifest and session, and the bytes of one blob in this many.
    Some(usize),
}

impl Client {
    /// The server was killed or stopped.
    pub(crate) fn restarted(&mut self) {
        self.repos.iter_mut().for_each(Repo::restarted);
    }

    /// A change that waits for the log was acknowledged.
    pub(crate) fn log_is_safe(&mut self) {
        self.repos.iter_mut().for_each(Repo::stays);
    }

    /// The power went; `by_blob` tells whether blobs are promised on their own.
    pub(crate) fn power_went(&mut self, by_blob: bool) {
        for repo in &mut self.repos {
            repo.power_went(by_blob);
        }
    }

    /// The disk has said that it could not keep something. Blobs that nothing acknowledged needs are absent from then on, until they
    /// are pushed again.
    pub(crate) fn syncs_failed(&mut self) {
        self.repos.iter_mut().for_each(Repo::unneeded_may_go);
    }

    /// Compares the server with what it owes this client. What was in doubt is settled by what is seen: for good, or
    /// where the disk fails only until the next start, because the sync of the log may be what failed. False when the server
    /// does not answer.
    pub(crate) async fn check(&mut self, wire: &mut impl Way, depth: Depth) -> bool {
        self.gone = false;
        for repo in 0..self.repos.len() {
            self.check_blobs(wire, repo, depth).await;
            self.check_manifests(wire, repo).await;
            self.check_tags(wire, repo).await;
            self.check_referrers(wire, repo).await;
            self.check_uploads(wire, repo).await;
        }
        !self.gone
    }

    async fn get(
        &mut self,
        wire: &mut impl Way,
        method: &'static str,
        target: String,
    ) -> Option<(Ask, Answer)> {
        let ask = Ask::new(method, target);
        let answer = self.hear(wire, &ask).await;
        if answer.is_none() {
            self.tally.lose(format!("no answer to\n{ask}"));
        }
        Some((ask, answer?))
    }

    async fn check_blobs(&mut self, wire: &mut impl Way, repo: usize, depth: Depth) {
        let digests: Vec<Digest> = self.repos[repo].blobs.keys().copied().collect();
        for digest in digests {
            let whole = match depth {
                Depth::All => true,
                Depth::Some(each) => {
                    self.repos[repo].blobs[&digest].there.surely().is_none()
                        || self.maker.draw.below(each) == 0
                }
            };
            let method = if whole { "GET" } else { "HEAD" };
            let target = format!("/v2/{}/blobs/{digest}", self.repos[repo].name);
            // What a power cut took without having promised it may be found missing while somebody asks.
            if self.repos[repo].blobs[&digest].there.allows(None) {
                let first = Ask::new(method, target.clone());
                let _ = self.hear(wire, &first).await;
            }
            let Some((ask, answer)) = self.get(wire, method, target).await else {
                return;
            };
            let promised = !self.collected || self.repos[repo].surely_needs(&digest);
            let Some(blob) = self.repos[repo].blobs.get_mut(&digest) else {
                continue;
            };
            if !promised {
                blob.there.asked(None);
            }
            let there = (answer.status == 200).then_some(());
            let right = match answer.status {
                200 if whole => answer.body == blob.bytes,
                200 => answer.header("content-length") == Some(&blob.bytes.len().to_string()),
                404 => true,
                _ => false,
            };
            let allowed = blob.there.allows(there.as_ref());
            blob.there.found(there, self.hindered);
            if blob.there.surely_absent() {
                self.repos[repo].blobs.remove(&digest);
            }
            if !right {
                self.wrong(&ask, &answer, "a blob is not what was pushed");
            } else if !allowed {
                self.wrong(
                    &ask,
                    &answer,
                    "a blob's presence is not what was acknowledged",
                );
            }
        }
    }

    async fn check_manifests(&mut self, wire: &mut impl Way, repo: usize) {
        let digests: Vec<Digest> = self.repos[repo].manifests.keys().copied().collect();
        for digest in digests {
            let target = format!("/v2/{}/manifests/{digest}", self.repos[repo].name);
            let Some((ask, answer)) = self.get(wire, "GET", target).await else {
                return;
            };
            let name = self.repos[repo].name.clone();
            let Some(made) = self.repos[repo].manifests.get_mut(&digest) else {
                continue;
            };
            let there = (answer.status == 200).then_some(());
            let right = match answer.status {
                200 => {
                    answer.body == made.bytes
                        && answer.header("content-type") == Some(made.media_type.as_str())
                }
                404 => true,
                _ => false,
            };
            let allowed = made.there.allows(there.as_ref());
            let was_sure = made.there.surely().is_some();
            made.there.found(there, self.hindered);
            let (made, gone) = (made.clone(), made.there.surely_absent());
            if !right {
                self.wrong(&ask, &answer, "a manifest is not what was pushed");
            } else if !allowed {
                self.wrong(
                    &ask,
                    &answer,
                    "a manifest's presence is not what was acknowledged",
                );
            }
            if there.is_none() {
                if gone {
                    self.repos[repo].manifests.remove(&digest);
                }
                continue;
            }
            if was_sure {
                // Its blobs were looked at above.
                continue;
            }
            for blob in &made.blobs {
                let Some((ask, answer)) = self
                    .get(wire, "GET", format!("/v2/{name}/blobs/{blob}"))
                    .await
                else {
                    return;
                };
                if answer.status != 200 || !is_whole(blob, &answer.body) {
                    self.wrong(
                        &ask,
                        &answer,
                        "a manifest is there without one of its blobs",
                    );
                }
            }
            for child in &made.children {
                let Some((ask, answer)) = self
                    .get(wire, "HEAD", format!("/v2/{name}/manifests/{child}"))
                    .await
                else {
                    return;
                };
                if answer.status != 200 {
                    self.wrong(
                        &ask,
                        &answer,
                        "an index is there without one of its manifests",
                    );
                }
            }
        }
    }

    async fn check_tags(&mut self, wire: &mut impl Way, repo: usize) {
        let tags: Vec<String> = self.repos[repo].tags.keys().cloned().collect();
        let name = self.repos[repo].name.clone();
        let mut there = BTreeSet::new();
        for tag in tags {
            let Some((ask, answer)) = self
                .get(wire, "GET", format!("/v2/{name}/manifests/{tag}"))
                .await
            else {
                return;
            };
            let points = answer
                .header("docker-content-digest")
                .and_then(|d| d.parse::<Digest>().ok());
            let points = points.filter(|_| answer.status == 200);
            let whole = points.is_none_or(|digest| is_whole(&digest, &answer.body));
            if points.is_some() {
                there.insert(tag.clone());
            }
            let cell = self.repos[repo].tags.entry(tag).or_default();
            let allowed = cell.allows(points.as_ref());
            // Where it points now is where it must point from now on.
            cell.found(points, self.hindered);
            if !whole || !matches!(answer.status, 200 | 404) {
                self.wrong(&ask, &answer, "a tag cannot be pulled");
            } else if !allowed {
                self.wrong(&ask, &answer, "a tag points where it was not set last");
            }
        }
        self.check_together(wire, repo).await;
        let Some((ask, answer)) = self.get(wire, "GET", format!("/v2/{name}/tags/list")).await
        else {
            return;
        };
        let listed: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let listed = listed["tags"].as_array().cloned().unwrap_or_default();
        let listed: Vec<String> = listed
            .iter()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect();
        if !listed.iter().eq(there.iter()) {
            self.wrong(&ask, &answer, &format!("the list of tags is not {there:?}"));
        }
    }

    /// A manifest and the tag it was pushed under come in one commit.
    async fn check_together(&mut self, wire: &mut impl Way, repo: usize) {
        let Some((tag, digest)) = self.repos[repo].together.clone() else {
            return;
        };
        let tagged = self.repos[repo].tags[&tag].allows(Some(&digest));
        let target = format!("/v2/{}/manifests/{digest}", self.repos[repo].name);
        if let Some((ask, answer)) = self.get(wire, "HEAD", target).await
            && (answer.status == 200) != tagged
        {
            let why = format!("half of a push is there; that {tag} points to it: {tagged}");
            self.wrong(&ask, &answer, &why);
        }
    }

    async fn check_referrers(&mut self, wire: &mut impl Way, repo: usize) {
        let mut expected: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for (digest, made) in &self.repos[repo].manifests {
            if let Some(subject) = made.subject
                && made.there.surely().is_some()
            {
                expected
                    .entry(subject)
                    .or_default()
                    .insert(digest.to_string());
            }
        }
        let name = self.repos[repo].name.clone();
        for (subject, expected) in expected {
            let Some((ask, answer)) = self
                .get(wire, "GET", format!("/v2/{name}/referrers/{subject}"))
                .await
            else {
                return;
            };
            let index: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let found: BTreeSet<String> = index["manifests"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|entry| entry["digest"].as_str().map(str::to_owned))
                .collect();
            if found != expected {
                self.wrong(
                    &ask,
                    &answer,
                    &format!("the referrers are not {expected:?}"),
                );
            }
        }
    }

    async fn check_uploads(&mut self, wire: &mut impl Way, repo: usize) {
        // The last ones are finished, so that what a kill leaves of a session is used and not only asked for.
        while let Some(last) = self.repos[repo].uploads.len().checked_sub(1) {
            let give_up = self.maker.draw.below(4) == 0;
            self.finish(wire, repo, last, give_up).await;
            if self.gone || self.repos[repo].uploads.len() > last {
                return;
            }
        }
    }
}
