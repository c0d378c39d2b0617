//! What a login does not come by that is narrowed.

use longshore_auth::rights::Narrow;

use super::robots::{acme, robot};
use super::*;
use crate::certificates::NewCertificate;
use crate::robots::RobotEdit;
use crate::trust::NewTrust;

#[tokio::test]
async fn a_login_that_is_narrowed_gets_hold_of_no_robot() {
    let house = House::new().await;
    let hub = &house.hub;
    let [owner, ..] = acme(&house).await;
    let administrator = binding(owner.who.id(), ADMINISTRATOR_ID, NamespaceId::EVERYWHERE);
    hub.binding_add(&operator(), administrator).await.unwrap();
    hub.robot_create(&owner, robot("acme+ci", &[("owner", "acme")]))
        .await
        .unwrap();
    // All but one action, so that nothing else keeps it from anything here.
    let ends = |hours| RobotEdit {
        expires: Some(Some(now() + Duration::from_hours(hours))),
        ..RobotEdit::default()
    };
    let switch = |enabled| RobotEdit {
        enabled: Some(enabled),
        ..RobotEdit::default()
    };
    let edit = async |by: &Caller, name: &str, edit| hub.robot_edit(by, name, edit).await.err();
    for name in ["acme+ending", "acme+off"] {
        hub.robot_create(&owner, robot(name, &[])).await.unwrap();
    }
    edit(&owner, "acme+ending", ends(2)).await;
    edit(&owner, "acme+off", switch(false)).await;
    let narrow = Narrow {
        actions: ActionSet::ALL.without(ActionSet::of(&[Action::RepositoryDelete])),
        repos: None,
        ids: Vec::new(),
    };
    let mut narrowed = owner.clone();
    narrowed.who.narrowed = Some(Arc::new(narrow));
    let trust = || NewTrust {
        robot: "acme+ci".to_owned(),
        issuer: "https://ci.example".to_owned(),
        audience: "reg.example".to_owned(),
        claims: [("sub".to_owned(), "repo:acme/app".to_owned())].into(),
        ..NewTrust::default()
    };
    let certificate = || NewCertificate {
        account: "acme+ci".to_owned(),
        of: None,
        subject: longshore_auth::certificate::Subject::read("dns:ci.example").unwrap(),
        narrow: None,
        description: String::new(),
        expires: None,
    };
    for (by, expected) in [(&narrowed, Some(Code::Denied)), (&owner, None)] {
        let new = robot("acme+new", &[("reader", "acme")]);
        for (what, heard) in [
            ("made", hub.robot_create(by, new).await.err()),
            (
                "rotated",
                hub.robot_rotate(by, "acme+ci", Duration::ZERO).await.err(),
            ),
            ("taken over", hub.robot_take_over(by, "acme+ci").await.err()),
            ("trusted", hub.trust_create(by, trust()).await.err()),
            (
                "certified",
                hub.certificate_create(by, certificate()).await.err(),
            ),
            ("prolonged", edit(by, "acme+ending", ends(3)).await),
            ("switched on", edit(by, "acme+off", switch(true)).await),
        ] {
            assert_eq!(heard.map(|error| error.code()), expected, "{what}");
        }
    }
    // What gives nothing it may: it has the right.
    assert!(edit(&narrowed, "acme+ending", ends(1)).await.is_none());
    assert!(edit(&narrowed, "acme+ci", switch(false)).await.is_none());
    hub.robot_delete(&narrowed, "acme+ci").await.unwrap();
}
