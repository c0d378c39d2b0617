//! Distribution's configuration (`registry:2`, `registry:3`): a `config.yml` and `REGISTRY_*` variables
//! in the place of ours.
//!
//! Each key of theirs stands in one table ([`table`]): it works, or has no effect and the operator is
//! told why, or refuses the start because going on without it would be unsafe. The values of those that
//! work become values of our own keys, with their place, so one check serves both formats.

mod document;
mod duration;
mod environment;
mod mapping;
mod notices;
pub mod page;
pub mod table;
mod yaml;

#[cfg(test)]
pub(crate) mod tests;

use crate::config::origin::Origin;
use crate::config::{Problem, Problems, Reader};

use yaml::Yaml;

/// What the registry image starts with when nothing is mounted over its configuration: the base for
/// `REGISTRY_*` variables without a file.
const IMAGE: &str = "\
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
";

/// Whether `text`, the content of the file `name`, is a configuration of Distribution's rather than ours.
pub fn is_ours_to_read(name: &str, text: &str) -> bool {
    let ends_with =
        |ending: &str| name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending);
    if ends_with(".toml") {
        return false;
    }
    ends_with(".yml") || ends_with(".yaml") || text.lines().any(|line| line.starts_with("version:"))
}

/// Whether any of `variables` sets a key of Distribution's. Their prefix alone does not say so: beside a
/// service called `registry`, Kubernetes sets `REGISTRY_PORT` and the like for every container.
pub fn any_variable(variables: &[(String, String)]) -> bool {
    variables
        .iter()
        .any(|(name, text)| environment::is_known(name) && !text.is_empty())
}

/// Reads `file` (its name and content; the image's own when `None`) with the `REGISTRY_*` among
/// `variables` over it into `reader`, and returns what the operator should be told.
///
/// # Errors
/// The file is no YAML, or not a version that is understood. All else is noted in `reader`.
pub fn read(
    reader: &mut Reader,
    file: Option<(&str, &str)>,
    variables: &[(String, String)],
) -> Result<Vec<String>, Problems> {
    let (name, text) = file.unwrap_or(("the image's configuration", IMAGE));
    let mut root = yaml::parse(name, text)?;
    version(&root, name)?;
    let mut notes = environment::apply(&mut root, variables).map_err(Problems)?;
    notices::collect(&root, reader, &mut notes);
    mapping::map(&root, reader, &mut notes);
    Ok(notes)
}

fn version(root: &Yaml, name: &str) -> Result<(), Problem> {
    let hint = "a Distribution configuration begins with `version: 0.1`; Longshore's own is TOML and its name ends in .toml";
    match root.get("version") {
        Some(version) if version.text().is_some_and(|version| version == "0.1") => Ok(()),
        Some(version) => Err(Problem::new(
            Origin::Distribution(version.place.clone()),
            format!("version {} is not understood", version.words()),
        )
        .hint(hint)),
        None => Err(Problem::new(
            Origin::Distribution(name.to_owned()),
            "there is no `version`",
        )
        .hint(hint)),
    }
}
