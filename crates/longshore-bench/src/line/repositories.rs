//! What a token must be good for: the repositories that a job speaks of.

use std::collections::BTreeSet;

use crate::job::{Target, Task, Work};

/// For each connection of a work whose connections have repositories of their own: those. For other works nothing.
pub(super) fn of_each(work: &Work) -> Vec<Vec<String>> {
    let each = |names: &dyn Fn(usize) -> Vec<String>| (0..work.connections).map(names).collect();
    match &work.task {
        Task::Push { repository, .. }
        | Task::Image {
            repository,
            shared: false,
            ..
        } => each(&|number| vec![format!("{repository}-{number}")]),
        // Where it goes on when all there is has been mounted once; some connections are faster than others.
        Task::Mount {
            from,
            into,
            again: false,
            ..
        } => each(&|number| {
            let into = ["", "-1", "-2", "-3"].map(|end| format!("{into}-{number}{end}"));
            into.into_iter().chain([from.clone()]).collect()
        }),
        Task::Mount { .. } | Task::Image { .. } | Task::Read(_) | Task::Pull { .. } => Vec::new(),
    }
}

/// The repositories that all connections of `works` speak of.
pub(super) fn of_all(works: &[Work]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for work in works {
        match &work.task {
            Task::Image {
                repository,
                shared: true,
                ..
            } => {
                names.insert(repository.clone());
            }
            Task::Read(read) => names.extend(read.targets.iter().filter_map(named)),
            Task::Pull { images } => names.extend(images.iter().flatten().filter_map(named)),
            Task::Mount {
                from,
                into,
                again: true,
                ..
            } => names.extend([from.clone(), into.clone()]),
            Task::Push { .. } | Task::Image { .. } | Task::Mount { .. } => {}
        }
    }
    names.into_iter().collect()
}

/// The repository in the path of a target.
fn named(target: &Target) -> Option<String> {
    let rest = target.path.strip_prefix("/v2/")?;
    let end = ["/blobs/", "/manifests/", "/tags/", "/referrers/"]
        .iter()
        .filter_map(|part| rest.rfind(part))
        .max()?;
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
                    target("/v2/big/tags/tags/list?n=100"),
                    target("/v2/_catalog"),
                ],
            ),
            Work::new("push", 2, push),
        ];
        assert_eq!(of_all(&works), ["bench/app", "big/tags"]);
        assert!(of_each(&works[0]).is_empty());
        assert_eq!(of_each(&works[1]), [["p-0"], ["p-1"]]);
    }
}
