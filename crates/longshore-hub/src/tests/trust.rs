//! Trust rules: who makes them, and which can be.

use std::collections::BTreeMap;

use longshore_meta::principals::{Kind, NewPrincipal, State, principal_put};

use super::*;
use crate::trust::NewTrust;

impl House {
    /// A robot of `owner` that `by` made.
    async fn robot(&self, owner: PrincipalId, name: &'static str, by: PrincipalId) -> PrincipalId {
        let args = (owner, name, by);
        self.hub
            .db
            .write(Durability::Process, args, |tx, (owner, name, by)| {
                Box::pin(async move {
                    let new = NewPrincipal {
                        kind: Kind::Robot,
                        owner: *owner,
                        name,
                        full_name: "",
                        mail: "",
                        description: "",
                        state: State::Active,
                        expires: None,
                        by: *by,
                        now: 1,
                    };
                    principal_put(tx, &new).await
                })
            })
            .await
            .unwrap()
    }
}

fn rule(robot: &str) -> NewTrust {
    NewTrust {
        robot: robot.to_owned(),
        issuer: "https://token.actions.example".to_owned(),
        audience: "reg.example".to_owned(),
        claims: BTreeMap::from([("sub".to_owned(), "repo:acme/app:ref:*".to_owned())]),
        ..NewTrust::default()
    }
}

#[tokio::test]
async fn a_rule_is_made_by_who_made_the_robot_or_gives_rights_there() {
    let house = House::new().await;
    let acme = house
        .hub
        .organisation_create(&operator(), account("acme"))
        .await
        .unwrap();
    let home = house.home("acme").await;
    let (maker, maintainer, owner, stranger) = (
        house.user("maker").await,
        house.user("maintainer").await,
        house.user("owner").await,
        house.user("stranger").await,
    );
    for (who, role) in [
        (&maker, MAINTAINER_ID),
        (&maintainer, MAINTAINER_ID),
        (&owner, OWNER_ID),
    ] {
        let bound = binding(who.who.id(), role, home);
        house
            .hub
            .db
            .write(Durability::Process, bound, |tx, bound| {
                Box::pin(longshore_meta::bindings::binding_put(tx, bound))
            })
            .await
            .unwrap();
    }
    house.robot(acme, "ci", maker.who.id()).await;
    house.robot(PrincipalId(0), "ci", PrincipalId(0)).await;
    let make = async |who: &Caller, robot: &str| house.hub.trust_create(who, rule(robot)).await;
    make(&maker, "acme+ci").await.unwrap();
    make(&owner, "acme+ci").await.unwrap();
    make(&operator(), "robot+ci").await.unwrap();
    assert_eq!(code(make(&operator(), "ci").await), Code::NameInvalid);
    assert_eq!(code(make(&maintainer, "acme+ci").await), Code::Denied);
    assert_eq!(code(make(&stranger, "acme+ci").await), Code::NameUnknown);
    assert_eq!(code(make(&owner, "robot+ci").await), Code::Denied);
    for robot in ["acme+other", "nowhere+ci", "owner+ci", "robot+maker"] {
        assert_eq!(
            code(make(&operator(), robot).await),
            Code::NameUnknown,
            "{robot}"
        );
    }

    let rules = house.hub.trust_list(&maintainer, "acme+ci").await.unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(
        code(house.hub.trust_list(&stranger, "acme+ci").await),
        Code::NameUnknown
    );
    let id = rules[0].id;
    let delete = async |who: &Caller, robot: &str| house.hub.trust_delete(who, robot, id).await;
    assert_eq!(code(delete(&stranger, "acme+ci").await), Code::NameUnknown);
    assert_eq!(
        code(delete(&operator(), "robot+ci").await),
        Code::NameUnknown,
        "another robot's"
    );
    delete(&maintainer, "acme+ci").await.unwrap();
    assert_eq!(
        code(delete(&maintainer, "acme+ci").await),
        Code::NameUnknown
    );
    assert_eq!(
        house.hub.trust_list(&owner, "acme+ci").await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn rules_that_would_trust_everybody_or_lead_inside_are_refused() {
    let house = House::new().await;
    house.robot(PrincipalId(0), "ci", PrincipalId(0)).await;
    let bad: [fn(&mut NewTrust); 8] = [
        |new| new.claims.clear(),
        |new| new.claims = BTreeMap::from([("sub".to_owned(), "**".to_owned())]),
        |new| new.claims = BTreeMap::from([("aud".to_owned(), "x".to_owned())]),
        |new| new.claims = BTreeMap::from([("sub".to_owned(), String::new())]),
        |new| "http://token.actions.example".clone_into(&mut new.issuer),
        |new| "https://169.254.169.254".clone_into(&mut new.issuer),
        |new| "https://[::1]".clone_into(&mut new.issuer),
        |new| new.audience.clear(),
    ];
    for change in bad {
        let mut new = rule("robot+ci");
        change(&mut new);
        let refused = house.hub.trust_create(&operator(), new.clone()).await;
        assert_eq!(code(refused), Code::Unsupported, "{new:?}");
    }
    assert!(
        house
            .hub
            .trust_create(&operator(), rule("robot+ci"))
            .await
            .is_ok()
    );
}
