//! What is supposed is answered as it is once it is so.

use longshore_core::TagLimit;
use longshore_meta::bindings::binding_delete;
use longshore_meta::members::member_delete;
use longshore_meta::namespaces::{Visibility, namespace_change, namespace_get};
use longshore_meta::principals::PrincipalId;
use longshore_meta::profiles::{Profile, profile_change, profile_get};
use longshore_meta::roles::{Role, role_get, role_put};
use longshore_meta::settings::setting_put;
use proptest::prelude::*;

use super::model::{
    ACTIONS, Bound, Built, Plan, REPOS, SPACES, any_bound, any_plan, run, visibility,
};
use super::world::{World, at, binding, now, object_of, who};
use crate::rights::decide::{Question, decide};
use crate::rights::ground::READ_ONLY;
use crate::rights::role::{BUILTIN, DEVELOPER_ID};
use crate::rights::suppose::{Moves, Spot};
use crate::rights::{Action, ActionSet, Explanation, Facts, Sight, Supposed, Who};

/// What can become otherwise.
#[derive(Debug, Clone)]
enum Change {
    With(Bound),
    /// An index of the plan's bindings.
    Without(usize),
    /// An index of the built-in roles, and of the sets of actions below.
    Role(usize, usize),
    /// 2: the organisation, 3: the team.
    Join(usize),
    Leave(usize),
    Space(usize, u8),
    Repo(usize, Option<u8>),
    FreezeSystem(bool),
    FreezeSpace(usize, bool),
    FreezeRepo(usize, bool),
}

const SAYS: [&[Action]; 4] = [
    &[],
    &[Action::RepositoryPull],
    &[Action::RepositoryPush, Action::NamespaceCreateRepository],
    ACTIONS.as_slice(),
];

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any_bound().prop_map(Change::With),
        2 => (0..9_usize).prop_map(Change::Without),
        2 => (0..7_usize, 0..SAYS.len()).prop_map(|(role, says)| Change::Role(role, says)),
        2 => (2..4_usize).prop_map(Change::Join),
        2 => (2..4_usize).prop_map(Change::Leave),
        1 => (0..SPACES.len(), 0..3_u8).prop_map(|(space, seen)| Change::Space(space, seen)),
        1 => (0..REPOS.len(), prop::option::of(0..3_u8)).prop_map(|(repo, seen)| Change::Repo(repo, seen)),
        1 => any::<bool>().prop_map(Change::FreezeSystem),
        1 => (0..SPACES.len(), any::<bool>()).prop_map(|(space, frozen)| Change::FreezeSpace(space, frozen)),
        1 => (0..REPOS.len(), any::<bool>()).prop_map(|(repo, frozen)| Change::FreezeRepo(repo, frozen)),
    ]
}

/// What is supposed, of somebody who comes and goes.
fn supposed(built: &Built, changes: &[Change], of: PrincipalId) -> Supposed {
    let party = |at: usize| PrincipalId(built.subjects[at].0);
    let mut supposed = Supposed::default();
    let mut moves = Moves {
        of,
        leaves: Vec::new(),
        joins: Vec::new(),
    };
    for change in changes {
        match change {
            Change::With(bound) => {
                let mut row = built.row(bound);
                let role = &BUILTIN[bound.role];
                (row.role_name, row.actions) = (role.name.to_owned(), role.actions.to_string());
                supposed.with.push(row);
            }
            Change::Without(at) => supposed.without.extend(built.bindings.get(*at)),
            Change::Role(role, says) => supposed
                .roles
                .push((BUILTIN[*role].id, ActionSet::of(SAYS[*says]).to_string())),
            Change::Leave(at) => moves.leaves.push(party(*at)),
            Change::Join(at) => {
                if *at == 3 {
                    moves.joins.push((party(3), party(2)));
                }
                moves.joins.push((party(2), PrincipalId(0)));
            }
            Change::Space(at, seen) => {
                let spot = Spot::Namespace(built.spaces[*at]);
                supposed.visibility.push((spot, Some(visibility(*seen))));
            }
            Change::Repo(at, seen) => {
                let spot = Spot::Repository(built.repos[*at]);
                supposed.visibility.push((spot, seen.map(visibility)));
            }
            Change::FreezeSystem(frozen) => supposed.read_only.push((Spot::System, *frozen)),
            Change::FreezeSpace(at, frozen) => supposed
                .read_only
                .push((Spot::Namespace(built.spaces[*at]), *frozen)),
            Change::FreezeRepo(at, frozen) => supposed
                .read_only
                .push((Spot::Repository(built.repos[*at]), *frozen)),
        }
    }
    supposed.moves = Some(moves);
    supposed
}

