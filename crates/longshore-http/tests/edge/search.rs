//! `docker search`, as engines and other clients send it.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_auth::AnonymousAccess;
use longshore_core::{Cx, Find, Finder, Finds, Result, Seek, Verb};
use longshore_http::edge::EdgeOptions;
use longshore_testkit::bad_input::Who;
use longshore_testkit::wire::{Answer, Ask};
use serde_json::{Value, json};

use super::house::{House, options, registry};

/// Finds what begins with the query among a hundred and fifty repositories, as far as the caller may pull.
#[derive(Debug)]
struct Known;

#[async_trait]
impl Finder for Known {
    async fn find(&self, cx: &Cx, query: &str, seek: &Seek) -> Result<Finds> {
        let names = ["nginx".to_owned(), "library/nginx".to_owned()];
        let names = names
            .into_iter()
            .chain((0..150).map(|at| format!("acme/app{at}")));
        let items = names
            .filter(|name| name.contains(query))
            .map(|name| name.parse().unwrap())
            .filter(|name| cx.rights.allow(Some(name), Verb::Pull))
            .take(seek.limit)
            .map(|name| Find {
                name,
                description: "<b>what it says</b>".to_owned(),
                stars: 7,
                pulls: 9,
            });
        Ok(Finds {
            items: items.collect(),
            next: None,
        })
    }
}

fn finding() -> EdgeOptions {
    EdgeOptions {
        finder: Some(Arc::new(Known)),
        ..options()
    }
}

fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer}");
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn an_engine_gets_what_it_expects_field_by_field() {
    let house = House::open_with(registry(), finding(), None);
    let ping = house.get("/v1/_ping").await;
    assert_eq!(ping.header("x-docker-registry-standalone"), Some("false"));
    assert_eq!(json(&ping), json!({"standalone": false}));
    let found = house.get("/v1/search?q=nginx&n=25").await;
    assert_eq!(found.header("content-type"), Some("application/json"));
    let result = |name: &str| {
        json!({"name": name, "description": "<b>what it says</b>", "star_count": 7, "is_official": true,
               "is_automated": false, "is_trusted": false})
    };
    assert_eq!(
        json(&found),
        json!({"query": "nginx", "num_results": 2, "results": [result("nginx"), result("library/nginx")]})
    );
    let official = &json(&house.get("/v1/search?q=acme%2Fapp7&n=1").await)["results"][0];
    assert_eq!(official["is_official"], false);
}

#[tokio::test]
async fn the_number_of_results_is_what_was_asked_for_within_bounds() {
    let house = House::open_with(registry(), finding(), None);
    for (n, found) in [
        ("", 25),
        ("&n=0", 1),
        ("&n=1", 1),
        ("&n=100", 100),
        ("&n=18446744073709551615", 100),
    ] {
        let answer = json(&house.get(&format!("/v1/search?q=acme{n}")).await);
        assert_eq!(answer["num_results"], found, "{n}");
        assert_eq!(answer["results"].as_array().unwrap().len(), found, "{n}");
    }
    for n in ["-1", "x", "99999999999999999999", "1&n=2"] {
        assert_eq!(
            house.get(&format!("/v1/search?q=a&n={n}")).await.status,
            400,
            "{n}"
        );
    }
}

async fn count(house: &House, ask: Ask) -> Value {
    json(&house.ask_as(Who::Stranger, ask).await)["num_results"].clone()
}

#[tokio::test]
async fn a_stranger_finds_what_strangers_may_pull_and_is_asked_to_log_in_where_that_is_nothing() {
    let search = || Ask::new("GET", "/v1/search?q=nginx&n=25");
    // What an engine sends for somebody who has not logged in.
    let engine = || {
        search()
            .header("authorization", "Basic Og==")
            .header("x-docker-token", "true")
    };
    let readers = House::passwords(AnonymousAccess::Reader, finding()).await;
    assert_eq!(count(&readers, engine()).await, 2);
    assert_eq!(count(&readers, search()).await, 2);
    let nobody = House::passwords(AnonymousAccess::Nothing, finding()).await;
    for ask in [engine(), search()] {
        let answer = nobody.ask_as(Who::Stranger, ask).await;
        assert_eq!(answer.status, 401);
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Basic")
        );
    }
    assert_eq!(
        nobody
            .ask_as(Who::Stranger, Ask::new("GET", "/v1/_ping"))
            .await
            .status,
        200
    );
    assert_eq!(
        json(&nobody.get("/v1/search?q=nginx").await)["num_results"],
        2
    );
    let tokens = House::tokens(AnonymousAccess::Nothing, finding()).await;
    let answer = tokens.ask_as(Who::Stranger, search()).await;
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("scope=\"registry:catalog:search\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn the_rest_of_the_old_protocol_says_what_to_do() {
    let house = House::open_with(registry(), finding(), None);
    for (method, target) in [
        ("GET", "/v1/users/"),
        ("POST", "/v1/users/"),
        ("GET", "/v1/repositories/library/nginx/images"),
        ("PUT", "/v1/repositories/library/nginx/"),
        ("GET", "/v1/images/abc/ancestry"),
        ("GET", "/v1/"),
    ] {
        let answer = house.ask(Ask::new(method, target)).await;
        assert_eq!(answer.status, 404, "{target}");
        let words = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(words.contains("Docker 1.6 or newer"), "{words}");
    }
    assert_eq!(
        house.ask(Ask::new("DELETE", "/v1/search")).await.status,
        405
    );
    let without = House::open();
    assert_eq!(without.get("/v1/search?q=a").await.status, 404);
}
