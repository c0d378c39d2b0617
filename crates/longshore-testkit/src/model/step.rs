//! One operation, drawn at random and taken on both registries.

use longshore_core::{Children, Expect, ManifestPush, Parents, Registry, TagRule, Window, body};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;

use super::answer;
use super::uploads::Slots;
use super::world::{World, or_none};
use crate::content::Draw;
use crate::suite::bench::alice;

/// An operation. Numbers are places in the [`World`]'s lists, or in the list of uploads, counted around its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    PutBlob {
        repo: usize,
        blob: usize,
        sent: usize,
    },
    GetBlob {
        repo: usize,
        blob: usize,
        range: Option<(u64, u64)>,
    },
    Mount {
        repo: usize,
        blob: usize,
        from: Option<usize>,
    },
    Start {
        repo: usize,
        blob: usize,
        owner: bool,
    },
    Append {
        slot: usize,
        most: usize,
        at: At,
        breaks: bool,
        owner: bool,
    },
    Finish {
        slot: usize,
        rest: bool,
        digest_of: Option<usize>,
    },
    Abort {
        slot: usize,
        owner: bool,
    },
    PutManifest {
        repo: usize,
        manifest: usize,
        tags: Vec<usize>,
        rule: Rule,
        children: u8,
    },
    GetManifest {
        repo: usize,
        manifest: usize,
    },
    GetTag {
        repo: usize,
        tag: usize,
    },
    Tags {
        repo: usize,
        after: Option<usize>,
        limit: usize,
    },
    DeleteBlob {
        repo: usize,
        blob: usize,
    },
    DeleteManifest {
        repo: usize,
        manifest: usize,
        forced: bool,
    },
    DeleteTag {
        repo: usize,
        tag: usize,
    },
}

/// Where a chunk says that it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Unsaid,
    Right,
    Off,
}

/// What may happen to tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Move,
    CreateOnly,
    MoveFrom(usize),
}

impl Step {
    pub(super) fn draw(draw: &mut Draw, world: &World) -> Self {
        let repo = draw.below(world.repos.len());
        let blob = draw.below(world.blobs.len());
        let manifest = draw.below(world.manifests.len());
        let tag = draw.below(world.tags.len());
        let slot = draw.below(8);
        // Mostly as it should be, so that sequences get somewhere.
        let (owner, right) = (draw.below(10) > 0, draw.below(8) > 0);
        match draw.below(22) {
            0..=3 => Self::PutBlob {
                repo,
                blob,
                sent: if right {
                    blob
                } else {
                    draw.below(world.blobs.len())
                },
            },
            4 => {
                let range =
                    (draw.below(2) > 0).then(|| (draw.below(300) as u64, draw.below(300) as u64));
                Self::GetBlob { repo, blob, range }
            }
            5 => Self::Mount {
                repo,
                blob,
                from: (draw.below(3) > 0).then(|| draw.below(world.repos.len())),
            },
            6 => Self::Start { repo, blob, owner },
            7 | 8 => {
                let at = [At::Unsaid, At::Right, At::Right, At::Off][draw.below(4)];
                Self::Append {
                    slot,
                    most: 1 + draw.below(200),
                    at,
                    breaks: !right,
                    owner,
                }
            }
            9 => Self::Finish {
                slot,
                rest: right,
                digest_of: (!owner).then_some(blob),
            },
            10 => Self::Abort { slot, owner },
            11..=15 => {
                let tags = (0..world.tags.len())
                    .filter(|_| draw.below(3) == 0)
                    .collect();
                let rule = match draw.below(6) {
                    0 => Rule::CreateOnly,
                    1 => Rule::MoveFrom(draw.below(world.manifests.len())),
                    _ => Rule::Move,
                };
                let children = u8::try_from(draw.below(4)).unwrap_or(0);
                Self::PutManifest {
                    repo,
                    manifest,
                    tags,
                    rule,
                    children,
                }
            }
            16 => Self::GetManifest { repo, manifest },
            17 => Self::GetTag { repo, tag },
            18 => {
                let after = (draw.below(2) > 0).then_some(tag);
                Self::Tags {
                    repo,
                    after,
                    limit: 1 + draw.below(3),
                }
            }
            19 => Self::DeleteBlob { repo, blob },
            20 => Self::DeleteManifest {
                repo,
                manifest,
                forced: !right,
            },
            _ => Self::DeleteTag { repo, tag },
        }
    }

