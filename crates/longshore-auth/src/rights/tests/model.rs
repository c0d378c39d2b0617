//! Worlds made by chance: the decision says what the rules say when they are read aloud, and changes of it go one way only.

use std::sync::Arc;

use longshore_core::Reach;
use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::namespaces::{NamespaceId, Visibility};
use longshore_meta::principals::{Kind, PrincipalId};
use proptest::prelude::*;

use super::world::{World, at, binding, stranger, who};
use crate::rights::role::{BUILTIN, VISIBLE};
use crate::rights::{Action, ActionSet, Narrow, Who};

pub(super) const SPACES: [&str; 5] = ["library", "a", "a/b", "a/b/c", "d"];
pub(super) const REPOS: [&str; 8] = [
    "x",
    "library/y",
    "a/x",
    "a/b/x",
    "a/b/c/y",
    "a/q/y",
    "d/x",
    "stray/x",
];
const TAGS: [&str; 3] = ["v1", "v2", "dev"];
pub(super) const ACTIONS: [Action; 6] = [
    Action::RepositoryPull,
    Action::RepositoryList,
    Action::RepositoryPush,
    Action::RepositorySettings,
    Action::NamespaceCreateRepository,
    Action::RightsManage,
];

#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// 0 everybody, 1 who has logged in, then the organisation, the team, alice, bob, the robot.
    subject: usize,
    /// An index of the built-in roles.
    pub(super) role: usize,
    deny: bool,
    /// An index of `SPACES`, or everywhere.
    space: Option<usize>,
    repos: Option<&'static str>,
    /// An index of `REPOS`; goes with the repository's namespace.
    repo: Option<usize>,
    tags: Option<&'static str>,
    ended: bool,
}

pub(super) fn any_bound() -> impl Strategy<Value = Bound> {
    let pattern = prop_oneof![
        4 => Just(None),
        1 => prop::sample::select(vec!["x", "*", "**", "b/**", "**/y", "q/*"]).prop_map(Some),
    ];
    let tags = prop_oneof![3 => Just(None), 1 => prop::sample::select(vec!["v*", "v1", "dev"]).prop_map(Some)];
    (
        0..7_usize,
        0..7_usize,
        prop::bool::weighted(0.3),
        prop::option::weighted(0.8, 0..SPACES.len()),
        pattern,
        prop::option::weighted(0.2, 0..REPOS.len()),
        tags,
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(subject, role, deny, space, repos, repo, tags, ended)| Bound {
                subject,
                role,
                deny,
                space,
                repos,
                repo,
                tags,
                ended,
            },
        )
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    spaces: Vec<(u8, bool)>,
    repos: Vec<(Option<u8>, bool)>,
    pub(super) bounds: Vec<Bound>,
}

pub(super) fn any_plan() -> impl Strategy<Value = Plan> {
    (
        prop::collection::vec((0..3_u8, prop::bool::weighted(0.1)), SPACES.len()),
        prop::collection::vec(
            (
                prop::option::weighted(0.3, 0..3_u8),
                prop::bool::weighted(0.1),
            ),
            REPOS.len(),
        ),
        prop::collection::vec(any_bound(), 0..9),
    )
        .prop_map(|(spaces, repos, bounds)| Plan {
            spaces,
            repos,
            bounds,
        })
}

/// Who asks: a stranger, alice (in the team, so in the organisation), bob (in nothing), the robot that bob made.
const CALLERS: [&str; 4] = ["stranger", "alice", "bob", "robot"];

fn subjects(caller: &str) -> &'static [usize] {
    match caller {
        "alice" => &[0, 1, 2, 3, 4],
        "bob" => &[0, 1, 5],
        "robot" => &[0, 1, 6],
        _ => &[0],
    }
}

pub(super) fn visibility(word: u8) -> Visibility {
    match word {
        0 => Visibility::Private,
        1 => Visibility::Internal,
        _ => Visibility::Public,
    }
}

/// The namespaces around a repository.
fn around(repo: &str) -> Vec<usize> {
    let home = repo.rsplit_once('/').map_or("library", |(home, _)| home);
    (0..SPACES.len())
        .filter(|at| home == SPACES[*at] || home.starts_with(&format!("{}/", SPACES[*at])))
        .collect()
}

