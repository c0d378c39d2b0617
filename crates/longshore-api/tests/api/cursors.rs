//! What a cursor tells whoever gets it: nothing. And what it is good for: one list of one thing, as one caller sees it.

use longshore_hub::gives::Give;

use super::house::House;
use super::keeping::Keeping;

const APP: &str = "/repositories/acme/app/-";

/// The cursor of the first part of a list.
async fn first(house: &House, who: &str, path: &str) -> String {
    let said = house.get(who, &format!("{path}?limit=1")).await;
    assert_eq!(said.status, 200, "{path} {said:?}");
    let next = said.json()["next"].as_str().map(str::to_owned);
    next.unwrap_or_else(|| panic!("{path} has one part: {said:?}"))
}

#[tokio::test]
async fn a_cursor_names_nothing_that_is_hidden_and_is_as_long_whatever_it_is() {
    let place = Keeping::new().await;
    let house = &place.house;
    let long = "a".repeat(100);
    let hidden = place.push("acme/app", &["a-secret", &long], "secret").await;
    place.push("acme/app", &["v1"], "open").await;
    let give = Give {
        subject: "user:nobody".to_owned(),
        role: "reader".to_owned(),
        tags: Some("v*".to_owned()),
        ..Give::default()
    };
    house.give("acme", give).await;
    // The first that is looked at is not theirs to see, and the part ends there.
    let mut next = format!("{APP}/history?limit=1");
    let mut cursors = Vec::new();
    for _ in 0..2 {
        let said = house.get("nobody", &next).await;
        let json = said.json();
        assert_eq!(json["items"].as_array().unwrap().len(), 0, "{json}");
        let cursor = json["next"].as_str().unwrap().to_owned();
        let link = said.header("link").to_owned();
        assert!(link.contains(&cursor), "{link}");
        let text = String::from_utf8_lossy(&hex::decode(&cursor).unwrap()).into_owned();
        for secret in ["secret", "aaaa", &hidden.to_string(), "history"] {
            assert!(!text.contains(secret), "{text}");
        }
        next = format!("{APP}/history?limit=1&cursor={cursor}");
        cursors.push(cursor);
    }
    assert_eq!(cursors[0].len(), cursors[1].len());
    let last = house.get("nobody", &next).await.json();
    assert_eq!(last["items"][0]["tag"], "v1");
    for path in [format!("{APP}/artifacts"), "/users".to_owned()] {
        let who = if path == "/users" { "ada" } else { "nobody" };
        let cursor = first(house, who, &path).await;
        let text = String::from_utf8_lossy(&hex::decode(&cursor).unwrap()).into_owned();
        assert!(!text.contains("sha256") && !text.contains("ada"), "{text}");
        assert_eq!(cursor.len(), cursors[0].len(), "{path}");
    }
}

#[tokio::test]
async fn a_cursor_is_of_one_list_of_one_thing_for_one_caller_on_every_node() {
    let (house, node) = (House::new().await, House::new().await);
    for repo in ["acme/one", "acme/two"] {
        house.repo(repo).await;
    }
    let path = "/namespaces";
    let cursor = first(&house, "ada", path).await;
    assert_eq!(cursor, first(&house, "ada", path).await, "it is the same");
    let ask = async |house: &House, who: &str, path: &str, cursor: &str| {
        let said = house.get(who, &format!("{path}?cursor={cursor}")).await;
        (said.status, said.json().to_string())
    };
    assert_eq!(ask(&house, "ada", path, &cursor).await.0, 200);
    assert_eq!(ask(&node, "ada", path, &cursor).await.0, 200);
    let members = "/namespaces/acme/-/bindings";
    let bindings = first(&house, "ada", members).await;
    assert_eq!(ask(&house, "ada", members, &bindings).await.0, 200);
    let mut changed = cursor.clone().into_bytes();
    changed[7] = if changed[7] == b'0' { b'1' } else { b'0' };
    let changed = String::from_utf8(changed).unwrap();
    let plain = hex::encode("namespace-list\nacme");
    for (who, path, cursor) in [
        ("auditor", path, cursor.as_str()),
        ("ada", "/repositories", &cursor),
        ("ada", "/namespaces/other/-/bindings", &bindings),
        ("ada", path, &changed),
        ("ada", path, &cursor[2..]),
        ("ada", path, &plain),
        ("ada", path, "zz"),
        ("ada", path, "acme"),
        ("ada", path, &"ab".repeat(2000)),
    ] {
        let (status, text) = ask(&house, who, path, cursor).await;
        assert_eq!(status, 400, "{who} {path} {cursor}: {text}");
        assert!(text.contains("`cursor`"), "{text}");
    }
}
