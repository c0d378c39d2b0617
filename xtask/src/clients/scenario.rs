//! One client: its file, its registry, its engine, and what it can do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::registries::{Place, Registries, Variables};
use super::{CAPABILITIES, Cell, Choice, Row};
use crate::process::{self, Ended, Running};
use crate::server::{PASSWORD, USER};
use crate::workspace::{Workspace, on_path};

const CAPABILITY_LIMIT: Duration = Duration::from_mins(5);
/// What `prepare` compiles takes longer on a new machine.
const PREPARE_LIMIT: Duration = Duration::from_mins(10);
/// What a scenario exits with to say "skipped"; automake's number.
const SKIPPED: i32 = 77;

/// What the line of a client says that could not be started: no column of the matrix.
const START: &str = "start";

/// A file of `xtask/clients`, with what its first lines say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) name: String,
    title: String,
    /// Programs that must be installed: names or paths.
    needs: Vec<String>,
    /// Pinned programs, by their names in tools.toml.
    tools: Vec<String>,
}

impl Scenario {
    /// Every scenario, by name.
    pub(super) fn all(workspace: &Workspace) -> Result<Vec<Self>> {
        let folder = workspace.at("xtask/clients");
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut scenarios = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "sh") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                let name = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                scenarios.push(Self::parse(name, &text)?);
            }
        }
        scenarios.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(scenarios)
    }

    fn parse(name: String, text: &str) -> Result<Self> {
        let said = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap_or_default()
                .trim()
        };
        let list = |key: &str| said(key).split_whitespace().map(str::to_owned).collect();
        let title = said("# title:").to_owned();
        if title.is_empty() {
            bail!("xtask/clients/{name}.sh does not begin with `# title:`");
        }
        Ok(Self {
            title,
            needs: list("# needs:"),
            tools: list("# tools:"),
            name,
        })
    }

    /// Runs what is chosen of all that the client can do, with the layout `images`. What keeps it from starting is in the cells too, so that a matrix is always whole.
    pub(super) fn run(
        &self,
        workspace: &Workspace,
        place: &Place,
        (images, choice): (&Path, Choice<'_>),
        tool: &dyn Fn(&str) -> Result<PathBuf, String>,
    ) -> Row {
        let mut row = Row {
            name: self.name.clone(),
            title: self.title.clone(),
            version: String::new(),
            cells: Vec::new(),
        };
        if let Err(why) = self.ready(tool) {
            row.cells.push((START, Cell::Skipped(why)));
            return row;
        }
        let stage = Stage::new(workspace, self, place, images);
        let tried = stage.and_then(|mut stage| stage.play(&mut row, choice));
        if let Err(error) = tried {
            row.cells.push((START, Cell::Failed(format!("{error:#}"))));
        }
        row
    }

    fn ready(&self, tool: &dyn Fn(&str) -> Result<PathBuf, String>) -> Result<(), String> {
        for name in &self.tools {
            tool(name)?;
        }
        let missing = self
            .needs
            .iter()
            .filter(|need| !Path::new(need).is_file() && on_path(need).is_none());
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("not installed: {}", missing.join(", ")))
        }
    }
}

/// The folders, registries and engine of one run; dropped, all of it is gone again.
struct Stage<'a> {
    scenario: &'a Scenario,
    clients: PathBuf,
    logs: PathBuf,
    work: PathBuf,
    variables: Variables,
    engine: Option<Running>,
    registries: Registries,
}

impl<'a> Stage<'a> {
    fn new(
        workspace: &Workspace,
        scenario: &'a Scenario,
        place: &Place,
        images: &Path,
    ) -> Result<Self> {
        // Engines put sockets below their folder, and a socket's path may have 107 bytes.
        let work =
            std::env::temp_dir().join(format!("xtask-{}-{}", std::process::id(), scenario.name));
        fs::create_dir_all(&work).with_context(|| format!("{} cannot be made", work.display()))?;
        let logs = workspace.scratch("log/clients")?.join(&scenario.name);
        let mut stage = Self {
            scenario,
            clients: workspace.at("xtask/clients"),
            logs,
            registries: Registries::new(place, &work),
            work,
            variables: Variables::new(),
            engine: None,
        };
        stage.variables = stage.registries.usual()?;
        stage.variables.extend([
            ("LOGIN_NAME", USER.to_owned()),
            ("LOGIN_PASSWORD", PASSWORD.to_owned()),
            ("IMAGES", images.display().to_string()),
            ("WORK", stage.work.join("client").display().to_string()),
            ("TOOLS", workspace.at("target/tools").display().to_string()),
            ("CLIENTS", stage.clients.display().to_string()),
        ]);
        fs::create_dir_all(stage.work.join("client"))
            .context("a folder for the client cannot be made")?;
        Ok(stage)
    }