    /// Takes the step on both registries, the reference first, and compares what they say.
    pub(super) async fn take(
        &self,
        world: &World,
        slots: &mut Slots,
        reference: &dyn Registry,
        other: &dyn Registry,
    ) -> Result<(), String> {
        let (a, b) = match self {
            Self::Start { .. } | Self::Append { .. } | Self::Finish { .. } | Self::Abort { .. } => {
                return slots.take(self, world, [reference, other]).await;
            }
            Self::Mount { repo, blob, .. } => {
                let held = reference
                    .stat_blob(&alice(), &world.repos[*repo], &world.blobs[*blob].digest)
                    .await
                    .is_ok();
                let answers = (self.on(world, reference).await, self.on(world, other).await);
                // What is here already may be found here, or looked for where the caller says.
                if held {
                    (String::new(), String::new())
                } else {
                    answers
                }
            }
            _ => (self.on(world, reference).await, self.on(world, other).await),
        };
        if a == b {
            Ok(())
        } else {
            Err(format!("{self:?}: the reference says {a}, the other {b}"))
        }
    }

    /// What a registry says to the step, if that is not about an upload.
    async fn on(&self, world: &World, r: &dyn Registry) -> String {
        let cx = alice();
        let repo = |at: usize| &world.repos[at];
        let blob = |at: usize| &world.blobs[at];
        match self {
            Self::PutBlob {
                repo: to,
                blob: named,
                sent,
            } => {
                let want = Expect {
                    digest: blob(*named).digest,
                    size: None,
                };
                answer::shown(
                    &r.put_blob(&cx, repo(*to), &want, body::once(blob(*sent).bytes.clone()))
                        .await,
                )
            }
            Self::GetBlob {
                repo: from,
                blob: wanted,
                range,
            } => {
                let range = range.map(|(start, end)| ByteRange::Within(start, end));
                answer::blob(
                    r.get_blob(&cx, repo(*from), &blob(*wanted).digest, range)
                        .await,
                )
                .await
            }
            Self::Mount {
                repo: to,
                blob: wanted,
                from,
            } => {
                let from = from.map(repo);
                answer::shown(
                    &r.mount_blob(&cx, repo(*to), &blob(*wanted).digest, from)
                        .await,
                )
            }
            Self::PutManifest {
                repo: to,
                manifest,
                tags,
                rule,
                children,
            } => {
                let piece = &world.manifests[*manifest];
                let push = ManifestPush {
                    bytes: piece.bytes.clone(),
                    media_type: Some(piece.media_type.clone()),
                    digest: Some(piece.digest),
                    tags: tags.iter().map(|tag| world.tags[*tag].clone()).collect(),
                    tag_rule: match rule {
                        Rule::Move => TagRule::Move,
                        Rule::CreateOnly => TagRule::CreateOnly,
                        Rule::MoveFrom(manifest) => {
                            TagRule::MoveFrom(world.manifests[*manifest].digest)
                        }
                    },
                    children: match children {
                        0 => Children::MayBeAbsent,
                        1 => Children::ManifestsMayBeAbsent,
                        _ => Children::MustExist,
                    },
                };
                answer::pushed(&r.put_manifest(&cx, repo(*to), &push).await)
            }
            Self::GetManifest {
                repo: from,
                manifest,
            } => {
                let at = Reference::Digest(world.manifests[*manifest].digest);
                answer::manifest(&r.get_manifest(&cx, repo(*from), &at).await)
            }
            Self::GetTag { repo: from, tag } => {
                let at = Reference::Tag(world.tags[*tag].clone());
                answer::manifest(&r.get_manifest(&cx, repo(*from), &at).await)
            }
            Self::Tags {
                repo: of,
                after,
                limit,
            } => {
                let window = Window {
                    after: after.map(|tag| world.tags[tag].clone()),
                    limit: *limit,
                };
                answer::shown(&or_none(r.tags(&cx, repo(*of), &window).await))
            }
            Self::DeleteBlob {
                repo: from,
                blob: gone,
            } => answer::shown(&r.delete_blob(&cx, repo(*from), &blob(*gone).digest).await),
            Self::DeleteManifest {
                repo: from,
                manifest,
                forced,
            } => {
                let parents = if *forced {
                    Parents::MayRemain
                } else {
                    Parents::MustBeGone
                };
                let digest = &world.manifests[*manifest].digest;
                answer::shown(&r.delete_manifest(&cx, repo(*from), digest, parents).await)
            }
            Self::DeleteTag { repo: from, tag } => {
                answer::shown(&r.delete_tag(&cx, repo(*from), &world.tags[*tag]).await)
            }
            Self::Start { .. } | Self::Append { .. } | Self::Finish { .. } | Self::Abort { .. } => {
                String::new()
            }
        }
    }
}
