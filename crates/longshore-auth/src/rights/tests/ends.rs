//! Until when what is granted is granted.

use longshore_meta::namespaces::{NamespaceId, Visibility};
use longshore_meta::principals::PrincipalId;

use super::world::{World, at, binding, now, who};
use crate::rights::Sight;
use crate::rights::role::{DEVELOPER_ID, READER_ID};

async fn until(world: &World, id: PrincipalId, scope: &str) -> Option<i64> {
    let asked = [scope.parse().unwrap()];
    let granted = world
        .judge
        .grant(&who(id), &asked, Sight::Here, now())
        .await
        .unwrap();
    assert!(!granted.grants.is_empty(), "{scope}");
    granted.until
}

async fn bind(
    world: &World,
    (id, role): (PrincipalId, i64),
    home: NamespaceId,
    (hours, tags): (i64, Option<&str>),
) {
    let mut row = binding(id, role, home);
    row.expires = Some(at(hours));
    row.tags = tags.map(str::to_owned);
    world.bind(row).await;
}

#[tokio::test]
async fn of_several_bindings_the_last_counts_where_each_is_enough_and_the_first_where_each_is_needed()
 {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    let [whole, parts, both] = ["whole", "parts", "both"];
    let (whole, parts, both) = (
        world.user(whole).await,
        world.user(parts).await,
        world.user(both).await,
    );
    for hours in [3, 5, 4] {
        bind(&world, (whole, READER_ID), home, (hours, None)).await;
        bind(&world, (parts, READER_ID), home, (hours, Some("v*"))).await;
    }
    bind(&world, (both, READER_ID), home, (1, Some("v*"))).await;
    bind(&world, (both, READER_ID), home, (2, None)).await;
    let pull = "repository:acme/app:pull";
    for (id, hours) in [(whole, 5), (parts, 3), (both, 2)] {
        assert_eq!(until(&world, id, pull).await, Some(at(hours)));
    }
    // A denial that ends gives nothing before it does, and takes nothing by that.
    let mut deny = binding(whole, DEVELOPER_ID, home);
    deny.deny = true;
    deny.tags = Some("w*".to_owned());
    deny.expires = Some(at(1));
    world.bind(deny).await;
    assert_eq!(until(&world, whole, pull).await, Some(at(5)));
    world.namespace("acme", Visibility::Internal, false).await;
    assert_eq!(until(&world, whole, pull).await, None, "everybody may");
}

#[tokio::test]
async fn what_a_robot_has_ends_with_what_its_maker_has() {
    let world = World::new().await;
    let home = world.namespace("acme", Visibility::Private, false).await;
    world.repo("acme/app", None, false).await;
    let maker = world.user("maker").await;
    let robot = world.robot("ci", maker).await;
    bind(&world, (maker, DEVELOPER_ID), home, (2, None)).await;
    world.bind(binding(robot, READER_ID, home)).await;
    assert_eq!(
        until(&world, robot, "repository:acme/app:pull").await,
        Some(at(2))
    );
}
