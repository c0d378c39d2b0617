//! Manifests that are small to send and large to understand.

use std::sync::Arc;

use anyhow::Result;

use super::front::{Doing, Front, Talk, crowd, pace};

const WORKERS: usize = 8;
/// Bombs a second of all together.
const RATE: u32 = 20;
/// As long as a manifest may be.
const LONGEST: usize = 4 << 20;
const KIND: &str = "application/vnd.oci.image.manifest.v1+json";

/// Every kind in turn, 20 a second.
pub(super) fn manifests(front: Arc<Front>) -> Doing {
    Box::pin(async move {
        let bombs = Arc::new(all());
        crowd(&front, WORKERS, |front, at| {
            let bombs = Arc::clone(&bombs);
            async move {
                let mut ticks = pace(RATE, WORKERS, at);
                for (name, more, bomb) in bombs.iter().cycle().skip(at) {
                    ticks.tick().await;
                    match push(&front, more, bomb).await {
                        Ok(status) if !(400..500).contains(&status) => {
                            front.wrong(format!("{name} were answered {status}"));
                        }
                        // A server may hang up in the middle.
                        Ok(_) | Err(_) => front.act(1),
                    }
                }
                Ok(())
            }
        })
        .await
    })
}

async fn push(front: &Front, more: &str, body: &[u8]) -> Result<u16> {
    let path = format!("/v2/{}/manifests/bomb", front.repository);
    let head = front.head("PUT", &path);
    let head = format!(
        "{head}Content-Type: {KIND}\r\n{more}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut talk = Talk::open(front).await?;
    talk.say(head.as_bytes()).await?;
    let said = talk.say(body).await;
    let heard = talk.hear().await;
    heard.map(|heard| heard.status).or_else(|error| {
        said?;
        Err(error)
    })
}

/// What each is, its further headers, and its bytes.
fn all() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let filled = |before: &str, each: &str, after: &str| {
        let room = LONGEST.saturating_sub(before.len() + after.len());
        let middle = each.repeat(room / each.len());
        // A list ends without a comma.
        let middle = middle.trim_end_matches(',');
        format!("{before}{middle}{after}").into_bytes()
    };
    let annotations: Vec<String> = (0..LONGEST / 10)
        .map(|at| format!("\"{at}\":\"\""))
        .collect();
    let mut annotations = annotations.join(",");
    annotations.truncate(LONGEST - 64);
    let end = annotations.rfind(',').unwrap_or_default();
    annotations.truncate(end);
    let annotations = format!(r#"{{"schemaVersion":2,"annotations":{{{annotations}}}}}"#);
    let gzip: Vec<u8> = [0x1f, 0x8b, 8, 0]
        .iter()
        .copied()
        .cycle()
        .take(LONGEST)
        .collect();
    vec![
        ("deeply nested lists", "", filled(r#"{"config":"#, "[", "")),
        (
            "millions of lists",
            "",
            filled(r#"{"layers":["#, "[],", "]}"),
        ),
        (
            "hundreds of thousands of annotations",
            "",
            annotations.into_bytes(),
        ),
        (
            "a million empty layers",
            "",
            filled(r#"{"schemaVersion":2,"layers":["#, "{},", "]}"),
        ),
        (
            "the same name again and again",
            "",
            filled(r#"{"a":0,"#, r#""a":0,"#, "}"),
        ),
        (
            "a number of four million digits",
            "",
            filled(r#"{"schemaVersion":"#, "1", "}"),
        ),
        (
            "a string of escapes",
            "",
            filled(r#"{"mediaType":""#, r"\u0041", r#""}"#),
        ),
        ("compressed bytes", "Content-Encoding: gzip\r\n", gzip),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_are_as_long_as_a_manifest_may_be_and_not_longer() {
        for (name, _, bomb) in all() {
            assert!(
                bomb.len() <= LONGEST && bomb.len() > LONGEST - 100_000,
                "{name}: {}",
                bomb.len()
            );
        }
    }

    #[test]
    fn what_is_not_nested_or_compressed_is_json() {
        let bombs = all();
        for (name, _, bomb) in &bombs[1..5] {
            assert!(
                serde_json::from_slice::<serde_json::Value>(bomb).is_ok(),
                "{name}"
            );
        }
    }
}