    fn play(&mut self, row: &mut Row, choice: Choice<'_>) -> Result<()> {
        let functions = self.functions()?;
        let has = |name: &str| functions.iter().any(|function| function == name);
        let columns: Vec<_> = CAPABILITIES
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| has(name) && Choice::has(choice.only, name))
            .collect();
        self.variables
            .extend(self.registries.special(|name| columns.contains(&name))?);
        if has("engine") {
            self.engine = Some(Running::start(
                &self.command(Some("engine")),
                &self.logs.join("engine.log"),
            )?);
            self.must("ready", CAPABILITY_LIMIT)?;
        }
        if has("prepare") {
            self.must("prepare", PREPARE_LIMIT)?;
        }
        self.must("version", CAPABILITY_LIMIT)?;
        row.version = process::tail(&self.logs.join("version.log"), 1);
        for column in columns {
            row.cells.push((column, self.cell(column)?));
        }
        Ok(())
    }

    /// The functions that the scenario defines.
    fn functions(&self) -> Result<Vec<String>> {
        let log = self.logs.join("functions.log");
        let ended = process::run(&self.command(None), CAPABILITY_LIMIT, &log, false)?;
        if !ended.ok() {
            bail!("it cannot be read ({ended}): {}", process::tail(&log, 5));
        }
        let text = fs::read_to_string(&log).context("a log cannot be read")?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn must(&self, function: &str, limit: Duration) -> Result<()> {
        let log = self.logs.join(format!("{function}.log"));
        let ended = process::run(&self.command(Some(function)), limit, &log, false)?;
        if !ended.ok() {
            bail!("`{function}` failed ({ended}): {}", process::tail(&log, 5));
        }
        Ok(())
    }

    fn cell(&self, capability: &str) -> Result<Cell> {
        let log = self.logs.join(format!("{capability}.log"));
        let ended = process::run(
            &self.command(Some(capability)),
            CAPABILITY_LIMIT,
            &log,
            false,
        )?;
        Ok(match ended {
            Ended::Exit(0) => Cell::Passed,
            Ended::Exit(SKIPPED) => Cell::Skipped(process::tail(&log, 1)),
            ended => Cell::Failed(format!(
                "{ended}; {}:\n{}",
                log.display(),
                process::tail(&log, 5)
            )),
        })
    }

    fn command(&self, function: Option<&str>) -> Command {
        let mut command = Command::new("bash");
        command
            .current_dir(self.work.join("client"))
            .arg(self.clients.join("lib/common.sh"));
        command.arg(&self.scenario.name).args(function);
        command.envs(
            self.variables
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        command
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.engine = None;
        self.registries.stop(&self.logs);
        process::sweep();
        unmount(&self.work);
        fs::remove_dir_all(&self.work).ok();
    }
}

/// Unmounts what an engine left mounted below `folder`, innermost first.
fn unmount(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts
        .lines()
        .rev()
        .filter_map(|line| line.split(' ').nth(1));
    for point in points.filter(|point| Path::new(point).starts_with(folder)) {
        let mut command = Command::new("umount");
        command.args(["--lazy", point]);
        process::output(&mut command).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_says_its_title_and_what_it_needs() {
        let scenario = Scenario::parse(
            "x".into(),
            "# title: X of Y\n# needs: /bin/sh a b\n# tools: c\nversion() { x; }\n",
        )
        .unwrap();
        assert_eq!(
            (
                scenario.title.as_str(),
                scenario.needs.len(),
                scenario.tools.len()
            ),
            ("X of Y", 3, 1)
        );
        assert!(Scenario::parse("x".into(), "version() { x; }\n").is_err());
    }

    #[test]
    fn what_is_not_installed_is_named() {
        let scenario = Scenario::parse(
            "x".into(),
            "# title: X\n# needs: /bin/sh no-such-program-here\n",
        )
        .unwrap();
        let why = scenario.ready(&|_| Ok(PathBuf::new())).unwrap_err();
        assert_eq!(why, "not installed: no-such-program-here");
    }

    #[test]
    fn every_scenario_reads_and_has_a_version_and_a_capability() {
        let workspace = Workspace::find().unwrap();
        for scenario in Scenario::all(&workspace).unwrap() {
            let text =
                fs::read_to_string(workspace.at(&format!("xtask/clients/{}.sh", scenario.name)))
                    .unwrap();
            let defines = |name: &str| {
                text.lines()
                    .any(|line| line.starts_with(&format!("{name}() {{")))
            };
            assert!(defines("version"), "{} has no version", scenario.name);
        }
    }
}
