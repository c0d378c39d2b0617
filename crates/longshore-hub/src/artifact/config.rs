//! Configs: those of images, and the few words of others that people look for.

use std::collections::BTreeMap;

use longshore_spec::descriptor::{Descriptor, Platform};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{STEPS, VALUE, cut};

/// A step in the history of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When, as it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created: String,
    /// The command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// What somebody said about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Whether it made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
}

/// How an image is run, where nobody says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// As whom.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// The environment, as `NAME=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What is run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// What it is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// In which directory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Ports that it answers on, as in `8080/tcp`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed_ports: Vec<String>,
    /// Directories that are not kept in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// The signal that stops it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
}

/// How many words of one kind are kept of how an image is run.
const WORDS: usize = 256;

impl Run {
    /// The JSON of it in at most `most` bytes: first the end of the environment goes, then all lists.
    pub(super) fn json(&self, most: usize) -> String {
        let mut run = self.clone();
        loop {
            let json = serde_json::to_string(&run).unwrap_or_default();
            if json.len() <= most {
                return json;
            }
            if run.env.is_empty() {
                run = Self {
                    user: run.user,
                    working_dir: run.working_dir,
                    stop_signal: run.stop_signal,
                    ..Self::default()
                };
            } else {
                run.env.truncate(run.env.len() / 2);
            }
        }
    }
}

/// What a config says.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) run: Option<Run>,
    pub(super) platform: Option<Platform>,
    pub(super) created: Option<i64>,
    pub(super) author: String,
    pub(super) description: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) history: Vec<Step>,
}

/// Source: image-spec v1.1, "Image Configuration". Builders write `null` for what is not there.
#[derive(Deserialize)]
struct Image {
    created: Option<String>,
    author: Option<String>,
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    config: Option<Ran>,
    history: Option<Vec<Made>>,
}

/// How it is run. What is not of the type that is usual takes nothing else away: it is as if it were not there.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ran {
    labels: Option<BTreeMap<String, Option<String>>>,
    user: Option<Value>,
    env: Option<Value>,
    entrypoint: Option<Value>,
    cmd: Option<Value>,
    working_dir: Option<Value>,
    exposed_ports: Option<Value>,
    volumes: Option<Value>,
    stop_signal: Option<Value>,
}

impl Ran {
    fn run(&self) -> Run {
        Run {
            user: word(self.user.as_ref()),
            env: words(self.env.as_ref()),
            entrypoint: words(self.entrypoint.as_ref()),
            cmd: words(self.cmd.as_ref()),
            working_dir: word(self.working_dir.as_ref()),
            exposed_ports: words(self.exposed_ports.as_ref()),
            volumes: words(self.volumes.as_ref()),
            stop_signal: word(self.stop_signal.as_ref()),
        }
    }
}

fn word(value: Option<&Value>) -> String {
    cut(value.and_then(Value::as_str).unwrap_or_default(), VALUE)
}

/// The texts of a list, or the names of an object, which is how configs write sets.
fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => {
            let texts = list.iter().take(WORDS).filter_map(Value::as_str);
            texts.map(|text| cut(text, VALUE)).collect()
        }
        Some(Value::Object(names)) => names.keys().take(WORDS).map(|it| cut(it, VALUE)).collect(),
        Some(Value::String(text)) => vec![cut(text, VALUE)],
        _ => Vec::new(),
    }
}

#[derive(Deserialize)]
struct Made {
    created: Option<String>,
    created_by: Option<String>,
    comment: Option<String>,
    empty_layer: Option<bool>,
}

/// `Chart.yaml` of a Helm chart, as JSON.
#[derive(Deserialize)]
struct Chart {
    name: Option<String>,
    description: Option<String>,
    #[serde(rename = "appVersion")]
    app_version: Option<String>,
    keywords: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Config {
    /// Reads a config; its type says what to look for, and of most there is nothing.
    ///
    /// # Errors
    /// Why it is not what its type says, in a sentence.
    pub(super) fn read(bytes: &[u8], at: Option<&Descriptor>) -> Result<Self, String> {
        match at.map(|config| config.media_type.essence()) {
            Some(
                "application/vnd.oci.image.config.v1+json"
                | "application/vnd.docker.container.image.v1+json",
            ) => Self::image(bytes),
            Some("application/vnd.cncf.helm.config.v1+json") => Self::chart(bytes),
            _ => Ok(Self::default()),
        }
    }

    fn image(bytes: &[u8]) -> Result<Self, String> {
        let image: Image = serde_json::from_slice(bytes)
            .map_err(|error| format!("its config is not one of an image: {error}"))?;
        let run = image.config.as_ref().map(Ran::run);
        let labels = image.config.and_then(|run| run.labels).unwrap_or_default();
        let history = image.history.unwrap_or_default();
        Ok(Self {
            run: Some(run.unwrap_or_default()),
            platform: Some(Platform {
                architecture: image.architecture.unwrap_or_default(),
                os: image.os.unwrap_or_default(),
                variant: image.variant,
                ..Platform::default()
            }),
            created: image.created.as_deref().and_then(time),
            author: image.author.unwrap_or_default(),
            description: String::new(),
            labels: labels
                .into_iter()
                .map(|(name, value)| (name, value.unwrap_or_default()))
                .collect(),
            history: history.into_iter().take(STEPS).map(step).collect(),
        })
    }

    fn chart(bytes: &[u8]) -> Result<Self, String> {
        let chart: Chart = serde_json::from_slice(bytes)
            .map_err(|error| format!("its config is not one of a chart: {error}"))?;
        let mut labels = chart.annotations.unwrap_or_default();
        let mut also = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                labels.entry(name.to_owned()).or_insert(value);
            }
        };
        also("name", chart.name);
        also("appVersion", chart.app_version);
        also("keywords", chart.keywords.map(|words| words.join(" ")));
        Ok(Self {
            labels,
            description: chart.description.unwrap_or_default(),
            ..Self::default()
        })
    }
}

fn step(made: Made) -> Step {
    let text = |text: Option<String>| cut(&text.unwrap_or_default(), VALUE);
    Step {
        created: cut(&made.created.unwrap_or_default(), 64),
        by: text(made.created_by),
        comment: text(made.comment),
        empty: made.empty_layer.unwrap_or_default(),
    }
}

/// A time of RFC 3339 in microseconds since the Unix epoch, to the second; none where it is no such time, or before the epoch.
fn time(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !fits || !text.is_ascii() {
        return None;
    }
    // Days of the civil calendar, with years that begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let away = offset(text.get(19..)?)?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - away;
    (seconds >= 0).then(|| seconds.checked_mul(1_000_000))?
}

/// What stands behind the seconds: fractions, and how far from UTC, in seconds.
fn offset(rest: &str) -> Option<i64> {
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = zone.get(4..6)?.parse().ok()?;
    Some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone_and_nothing_else_is_a_time() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T12:34:56.789Z", Some(1_709_210_096)),
            ("2024-02-29T12:34:56+02:00", Some(1_709_202_896)),
            ("2000-03-01T00:00:00-00:30", Some(951_870_600)),
            ("0001-01-01T00:00:00Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-02-29", None),
            ("2024-02-29T12:34:56", None),
            ("2024-02-29T12:34:5é", None),
            ("", None),
        ] {
            assert_eq!(time(text), seconds.map(|s: i64| s * 1_000_000), "{text}");
        }
    }
}