fn glob(pattern: &str, text: &str) -> bool {
    pattern
        .parse::<longshore_spec::RepoPattern>()
        .unwrap()
        .matches(text)
}

/// What the rules say, read aloud.
fn says(plan: &Plan, caller: &str, action: Action, repo: usize, tag: Option<&str>) -> bool {
    let name = REPOS[repo];
    let around = around(name);
    let touches = |bound: &Bound| {
        let actions = BUILTIN[bound.role].actions;
        let place = match (bound.repo, bound.space) {
            (Some(only), _) => only == repo,
            (None, None) => true,
            (None, Some(space)) => around.contains(&space),
        };
        let space = match bound.repo {
            Some(only) => around_of(only),
            None => bound.space,
        };
        let rest = space.map_or(name, |space| {
            name.strip_prefix(&format!("{}/", SPACES[space]))
                .unwrap_or(name)
        });
        let general = bound.subject < 2;
        subjects(caller).contains(&bound.subject)
            && !bound.ended
            && actions.has(action)
            && place
            && bound.repos.is_none_or(|pattern| glob(pattern, rest))
            && (bound.tags.is_none() || crate::rights::rule::OF_TAGS.has(action))
            && !(bound.deny && general && action == Action::RightsManage)
    };
    let tagged = |bound: &Bound| match (bound.tags, tag) {
        (None, _) => true,
        (Some(pattern), Some(tag)) => glob(pattern, tag),
        // Some tag at least may be allowed; not all of them are denied.
        (Some(_), None) => !bound.deny,
    };
    let denied = plan
        .bounds
        .iter()
        .any(|it| it.deny && touches(it) && tagged(it));
    let allowed = plan
        .bounds
        .iter()
        .any(|it| !it.deny && touches(it) && tagged(it));
    let mut seen = 2;
    for space in &around {
        seen = seen.min(plan.spaces[*space].0);
    }
    seen = seen.min(plan.repos[repo].0.unwrap_or(2));
    let least = if caller == "stranger" { 2 } else { 1 };
    let visible = !around.is_empty() && seen >= least && VISIBLE.has(action);
    let frozen = around.iter().any(|space| plan.spaces[*space].1) || plan.repos[repo].1;
    let maker = caller != "robot" || says(plan, "bob", action, repo, tag);
    !denied && (allowed || visible) && !(frozen && action.about().writes) && maker
}

/// The innermost namespace of a repository.
fn around_of(repo: usize) -> Option<usize> {
    around(REPOS[repo]).last().copied()
}

pub(super) struct Built {
    pub(super) world: World,
    pub(super) callers: Vec<Who>,
    pub(super) spaces: Vec<NamespaceId>,
    pub(super) repos: Vec<i64>,
    pub(super) subjects: Vec<Subject>,
    /// The ids of the bindings of the plan.
    pub(super) bindings: Vec<i64>,
}

impl Built {
    pub(super) async fn of(plan: &Plan) -> Self {
        let world = World::new().await;
        let nobody = PrincipalId(0);
        let acme = world
            .principal(Kind::Organisation, "acme", nobody, nobody)
            .await;
        let team = world.principal(Kind::Team, "team", acme, nobody).await;
        let (alice, bob) = (world.user("alice").await, world.user("bob").await);
        let robot = world.robot("robot+ci", bob).await;
        world.member(team, alice).await;
        let mut spaces = Vec::new();
        for (path, (seen, frozen)) in SPACES.iter().zip(&plan.spaces) {
            spaces.push(world.namespace(path, visibility(*seen), *frozen).await);
        }
        let mut repos = Vec::new();
        for (name, (seen, frozen)) in REPOS.iter().zip(&plan.repos) {
            repos.push(world.repo(name, seen.map(visibility), *frozen).await);
        }
        let subjects = vec![
            Subject::EVERYBODY,
            Subject::LOGGED_IN,
            acme.into(),
            team.into(),
            alice.into(),
            bob.into(),
            robot.into(),
        ];
        let mut built = Self {
            callers: vec![stranger(), who(alice), who(bob), who(robot)],
            world,
            spaces,
            repos,
            subjects,
            bindings: Vec::new(),
        };
        for bound in &plan.bounds {
            let id = built.bind(bound).await;
            built.bindings.push(id);
        }
        built
    }