/// Makes a change as the use cases do.
async fn make(built: &Built, change: &Change, of: PrincipalId) {
    let party = |at: usize| PrincipalId(built.subjects[at].0);
    let (acme, team) = (party(2), party(3));
    let world = &built.world;
    match change.clone() {
        Change::With(bound) => drop(built.bind(&bound).await),
        Change::Without(at) => {
            if let Some(id) = built.bindings.get(at) {
                let delete = world.write(*id, |tx, id| Box::pin(binding_delete(tx, *id)));
                delete.await;
            }
        }
        Change::Role(role, says) => {
            let args = (BUILTIN[role].id, ActionSet::of(SAYS[says]).to_string());
            world
                .write(args, |tx, (id, actions)| {
                    Box::pin(async move {
                        let mut row = role_get(tx, *id).await?.unwrap();
                        row.actions.clone_from(actions);
                        role_put(tx, &row).await
                    })
                })
                .await;
        }
        Change::Join(at) => {
            if at == 3 {
                world.member(team, of).await;
            }
            world.member(acme, of).await;
        }
        Change::Leave(at) => {
            let parties = if at == 2 {
                vec![acme, team]
            } else {
                vec![team]
            };
            world
                .write((parties, of), |tx, (parties, of)| {
                    Box::pin(async move {
                        for party in parties {
                            member_delete(tx, *party, *of, "").await?;
                        }
                        Ok(())
                    })
                })
                .await;
        }
        Change::Space(at, seen) => set_space(built, at, Some(visibility(seen)), None).await,
        Change::FreezeSpace(at, frozen) => set_space(built, at, None, Some(frozen)).await,
        Change::Repo(at, seen) => {
            let seen = seen.map(visibility);
            set_repo(built, at, move |row| row.visibility = seen).await;
        }
        Change::FreezeRepo(at, frozen) => {
            set_repo(built, at, move |row| row.read_only = frozen).await;
        }
        Change::FreezeSystem(frozen) => {
            let word = if frozen { "true" } else { "false" };
            world
                .write(word, |tx, word| Box::pin(setting_put(tx, READ_ONLY, word)))
                .await;
        }
    }
}

async fn set_space(built: &Built, space: usize, seen: Option<Visibility>, frozen: Option<bool>) {
    let args = (built.spaces[space], seen, frozen);
    built
        .world
        .write(args, |tx, (id, seen, frozen)| {
            Box::pin(async move {
                let mut row = namespace_get(tx, *id).await?.unwrap();
                row.visibility = seen.unwrap_or(row.visibility);
                row.read_only = frozen.unwrap_or(row.read_only);
                namespace_change(tx, &row, at(0)).await
            })
        })
        .await;
}

async fn set_repo(built: &Built, repo: usize, set: impl Fn(&mut Profile) + Send + Sync + 'static) {
    let args = (built.repos[repo], set);
    built
        .world
        .write(args, |tx, (id, set)| {
            Box::pin(async move {
                let mut row = profile_get(tx, *id).await?.unwrap();
                set(&mut row);
                profile_change(tx, *id, &row, at(0)).await
            })
        })
        .await;
}

/// An answer, but for what it rests on.
type Answer = (bool, Option<PrincipalId>, Option<Vec<String>>, Option<i64>);

fn words(limit: &TagLimit) -> Vec<String> {
    let mut words = limit.words();
    words.sort();
    words.dedup();
    words
}

