//! What a token must be good for: the repositories that a job speaks of.

use std::collections::BTreeSet;

use crate::job::{Target, Task, Work};

/// The repositories that `works` speak of.
pub(super) fn of(works: &[Work]) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut each = |stem: &str, connections: usize, end: &str| {
        names.extend((0..connections).map(|number| format!("{stem}-{number}{end}")));
    };
    for work in works {
        match &work.task {
            Task::Push { repository, .. }
            | Task::Image {
                repository,
                shared: false,
                ..
            } => {
                each(repository, work.connections, "");
            }
            Task::Mount { into, .. } => {
                each(into, work.connections, "");
                // Where it goes on when all there is has been mounted once; some connections are faster than others.
                for end in ["-1", "-2", "-3"] {
                    each(into, work.connections, end);
                }
            }
            Task::Image { .. } | Task::Read(_) | Task::Pull { .. } => {}
        }
    }
    for work in works {
        match &work.task {
            Task::Image {
                repository,
                shared: true,
                ..
            } => {
                names.insert(repository.clone());
            }
            Task::Mount { from, .. } => {
                names.insert(from.clone());
            }
            Task::Read(read) => names.extend(read.targets.iter().filter_map(named)),
            Task::Pull { images } => names.extend(images.iter().flatten().filter_map(named)),
            Task::Push { .. } | Task::Image { .. } => {}
        }
    }
    names.into_iter().collect()
}

/// The repository in the path of a target.
fn named(target: &Target) -> Option<String> {
    let rest = target.path.strip_prefix("/v2/")?;
    let end = ["/blobs/", "/manifests/", "/tags/", "/referrers/"]
        .iter()
        .filter_map(|part| rest.find(part))
        .min()?;
    rest.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Way;
    use crate::line::works::get;

    fn target(path: &str) -> Target {
        Target {
            path: path.to_owned(),
            length: None,
            digest: None,
        }
    }

    #[test]
    fn a_token_covers_exactly_the_repositories_of_the_job() {
        let push = Task::Push {
            repository: "p".to_owned(),
            size: 1,
            way: Way::PostPut,
        };
        let works = [
            get(
                1,
                vec![
                    target("/v2/bench/app/manifests/1.0"),
                    target("/v2/bench/app/blobs/sha256:0"),
                    target("/v2/_catalog"),
                ],
            ),
            Work {
                name: String::new(),
                connections: 2,
                units: None,
                task: push,
            },
        ];
        assert_eq!(of(&works), ["bench/app", "p-0", "p-1"]);
    }
}