    pub(super) async fn bind(&self, bound: &Bound) -> i64 {
        self.world.bind(self.row(bound)).await
    }

    pub(super) fn row(&self, bound: &Bound) -> Binding {
        let space = match bound.repo {
            Some(repo) => around_of(repo),
            None => bound.space,
        };
        let namespace = space.map_or(NamespaceId(0), |at| self.spaces[at]);
        let role = BUILTIN[bound.role].id;
        let mut row = binding(self.subjects[bound.subject], role, namespace);
        row.deny = bound.deny;
        row.repos = bound.repos.map(str::to_owned);
        row.repo = bound.repo.map(|at| self.repos[at]);
        row.tags = bound.tags.map(str::to_owned);
        row.expires = bound.ended.then(|| at(0));
        row
    }

    /// Each answer, in a fixed order.
    async fn answers(&self, narrowed: Option<&Narrow>) -> Vec<bool> {
        let mut answers = Vec::new();
        for caller in &self.callers {
            let caller = Who {
                narrowed: narrowed.cloned().map(Arc::new),
                ..caller.clone()
            };
            for repo in REPOS {
                for action in ACTIONS {
                    answers.push(self.world.may(&caller, action, &format!("{repo}:v1")).await);
                }
            }
        }
        answers
    }

    async fn reaches(&self, action: Action) -> Vec<Reach> {
        let mut reaches = Vec::new();
        for caller in &self.callers {
            reaches.push(self.world.reach(caller, action).await);
        }
        reaches
    }
}

pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_decision_is_what_the_rules_say(plan in any_plan()) {
        run(async {
            let built = Built::of(&plan).await;
            for (caller, name) in built.callers.iter().zip(CALLERS) {
                for (at, repo) in REPOS.iter().enumerate() {
                    for action in ACTIONS {
                        for tag in TAGS {
                            let got = built.world.may(caller, action, &format!("{repo}:{tag}")).await;
                            let wanted = says(&plan, name, action, at, Some(tag));
                            prop_assert_eq!(got, wanted, "{} {} {}:{}", name, action, repo, tag);
                        }
                        let got = built.world.may(caller, action, repo).await;
                        let wanted = says(&plan, name, action, at, None);
                        // For a robot, the tags of two limits may have nothing in common.
                        prop_assert!(got == wanted || (name == "robot" && !got), "{} {} {}", name, action, repo);
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_reach_has_what_the_decision_allows(plan in any_plan()) {
        run(async {
            let mut plan = plan;
            // Where tags are limited, a robot and its maker may have none in common, which a list does not look for.
            plan.bounds.retain(|bound| bound.tags.is_none());
            let built = Built::of(&plan).await;
            for action in [Action::RepositoryList, Action::RepositoryPull] {
                let reaches = built.reaches(action).await;
                for ((caller, name), reach) in built.callers.iter().zip(CALLERS).zip(&reaches) {
                    for repo in REPOS {
                        let allowed = built.world.may(caller, action, repo).await;
                        prop_assert_eq!(reach.has(repo), allowed, "{} {} {}", name, action, repo);
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_denial_never_gives_and_an_allowance_never_takes_and_narrowing_never_widens(plan in any_plan(), more in any_bound()) {
        run(async {
            let built = Built::of(&plan).await;
            let before = built.answers(None).await;
            let narrow = Narrow {
                actions: ActionSet::of(&[Action::RepositoryPull, Action::RepositoryPush]),
                repos: Some("a/**".parse().unwrap()),
                ids: Vec::new(),
            };
            let narrowed = built.answers(Some(&narrow)).await;
            prop_assert!(before.iter().zip(&narrowed).all(|(before, narrowed)| *before || !narrowed));
            built.bind(&more).await;
            let after = built.answers(None).await;
            let mut pairs = before.iter().zip(&after);
            if more.deny {
                prop_assert!(pairs.all(|(before, after)| *before || !after));
            } else {
                prop_assert!(pairs.all(|(before, after)| !before || *after));
            }
            Ok(())
        })?;
    }
}
