//! What is told of somebody else to those who may ask: the answer, and of what it rests on what they could look up.

use longshore_auth::rights::explain::{Effect, Looked};

use super::*;

/// All words of an explanation.
fn words(found: &Explanation) -> String {
    format!("{} {:?}", found.reason, found.bindings)
}

fn asks(looked: &Looked) -> (Option<i64>, Option<&str>, Option<&str>, Effect) {
    (
        looked.binding,
        looked.subject.as_deref(),
        looked.role.as_deref(),
        looked.effect,
    )
}

impl Town {
    /// Gives a role on everything.
    async fn everywhere(&self, give: Give) -> i64 {
        let (hub, by) = (&self.house.hub, operator());
        hub.binding_give(&by, &Object::System, give).await.unwrap()
    }
}

/// `eve/app`, which the team `devs` of `acme` may read; `developer` is in that team, and an auditor of everything.
async fn eves() -> (Town, i64) {
    let town = Town::new().await;
    let (hub, by) = (&town.house.hub, operator());
    town.house.repo("eve/app").await;
    let joined = hub.member_set(&by, town.acme, Some("devs"), "developer", true);
    joined.await.unwrap();
    let eves = town.at("eve/").await;
    let given = hub.binding_give(&by, &eves, give("team:acme/devs", "reader"));
    given.await.unwrap();
    let hidden = town.everywhere(give("user:developer", "auditor")).await;
    (town, hidden)
}

const PULL: (Action, &str) = (Action::RepositoryPull, "eve/app");

async fn asked(town: &Town, by: &str, whom: &str, question: (Action, &str)) -> Explanation {
    let found = town.asked((by, whom), question, &plain()).await.unwrap();
    // Both ways to ask are told the same.
    let about = town.at(question.1).await;
    let whom = match whom {
        "" => Whom::Myself,
        whom => Whom::Somebody(whom.to_owned()),
    };
    let operator = operator();
    let by = if by == "operator" {
        &operator
    } else {
        town.by(by)
    };
    let hub = &town.house.hub;
    let same = hub.explain(by, &whom, (question.0, &about)).await;
    assert_eq!(same.unwrap(), found);
    found
}

#[tokio::test]
async fn rules_elsewhere_and_teams_are_told_to_those_only_who_could_look_them_up() {
    let (town, auditor) = eves().await;
    let found = asked(&town, "eve", "user:developer", PULL).await;
    let told = words(&found);
    assert!(found.allowed, "{told}");
    for hidden in ["devs", "acme", "auditor", "everything"] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    // Which of the bindings it is would say that it is the team's. An auditor does not pull: of what says nothing nothing is said.
    let teams = (None, None, Some("reader"), Effect::Allows);
    assert_eq!(found.bindings.iter().map(asks).collect::<Vec<_>>(), [teams]);
    let list = (Action::RepositoryList, "eve/app");
    let found = asked(&town, "eve", "user:developer", list).await;
    let elsewhere = (None, None, None, Effect::Allows);
    let told: Vec<_> = found.bindings.iter().map(asks).collect();
    assert_eq!(told, [teams, elsewhere]);

    // The operator, whoever it is about, and whoever sees the rights and members everywhere read all of it.
    let sees = give("user:nobody", "administrator");
    town.everywhere(sees).await;
    for (by, whom) in [
        ("operator", "developer"),
        ("developer", ""),
        ("developer", "developer"),
        ("nobody", "developer"),
    ] {
        let found = asked(&town, by, whom, PULL).await;
        let told = words(&found);
        assert!(told.contains("team `acme/devs` has"), "{by}: {told}");
        let rules = &found.bindings;
        assert!(rules.iter().any(|it| it.binding == Some(auditor)), "{told}");
    }
    // Who sees into the organisation hears of the team, and of nothing elsewhere.
    let acme = (PULL.0, "acme/app");
    let found = asked(&town, "maintainer", "developer", acme).await;
    let told = words(&found);
    assert!(told.contains("team `acme/devs`"), "{told}");
    assert!(!told.contains("auditor"), "{told}");
    // What is for everybody is for whoever asks as well.
    let given = give("everybody", "guest");
    let everybodys = town.everywhere(given).await;
    let found = asked(&town, "eve", "developer", PULL).await;
    let known = |it: &Looked| it.binding == Some(everybodys);
    assert!(found.bindings.iter().any(known), "{}", words(&found));
}

#[tokio::test]
async fn what_denies_elsewhere_is_told_without_a_name_and_the_answer_stays() {
    let (town, _) = eves().await;
    let mut denial = give("organisation:acme", "reader");
    denial.deny = true;
    town.everywhere(denial).await;
    let found = asked(&town, "eve", "developer", PULL).await;
    assert!(!found.allowed);
    assert_eq!(
        found.reason,
        "a rule elsewhere, which you may not see, denies it, and what is denied anywhere is denied"
    );
    assert!(!words(&found).contains("acme"), "{}", words(&found));
    let found = asked(&town, "operator", "developer", PULL).await;
    assert!(!found.allowed && found.reason.contains("organisation `acme`"));
}