/// Every answer, in a fixed order.
async fn answers(built: &Built, supposed: &Supposed, sight: Sight) -> Vec<(String, Answer)> {
    let mut objects = vec![String::new(), "a/b/absent".to_owned()];
    for repo in REPOS {
        objects.extend([repo.to_owned(), format!("{repo}:v1")]);
    }
    let mut answers = Vec::new();
    for who in &built.callers {
        for text in &objects {
            let args = (who, object_of(text), supposed);
            let read = built.world.db.read(&args, |tx, (who, object, supposed)| {
                Box::pin(Facts::supposing(tx, who, object, now(), supposed))
            });
            let facts = read.await.unwrap().seen(sight);
            for action in ACTIONS {
                let object = object_of(text);
                let question = Question {
                    who,
                    action,
                    repo: object.repo(),
                    tag: object.tag(),
                    now: now(),
                };
                let found = decide(&facts, &question);
                let limit = found.limit.as_ref().map(words);
                let about = format!("{:?} {action} {text}", Who::id(who));
                answers.push((about, (found.is_allowed(), found.of, limit, found.until)));
            }
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn what_is_supposed_is_answered_as_when_it_is_so(
        plan in any_plan(),
        changes in prop::collection::vec(any_change(), 1..5),
        is_bob in any::<bool>(),
        elsewhere in prop::bool::weighted(0.2),
    ) {
        run(async {
            let (plan, mut changes): (Plan, Vec<Change>) = (plan, changes);
            // Who leaves and joins has left first.
            changes.sort_by_key(|change| matches!(change, Change::Join(_)));
            let built = Built::of(&plan).await;
            let of = built.callers[if is_bob { 2 } else { 1 }].id();
            let sight = if elsewhere { Sight::Elsewhere } else { Sight::Here };
            let then = answers(&built, &supposed(&built, &changes, of), sight).await;
            for change in &changes {
                make(&built, change, of).await;
            }
            let now = answers(&built, &Supposed::default(), sight).await;
            for (then, now) in then.iter().zip(&now) {
                prop_assert_eq!(then, now);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn what_allows_it_is_said_by_its_own_words_where_several_bindings_are_supposed() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    let row = |role: usize, tags: Option<&str>, deny| {
        let role = &BUILTIN[role];
        let mut row = binding(ann, role.id, home);
        (row.role_name, row.actions) = (role.name.to_owned(), role.actions.to_string());
        (row.tags, row.deny) = (tags.map(str::to_owned), deny);
        row
    };
    let supposed = Supposed {
        with: vec![row(2, Some("v*"), true), row(1, None, false)],
        ..Supposed::default()
    };
    let args = (who(ann), object_of("acme/app"), supposed);
    let read = world.db.read(&args, |tx, (who, object, supposed)| {
        Box::pin(async move {
            let facts = Facts::supposing(tx, who, object, now(), supposed).await?;
            Explanation::of(
                tx,
                &facts,
                None,
                who,
                (Action::RepositoryPull, object),
                now(),
            )
            .await
        })
    });
    let found = read.await.unwrap();
    assert_eq!(
        found.reason, "user `ann` has the role `reader` on `acme`",
        "{found:?}"
    );
    assert_eq!(found.tags, ["!v*"]);
}

#[tokio::test]
async fn a_push_to_what_is_not_there_is_explained_as_one_that_makes_it() {
    let world = World::new().await;
    let (ann, ben) = (world.user("ann").await, world.user("ben").await);
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    world.bind(binding(ann, DEVELOPER_ID, home)).await;
    let role = Role {
        id: 100,
        owner: PrincipalId(0),
        name: "renewer".to_owned(),
        actions: "repository:pull repository:push".to_owned(),
        builtin: false,
        description: String::new(),
        changed: at(0),
    };
    world
        .write(role, |tx, role| Box::pin(role_put(tx, role)))
        .await;
    world.bind(binding(ben, 100, home)).await;
    let push = Action::RepositoryPush;
    let (ann, ben) = (who(ann), who(ben));
    for (who, object, allowed, absent, words) in [
        (&ann, "acme/app", true, false, "on `acme`"),
        (
            &ann,
            "acme/new:v1",
            true,
            true,
            "on `acme`; there is no such repository, and a push makes it",
        ),
        (&ben, "acme/app", true, false, "on `acme`"),
        (
            &ben,
            "acme/new",
            false,
            true,
            "needs the right `namespace:create-repository` as well: nothing allows it",
        ),
    ] {
        let found = world.why(who, push, object).await;
        assert_eq!((found.allowed, found.absent), (allowed, absent), "{object}");
        assert!(found.reason.ends_with(words), "{}", found.reason);
        // It is what a token would be given.
        let name = object.split(':').next().unwrap();
        let granted = world.grant(who, &format!("repository:{name}:push")).await;
        assert_eq!(granted.is_empty(), !allowed, "{object}");
    }
    let found = world.why(&ben, Action::RepositoryPull, "acme/new").await;
    assert!(
        found.reason.ends_with("; there is no such repository"),
        "{}",
        found.reason
    );
}
