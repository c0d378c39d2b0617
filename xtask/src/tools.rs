//! Programs from outside: pinned, built once per user, found again by every clone.
//!
//! `tools.toml` pins them. Each is made in the user's cache under the hash of its own entry and linked as `target/tools/NAME`, a folder
//! that scenarios put on their `PATH`. A folder appears under its final name only when it is whole, so an interrupted build leaves
//! nothing to trust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::process;
use crate::workspace::{Workspace, cache, key_of, link, on_path};

/// Long enough for the largest of them on two busy cores.
const BUILD_LIMIT: Duration = Duration::from_mins(20);

/// What unpacks an archive of Maven Central.
const UNPACK: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack";

/// `cargo xtask tools`
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only these, by the names in tools.toml.
    names: Vec<String>,
}

/// What `tools.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pins {
    /// Names without which a CI run fails.
    pub(crate) required: Vec<String>,
    go: Vec<Go>,
    cargo: Vec<Cargo>,
    python: Vec<Python>,
    npm: Vec<Npm>,
    maven: Vec<Maven>,
    pub(crate) debian: Debian,
}

/// Debian packages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debian {
    pub(crate) packages: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Go {
    name: String,
    version: String,
    packages: Vec<String>,
    #[serde(default)]
    cgo: bool,
    #[serde(default)]
    tags: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Cargo {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Python {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Npm {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Maven {
    name: String,
    version: String,
    /// `GROUP:ARTIFACT` of a zip.
    artifact: String,
}

/// One pin, whatever builds it.
#[derive(Clone, Copy, Debug)]
enum Recipe<'a> {
    Go(&'a Go),
    Cargo(&'a Cargo),
    Python(&'a Python),
    Npm(&'a Npm),
    Maven(&'a Maven),
}

/// How urgently a build may take the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Somebody waits for it.
    Awaited,
    /// Something else is being compiled meanwhile and goes first.
    Background,
}

impl Pins {
    /// Reads `xtask/tools.toml`.
    ///
    /// # Errors
    /// When it is missing or not understood.
    pub(crate) fn load(workspace: &Workspace) -> Result<Self> {
        let text = fs::read_to_string(workspace.at("xtask/tools.toml"))
            .context("xtask/tools.toml cannot be read")?;
        toml::from_str(&text).context("xtask/tools.toml is not understood")
    }

    /// The names of what runs under the tests: everything but the cargo plug-ins.
    pub(crate) fn programs(&self) -> Vec<&str> {
        let go = self.go.iter().map(|go| go.name.as_str());
        go.chain(self.python.iter().map(|python| python.name.as_str()))
            .chain(self.npm.iter().map(|npm| npm.name.as_str()))
            .chain(self.maven.iter().map(|maven| maven.name.as_str()))
            .collect()
    }

    fn recipe(&self, name: &str) -> Result<Recipe<'_>> {
        let go = self.go.iter().find(|go| go.name == name).map(Recipe::Go);
        let cargo = || {
            self.cargo
                .iter()
                .find(|cargo| cargo.name == name)
                .map(Recipe::Cargo)
        };
        let python = || {
            self.python
                .iter()
                .find(|python| python.name == name)
                .map(Recipe::Python)
        };
        let npm = || {
            self.npm
                .iter()
                .find(|npm| npm.name == name)
                .map(Recipe::Npm)
        };
        let maven = || {
            self.maven
                .iter()
                .find(|maven| maven.name == name)
                .map(Recipe::Maven)
        };
        go.or_else(cargo)
            .or_else(python)
            .or_else(npm)
            .or_else(maven)
            .with_context(|| format!("tools.toml has no {name}"))
    }
}

/// `cargo xtask tools`: builds what is pinned and prints where it is.
///
/// # Errors
/// When a name is unknown or a program cannot be built.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let pins = Pins::load(workspace)?;
    let names: Vec<&str> = match options.names.as_slice() {
        [] => pins.programs(),
        chosen => chosen.iter().map(String::as_str).collect(),
    };
    for name in names {
        let start = Instant::now();
        let folder = ensure(workspace, &pins, name, Pace::Awaited)?;
        println!(
            "{name:<12} {:>4}s  {}",
            start.elapsed().as_secs(),
            folder.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder `target/tools/NAME` with the programs of `name` in it, building them when no clone has yet.
///
/// # Errors
/// When what builds it is missing (no Go, say) or the build fails; the text is fit to be shown as a reason.
pub(crate) fn ensure(
    workspace: &Workspace,
    pins: &Pins,
    name: &str,
    pace: Pace,
) -> Result<PathBuf> {
    let recipe = pins.recipe(name)?;
    let entry = cache("tools")?.join(recipe.entry()?);
    if !entry.is_dir() {
        let partial = entry.with_extension(format!("partial-{}", std::process::id()));
        let log = workspace.scratch("log")?.join(format!("tool-{name}.log"));
        recipe.build(&partial, &log, pace)?;
        // Another clone may have been faster; its build is as good as ours.
        if fs::rename(&partial, &entry).is_err() {
            anyhow::ensure!(
                entry.is_dir(),
                "{} cannot be put in its place",
                partial.display()
            );
            fs::remove_dir_all(&partial).ok();
        }
    }
    link(&entry, &workspace.at("target/tools").join(name))
}

impl Recipe<'_> {
    /// The name of its cache entry: readable, and different for every change of the pin.
    fn entry(self) -> Result<String> {
        let (text, name, version) = match self {
            Self::Go(go) => (toml::to_string(go), &go.name, &go.version),
            Self::Cargo(cargo) => (toml::to_string(cargo), &cargo.name, &cargo.version),
            Self::Python(python) => (toml::to_string(python), &python.name, &python.version),
            Self::Npm(npm) => (toml::to_string(npm), &npm.name, &npm.version),
            Self::Maven(maven) => (toml::to_string(maven), &maven.name, &maven.version),
        };
        let text = text.context("a pin cannot be written down")?;
        Ok(format!("{name}-{version}-{}", key_of(text.as_bytes())))
    }

    fn build(self, into: &Path, log: &Path, pace: Pace) -> Result<()> {
        fs::create_dir_all(into).with_context(|| format!("{} cannot be made", into.display()))?;
        match self {
            Self::Go(go) => {
                present("go")?;
                let mut command = paced("go", pace);
                command
                    .arg("install")
                    .env("GOBIN", into)
                    .env("GOFLAGS", "-trimpath");
                command.env("CGO_ENABLED", if go.cgo { "1" } else { "0" });
                if !go.tags.is_empty() {
                    command.args(["-tags", &go.tags]);
                }
                command.args(
                    go.packages
                        .iter()
                        .map(|package| format!("{package}@{}", go.version)),
                );
                finish(&command, log)
            }
            Self::Cargo(cargo) => {
                let mut command = paced("cargo", pace);
                command.args([
                    "install",
                    "--locked",
                    "--quiet",
                    &cargo.name,
                    "--version",
                    &cargo.version,
                ]);
                // A target folder of its own would be kept; the one cargo makes by itself is temporary.
                command
                    .arg("--root")
                    .arg(into)
                    .env_remove("CARGO_TARGET_DIR");
                finish(&command, log)?;
                raise(into)
            }
            Self::Python(python) => {
                present("python3")?;
                // An environment knows its own place, so it is made by the interpreter's target option and stays movable.
                let mut command = paced("python3", pace);
                command.args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ]);
                command
                    .args(["--root-user-action", "ignore", "--target"])
                    .arg(into);
                command.arg(format!("{}=={}", python.name, python.version));
                finish(&command, log)
            }
            Self::Npm(npm) => {
                present("npm")?;
                let mut command = paced("npm", pace);
                command.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
                command.arg("--prefix").arg(into);
                command.arg(format!("{}@{}", npm.name, npm.version));
                finish(&command, log)
            }
            Self::Maven(maven) => {
                present("java")?;
                present("mvn")?;
                let mut command = paced("mvn", pace);
                // It leaves a mark of what it did in the current folder.
                command.current_dir(into);
                command.args(["--quiet", "--batch-mode"]).arg(UNPACK);
                let what = format!("{}:{}:zip", maven.artifact, maven.version);
                command.arg(format!("-Dartifact={what}"));
                command.arg(format!("-DoutputDirectory={}", into.display()));
                finish(&command, log)
            }
        }
    }
}

/// `cargo install` puts programs into `bin`; every entry has them at its top.
fn raise(into: &Path) -> Result<()> {
    let bin = into.join("bin");
    for program in fs::read_dir(&bin)
        .context("cargo install made no bin folder")?
        .flatten()
    {
        fs::rename(program.path(), into.join(program.file_name()))
            .context("a built program cannot be moved")?;
    }
    fs::remove_dir(bin).context("an empty folder cannot be removed")
}

fn present(program: &str) -> Result<()> {
    on_path(program).with_context(|| format!("there is no {program} here to build it with"))?;
    Ok(())
}

fn paced(program: &str, pace: Pace) -> Command {
    match pace {
        Pace::Awaited => Command::new(program),
        Pace::Background => {
            let mut command = Command::new("nice");
            command.args(["-n", "19", program]);
            command
        }
    }
}

fn finish(command: &Command, log: &Path) -> Result<()> {
    let ended = process::run(command, BUILD_LIMIT, log, false)?;
    if !ended.ok() {
        bail!("its build failed ({ended}): {}", process::tail(log, 5));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_required_tool_is_pinned_and_a_changed_pin_has_another_place() {
        let pins = Pins::load(&Workspace::find().unwrap()).unwrap();
        for name in &pins.required {
            pins.recipe(name).unwrap();
        }
        let mut runc = Go {
            name: "runc".into(),
            version: "v1".into(),
            packages: vec!["example.org/runc".into()],
            cgo: true,
            tags: "seccomp".into(),
        };
        let with_tag = Recipe::Go(&runc).entry().unwrap();
        runc.tags.clear();
        assert_ne!(with_tag, Recipe::Go(&runc).entry().unwrap());
    }
}