#[tokio::test]
async fn how_it_stands_with_an_account_is_told_to_those_only_who_see_accounts() {
    let (town, _) = eves().await;
    town.house
        .enable(&operator(), "developer", false)
        .await
        .unwrap();
    let auditor = give("user:nobody", "auditor");
    town.everywhere(auditor).await;
    for (by, reason) in [
        ("eve", "it is refused for a reason that you may not see"),
        ("nobody", "the account is disabled"),
        ("operator", "the account is disabled"),
    ] {
        let found = asked(&town, by, "developer", PULL).await;
        assert!(!found.allowed, "{by}");
        assert_eq!(found.reason, reason, "{by}");
    }
}

#[tokio::test]
async fn who_stands_behind_a_robot_is_told_to_those_only_who_see_the_robot() {
    let (town, _) = eves().await;
    let hub = &town.house.hub;
    let new = crate::robots::NewRobot {
        name: "acme+ci".to_owned(),
        ..Default::default()
    };
    hub.robot_create(town.by("maintainer"), new).await.unwrap();
    let acme = Object::Namespace(town.acme);
    let given = give("robot:acme+ci", "reader");
    hub.binding_give(&operator(), &acme, given).await.unwrap();
    // In the organisation, and with the rights in view, but not the robots.
    let looks = ActionSet::of(&[Action::RightsRead, Action::RepositoryList]);
    hub.role_set(&operator(), town.acme, "looker", looks, "")
        .await
        .unwrap();
    let given = give("user:reader", "looker");
    hub.binding_give(&operator(), &acme, given).await.unwrap();
    let by = operator();
    let joined = hub.member_set(&by, town.acme, None, "reader", true);
    joined.await.unwrap();
    let push = (Action::RepositoryPush, "acme/app");
    for by in ["reader", "owner"] {
        let found = asked(&town, by, "acme+ci", push).await;
        let told = words(&found);
        assert!(!found.allowed);
        assert_eq!(told.contains("maintainer` has"), by == "owner", "{told}");
    }
    town.house
        .enable(&operator(), "maintainer", false)
        .await
        .unwrap();
    let pull = (Action::RepositoryPull, "acme/app");
    for (by, reason) in [
        (
            "reader",
            "a robot may do only what its maker may, and for that one: it is refused for a reason that you may not see",
        ),
        (
            "owner",
            "a robot may do only what its maker may, and for user `maintainer`: the account is disabled",
        ),
    ] {
        let found = asked(&town, by, "acme+ci", pull).await;
        assert_eq!(found.reason, reason, "{by}");
    }
}

#[tokio::test]
async fn what_is_hidden_is_not_found_by_supposing_it_away() {
    let (town, hidden) = eves().await;
    let without = |id| Suppositions {
        without: vec![id],
        ..plain()
    };
    let ask = async |by: &str, id| {
        let found = town.asked((by, "developer"), PULL, &without(id)).await;
        found.map(|it| it.allowed).map_err(|error| said(&error))
    };
    let absent = ask("eve", 9_999).await;
    assert_eq!(ask("eve", hidden).await, absent);
    let missing = (Code::NameUnknown, "there is no such binding".to_owned());
    assert_eq!(absent, Err(missing));
    assert_eq!(ask("operator", hidden).await, Ok(true));
    // Theirs to see is that a team has it, and not who is in that.
    let hub = &town.house.hub;
    let eves = town.house.home("eve").await;
    let rows = hub.binding_list(eves, 0, 100).await.unwrap();
    let owner = town.by("eve").who.id().into();
    let teams = rows.iter().find(|row| row.subject != owner).unwrap().id;
    let (code, words) = ask("eve", teams).await.unwrap_err();
    assert_eq!(code, Code::Denied);
    assert!(words.contains("is for those in team:acme/devs"), "{words}");
    assert_eq!(ask("operator", teams).await, Ok(false));
    let less = without(teams);
    let asked = town.asked(("eve", "anonymous"), PULL, &less);
    assert_eq!(asked.await.unwrap_err().code(), Code::Denied);
    let own = town.asked(("developer", ""), PULL, &without(hidden)).await;
    assert!(own.unwrap().allowed);
}

#[tokio::test]
async fn who_sees_the_rights_on_one_repository_reads_what_is_for_that_alone() {
    let (town, _) = eves().await;
    let (hub, by) = (&town.house.hub, operator());
    let acme = Object::Namespace(town.acme);
    let looks = ActionSet::of(&[Action::RightsRead, Action::RepositoryList]);
    hub.role_set(&by, town.acme, "looker", looks, "")
        .await
        .unwrap();
    let mut ids = Vec::new();
    for (subject, role) in [("user:eve", "looker"), ("user:developer", "reader")] {
        let mut here = give(subject, role);
        here.repository = Some("acme/app".parse().unwrap());
        ids.push(hub.binding_give(&by, &acme, here).await.unwrap());
    }
    let found = asked(&town, "eve", "developer", (PULL.0, "acme/app")).await;
    assert!(found.allowed);
    let told: Vec<_> = found.bindings.iter().map(asks).collect();
    let here = (
        Some(ids[1]),
        Some("user `developer`"),
        Some("reader"),
        Effect::Allows,
    );
    assert_eq!(told, [here, (None, None, None, Effect::Allows)]);
    let less = Suppositions {
        without: vec![ids[1]],
        ..plain()
    };
    let question = (PULL.0, "acme/app");
    let found = town.asked(("eve", "developer"), question, &less).await;
    assert!(found.unwrap().allowed);
}
