//! Whose rights count: those of who is in something, and of whoever stands behind a robot.

use std::sync::Arc;

use longshore_meta::namespaces::Visibility;
use longshore_meta::principals::{Kind, PrincipalId, State};

use super::world::{World, binding, who};
use crate::rights::role::READER_ID;
use crate::rights::{Action, ActionSet, Narrow};

const PULL: Action = Action::RepositoryPull;

#[tokio::test]
async fn what_an_organisation_has_ends_while_it_is_switched_off_also_for_its_teams() {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    let other = world.namespace("other", Visibility::Private, false).await;
    let nobody = PrincipalId(0);
    let org = world.principal(Kind::Organisation, "org", nobody, nobody);
    let org = org.await;
    let team = world.principal(Kind::Team, "team", org, nobody).await;
    world.bind(binding(org, READER_ID, home)).await;
    world.bind(binding(team, READER_ID, other)).await;
    // One is in the organisation, one in both, one is in the team as a directory says.
    let people = [
        (world.user("alice").await, [true, false]),
        (world.user("bob").await, [true, true]),
        (world.user("carol").await, [false, true]),
    ];
    for (id, within) in people {
        for (party, is_in) in [org, team].into_iter().zip(within) {
            if is_in {
                world.member(party, id).await;
            }
        }
    }
    for state in [State::Active, State::Disabled, State::Active] {
        world.state(org, state).await;
        for (id, [_, in_team]) in people {
            let is_on = state == State::Active;
            for (repo, expected) in [("acme/app", is_on), ("other/app", is_on && in_team)] {
                let may = world.may(&who(id), PULL, repo).await;
                assert_eq!(may, expected, "{id:?} {repo} {state:?}");
                let shown = world.reach(&who(id), PULL).await.has(repo);
                assert_eq!(shown, expected, "{id:?} {repo} {state:?}");
            }
        }
    }
}

#[tokio::test]
async fn robots_that_made_one_another_too_often_may_nothing_and_are_shown_nothing() {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    let mut last = world.user("alice").await;
    world.bind(binding(last, READER_ID, home)).await;
    let narrow = Narrow {
        actions: ActionSet::ALL,
        repos: Some(["acme/*".parse().unwrap()].into_iter().collect()),
        ids: Vec::new(),
    };
    // Alice and seven robots are as many as are looked at.
    for depth in 2..=10 {
        last = world.robot(&format!("robot+r{depth}"), last).await;
        world.bind(binding(last, READER_ID, home)).await;
        let mut narrowed = who(last);
        narrowed.narrowed = Some(Arc::new(narrow.clone()));
        for asks in [who(last), narrowed] {
            let is_narrowed = asks.narrowed.is_some();
            let may = world.may(&asks, PULL, "acme/app").await;
            assert_eq!(may, depth <= 8, "{depth} {is_narrowed}");
            let shown = world.reach(&asks, PULL).await.has("acme/app");
            assert_eq!(shown, may, "{depth} {is_narrowed}");
        }
    }
}
