//! What is remembered of strangers' rights is never told from what the rows say, and is gone when they change.

use longshore_auth::index::REVOKED_WITHIN;
use longshore_auth::rights::Sight;
use longshore_auth::{Authenticator, Needs};
use longshore_core::{Grant, Rights, Verb};
use longshore_meta::namespaces::{namespace_change, namespace_get};
use longshore_spec::RepoName;
use longshore_spec::scope::{Actions, Resource, Scope};
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["alice/app", "alice/web/api", "alice/web/app", "alice/new"];
const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
];

/// What a stranger may pull, as the registry is asked.
async fn heard(door: &Authenticator, repo: &RepoName, from: IpAddr, at: SystemTime) -> Vec<Grant> {
    let needs = Needs {
        repo: Some(repo),
        verb: Some(Verb::Pull),
        ..Needs::default()
    };
    match door.identify([], needs, from, at).await.unwrap().rights {
        Rights::Listed(grants) => grants.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// The same, from the rows of this moment.
async fn true_now(house: &House, repo: &RepoName, from: IpAddr, at: SystemTime) -> Vec<Grant> {
    let asked = [Scope {
        resource: Resource::Repository {
            host: None,
            repo: repo.clone(),
        },
        actions: Actions::PULL,
    }];
    let judge = house.hub.judge();
    judge
        .grant(&Who::stranger(from), &asked, Sight::Here, at)
        .await
        .unwrap()
        .grants
}

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Home(usize, Visibility),
    Own(usize, Option<Visibility>),
    Bind {
        place: usize,
        deny: bool,
        only: Option<usize>,
        networks: bool,
        hours: bool,
        ends: Option<u8>,
        tags: bool,
    },
    Unbind(usize),
    Role(bool),
    Rename(usize, usize),
    Remove(usize),
    Push(usize),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let seen = prop_oneof![
        Just(Visibility::Private),
        Just(Visibility::Internal),
        Just(Visibility::Public),
    ];
    let repo = 0..NAMES.len();
    let bind = (
        (0..3_usize, prop::bool::weighted(0.3)),
        prop::option::weighted(0.3, repo.clone()),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.3, 1..8_u8),
        prop::bool::weighted(0.3),
    );
    prop_oneof![
        3 => (0..2_usize, seen.clone()).prop_map(|(at, to)| Step::Home(at, to)),
        2 => (repo.clone(), prop::option::of(seen)).prop_map(|(at, to)| Step::Own(at, to)),
        4 => bind.prop_map(|((place, deny), only, networks, hours, ends, tags)| Step::Bind {
            place, deny, only, networks, hours, ends, tags,
        }),
        3 => (0..8_usize).prop_map(Step::Unbind),
        1 => any::<bool>().prop_map(Step::Role),
        2 => (repo.clone(), repo.clone()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => repo.clone().prop_map(Step::Remove),
        2 => repo.prop_map(Step::Push),
        3 => (0..4_u8).prop_map(Step::Wait),
    ]
}

/// A house, the namespaces in it and everywhere, and what was given there.
struct Story {
    house: House,
    places: [NamespaceId; 3],
    given: Vec<(NamespaceId, i64)>,
    at: SystemTime,
}

impl Story {
    async fn begin() -> Self {
        let house = House::new().await;
        let alice = house.user("alice").await;
        let home = house.home("alice").await;
        let group = house.hub.group_create(&alice, home, "web").await.unwrap();
        let pulls = ActionSet::of(&[Action::RepositoryPull]);
        let everywhere = NamespaceId::EVERYWHERE;
        let role = house
            .hub
            .role_set(&operator(), everywhere, "special", pulls, "")
            .await;
        role.unwrap();
        for repo in NAMES.iter().take(2) {
            house.repo(repo).await;
        }
        Story {
            house,
            places: [home, group, everywhere],
            given: Vec::new(),
            at: now(),
        }
    }

    /// Takes one step, if it can be taken.
    async fn take(&mut self, step: &Step) {
        let by = Caller {
            now: self.at,
            ..operator()
        };
        let hub = &self.house.hub;
        match step {
            Step::Home(at, to) => {
                let edit = hub.namespace_settings(&by, self.places[*at], Some(*to), None);
                edit.await.ok();
            }
            Step::Own(at, to) => {
                let name = name(NAMES[*at]);
                hub.repository_settings(&by, &name, *to, false).await.ok();
            }
            Step::Bind {
                place,
                deny,
                only,
                networks,
                hours,
                ends,
                tags,
            } => {
                let home = self.places[*place];
                let object = match home {
                    NamespaceId::EVERYWHERE => Object::System,
                    home => Object::Namespace(home),
                };
                let end =
                    |secs: u8| longshore_meta::time::micros(self.at) + i64::from(secs) * 1_000_000;
                let give = Give {
                    subject: "everybody".to_owned(),
                    role: "special".to_owned(),
                    deny: *deny,
                    repository: only.map(|at| name(NAMES[at])),
                    tags: tags.then(|| "v*".to_owned()),
                    networks: networks.then(|| "10.0.0.0/8".to_owned()),
                    hours: hours.then(|| {
                        // The story begins on a full hour, and this is the minute after it.
                        r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"08:00","to":"08:01"}]"#.to_owned()
                    }),
                    expires: ends.map(end),
                    ..Give::default()
                };
                if let Ok(id) = hub.binding_give(&by, &object, give).await {
                    self.given.push((home, id));
                }
            }
            Step::Unbind(at) if *at < self.given.len() => {
                let (home, id) = self.given.remove(*at);
                hub.binding_remove(&by, home, id).await.ok();
            }
            Step::Unbind(_) => {}
            Step::Role(pulls) => {
                let action = if *pulls {
                    Action::RepositoryPull
                } else {
                    Action::RepositoryList
                };
                let everywhere = NamespaceId::EVERYWHERE;
                let actions = ActionSet::of(&[action]);
                let role = hub.role_set(&by, everywhere, "special", actions, "");
                role.await.unwrap();
            }
            Step::Rename(from, to) => {
                let (from, to) = (name(NAMES[*from]), name(NAMES[*to]));
                hub.repository_rename(&by, &from, &to).await.ok();
            }
            Step::Remove(at) => {
                hub.repository_remove(&by, &name(NAMES[*at])).await.ok();
            }
            Step::Push(at) => {
                self.house.repo(NAMES[*at]).await;
            }
            Step::Wait(seconds) => self.at += Duration::from_secs(u64::from(*seconds)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_next_stranger_after_any_change_is_answered_by_the_rows_of_that_moment(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut story = Story::begin().await;
            let door = Authenticator::index(story.house.hub.index().clone());
            for (at, step) in steps.iter().enumerate() {
                story.take(step).await;
                for repo in NAMES.map(name) {
                    for from in ADDRESSES {
                        let heard = heard(&door, &repo, from, story.at).await;
                        let truth = true_now(&story.house, &repo, from, story.at).await;
                        assert_eq!(heard, truth, "step {at}: {repo} from {from}");
                    }
                }
            }
        });
    }
}

