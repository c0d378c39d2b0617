//! Lists: every entry once, whatever the pages.

use longshore_http::edge::{EdgeOptions, Pages};
use serde_json::{Value, json};

use super::house::{House, options, registry};
use super::pull::{IMAGE, image};

/// Follows `Link` from `target` to its end; gives the pages.
async fn pages(house: &House, target: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut next = Some(target.to_owned());
    while let Some(target) = next {
        let answer = house.get(&target).await;
        assert_eq!(answer.status, 200, "{target}: {answer}");
        next = answer.header("link").map(|link| {
            longshore_spec::range::parse_link_next(link)
                .unwrap()
                .to_owned()
        });
        pages.push(serde_json::from_slice(&answer.body).unwrap());
        assert!(pages.len() < 1000, "the pages of {target} never end");
    }
    pages
}

fn strings(pages: &[Value], field: &str) -> Vec<String> {
    let entries = pages
        .iter()
        .flat_map(|page| page[field].as_array().unwrap());
    entries
        .map(|entry| entry.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn tags_and_repositories_come_in_pages_of_the_size_asked_for_each_once_and_in_order() {
    let prefix = EdgeOptions {
        prefix: "/inner".parse().unwrap(),
        ..options()
    };
    let house = House::open_with(registry(), prefix, None);
    let filled = Filled(&house, "/inner");
    let tags = ["1", "1.1", "1.10", "1.2", "A", "_", "a", "latest"];
    for tag in tags {
        filled.image("b/c", tag, json!({})).await;
    }
    filled.image("a", "1", json!({})).await;
    for n in 1..10 {
        let got = pages(&house, &format!("/inner/v2/b/c/tags/list?n={n}")).await;
        assert_eq!(strings(&got, "tags"), tags);
        assert_eq!(got.len(), tags.len().div_ceil(n));
        assert!(got.iter().all(|page| page["name"] == "b/c"));
    }
    let rest = pages(&house, "/inner/v2/b/c/tags/list?last=1.2").await;
    assert_eq!(strings(&rest, "tags"), ["A", "_", "a", "latest"]);
    let got = pages(&house, "/inner/v2/_catalog?n=1").await;
    assert_eq!(
        (strings(&got, "repositories"), got.len()),
        (vec!["a".to_owned(), "b/c".to_owned()], 2)
    );
}

#[tokio::test]
async fn e04_a_page_is_never_longer_than_the_registry_allows() {
    let limits = Pages {
        most: 2,
        unasked: 3,
        ..Pages::default()
    };
    let house = House::open_with(
        registry(),
        EdgeOptions {
            pages: limits,
            ..options()
        },
        None,
    );
    for tag in ["a", "b", "c", "d", "e"] {
        Filled(&house, "").image("r", tag, json!({})).await;
    }
    for (target, length) in [("/v2/r/tags/list?n=1000000000", 2), ("/v2/r/tags/list", 3)] {
        let got = pages(&house, target).await;
        assert_eq!(got[0]["tags"].as_array().unwrap().len(), length, "{target}");
        assert_eq!(strings(&got, "tags"), ["a", "b", "c", "d", "e"]);
    }
}

#[tokio::test]
async fn e20_referrers_come_in_pages_of_bounded_bytes_each_once() {
    let limits = Pages {
        referrer_bytes: 4096,
        ..Pages::default()
    };
    let house = House::open_with(
        registry(),
        EdgeOptions {
            pages: limits,
            ..options()
        },
        None,
    );
    let filled = Filled(&house, "");
    let subject = filled.image("r", "subject", json!({})).await;
    let about = json!({"mediaType": IMAGE, "digest": subject, "size": 1});
    let mut expected = Vec::new();
    for number in 0..70 {
        // One of them alone is larger than a page may be.
        let text = "x".repeat(if number == 7 { 5000 } else { 100 });
        let more = json!({
            "subject": about,
            "artifactType": if number % 2 == 0 { "even/type" } else { "odd/type" },
            "annotations": {"number": number.to_string(), "text": text},
        });
        expected.push(filled.image("r", &format!("t{number}"), more).await);
    }
    expected.sort();
    for target in [
        format!("/v2/r/referrers/{subject}"),
        format!("/v2/r/referrers/{subject}?n=5"),
    ] {
        let got = pages(&house, &target).await;
        let found: Vec<_> = got
            .iter()
            .flat_map(|page| page["manifests"].as_array().unwrap())
            .collect();
        let mut digests: Vec<_> = found
            .iter()
            .map(|found| found["digest"].as_str().unwrap().to_owned())
            .collect();
        digests.sort();
        assert_eq!(digests, expected, "{target}");
        for page in &got {
            assert_eq!(page["mediaType"], "application/vnd.oci.image.index.v1+json");
            let count = page["manifests"].as_array().unwrap().len();
            assert!(
                count == 1 || page.to_string().len() <= 4096,
                "{count} entries in too long a page"
            );
            assert!(count > 0, "a page brings something");
        }
    }
    let even = pages(
        &house,
        &format!("/v2/r/referrers/{subject}?artifactType=even/type"),
    )
    .await;
    let kinds: Vec<_> = even
        .iter()
        .flat_map(|page| page["manifests"].as_array().unwrap())
        .collect();
    assert_eq!(kinds.len(), 35);
    assert!(
        kinds
            .iter()
            .all(|found| found["artifactType"] == "even/type")
    );
}

/// A house that is filled below a prefix.
struct Filled<'a>(&'a House, &'static str);

impl Filled<'_> {
    /// Pushes an image under a tag and gives its digest.
    async fn image(&self, repo: &str, tag: &str, more: Value) -> String {
        use longshore_testkit::wire::Ask;
        let config = super::house::digest(b"{}");
        let blob = format!("{}/v2/{repo}/blobs/uploads/?digest={config}", self.1);
        assert_eq!(
            self.0.ask(Ask::new("POST", blob).sized("{}")).await.status,
            201
        );
        let put = Ask::new("PUT", format!("{}/v2/{repo}/manifests/{tag}", self.1))
            .header("content-type", IMAGE)
            .sized(image(IMAGE, &config, 2, more));
        let answer = self.0.ask(put).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.header("docker-content-digest").unwrap().to_owned()
    }
}
