//! Lists in parts.

use super::house::House;

/// All parts of a list, each of `limit`.
async fn walk(house: &House, who: &str, path: &str, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let join = if path.contains('?') { '&' } else { '?' };
    let mut next = format!("{path}{join}limit={limit}");
    for _ in 0..100 {
        let said = house.get(who, &next).await;
        let names = said.names();
        assert!(names.len() <= limit);
        found.extend(names);
        let json = said.json();
        match json["next"].as_str() {
            None => {
                assert_eq!(said.header("link"), "");
                return found;
            }
            Some(cursor) => {
                let link = said.header("link");
                assert!(link.contains(cursor) && link.ends_with(">; rel=\"next\""));
                let target = link.trim_start_matches("</api/v1");
                target.split('>').next().unwrap().clone_into(&mut next);
            }
        }
    }
    panic!("a list without an end");
}

#[tokio::test]
async fn a_list_is_the_same_in_parts_of_any_length_and_has_nothing_twice() {
    let house = House::new().await;
    for path in [
        "/users",
        "/organisations",
        "/namespaces",
        "/repositories",
        "/roles",
    ] {
        let whole = house
            .get("ada", &format!("{path}?limit=1000"))
            .await
            .names();
        assert!(whole.is_sorted(), "{path} {whole:?}");
        for limit in [1, 2, 3, 7] {
            assert_eq!(walk(&house, "ada", path, limit).await, whole, "{path}");
        }
    }
    assert_eq!(
        walk(&house, "ada", "/repositories?within=acme", 1).await,
        ["acme/app", "acme/deep/er/app"]
    );
}

#[tokio::test]
async fn a_list_shows_what_its_reader_may_see() {
    let house = House::new().await;
    for (who, repos, namespaces) in [
        ("", vec![], vec![]),
        ("nobody", vec![], vec!["nobody"]),
        (
            "reader",
            vec!["acme/app", "acme/deep/er/app"],
            vec!["acme", "reader"],
        ),
        (
            "auditor",
            vec!["acme/app", "acme/deep/er/app", "ada/own", "other/app"],
            vec![
                "acme",
                "ada",
                "auditor",
                "developer",
                "guest",
                "library",
                "maintainer",
                "nobody",
                "other",
                "owner",
                "reader",
            ],
        ),
    ] {
        assert_eq!(
            house.get(who, "/repositories").await.names(),
            repos,
            "{who}"
        );
        assert_eq!(
            house.get(who, "/namespaces").await.names(),
            namespaces,
            "{who}"
        );
    }
}

#[tokio::test]
async fn the_log_can_be_read_from_either_end_and_exported() {
    let house = House::new().await;
    let newest = house.get("ada", "/audit?limit=1").await.json();
    let oldest = house.get("ada", "/audit?limit=1&order=oldest").await.json();
    let last = house.rows().await;
    assert_eq!(newest["items"][0]["seq"], last);
    assert_eq!(oldest["items"][0]["seq"], 1);
    let lines = house.get("auditor", "/audit/export").await;
    assert_eq!(lines.header("content-type"), "application/jsonl");
    let text = String::from_utf8(lines.body.to_vec()).unwrap();
    assert_eq!(text.lines().count(), last);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["hash"], oldest["items"][0]["hash"]);
    let of = house
        .get("maintainer", "/namespaces/acme/-/audit?limit=1000")
        .await;
    let rows = of.json();
    let acme = house.hub.namespace_id("acme").await.unwrap().0;
    let rows = rows["items"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["namespace"] == acme));
}