#[tokio::test]
async fn what_is_remembered_of_strangers_is_seconds_old_at_most_and_only_what_they_may() {
    let house = House::new().await;
    let alice = house.user("alice").await;
    let home = house.home("alice").await;
    house.repo("alice/app").await;
    let door = Authenticator::index(house.hub.index().clone());
    let repo = name("alice/app");
    let may = async |at| !heard(&door, &repo, ADDRESSES[0], at).await.is_empty();
    // As another process would do it, which tells nobody.
    let secretly = async |to: Visibility| {
        let write = house
            .hub
            .db
            .write(Durability::Process, (home, to), |tx, (home, to)| {
                Box::pin(async move {
                    let mut row = namespace_get(tx, *home).await?.unwrap();
                    row.visibility = *to;
                    namespace_change(tx, &row, NOW).await
                })
            });
        write.await.unwrap();
    };
    assert!(!may(now()).await, "private from the beginning");
    secretly(Visibility::Public).await;
    assert!(may(now()).await, "a refusal is not remembered");
    secretly(Visibility::Private).await;
    let almost = now() + REVOKED_WITHIN.saturating_sub(Duration::from_millis(1));
    assert!(may(almost).await, "what is allowed is");
    assert!(!may(now() + REVOKED_WITHIN).await, "and not for long");
    secretly(Visibility::Public).await;
    assert!(may(now()).await);
    let private = Some(Visibility::Private);
    let edit = house.hub.namespace_settings(&alice, home, private, None);
    edit.await.unwrap();
    assert!(!may(now()).await, "a change here counts at once");
}
