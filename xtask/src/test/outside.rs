//! The steps that need outside programs.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Outcome, Session};
use crate::bench as benchmark;
use crate::clients::{self, Cell, Choice};
use crate::conformance as program;
use crate::images;
use crate::matrix;
use crate::server::Server;
use crate::tools::{self, Pace, Pins};
use crate::workspace::{in_ci, on_path};

/// Says what is there and what is not; what is required and missing fails in CI.
pub(super) fn tools(session: &Session<'_>) -> Result<Outcome> {
    let pins = Pins::load(session.workspace)?;
    let brought = session.provision.brought()?;
    let mut outcome = Outcome::default();
    for (name, folder) in &brought.tools {
        match folder {
            Ok(folder) => {
                println!("{name:<12} {}", folder.display());
                outcome.add(Outcome::pass());
            }
            Err(reason) if in_ci() && pins.required.contains(name) => {
                outcome.add(Outcome::fail(format!(
                    "{name} is required and cannot be had: {reason}"
                )));
            }
            Err(reason) => outcome.add(Outcome::skip(format!("{name}: {reason}"))),
        }
    }
    if brought.missing.is_empty() {
        outcome.add(Outcome::pass());
    } else {
        let missing = brought.missing.join(", ");
        outcome.add(Outcome::skip_required(format!(
            "{missing}: {}",
            brought.reason
        )));
    }
    Ok(outcome)
}

/// Makes the images that clients push, unless this machine has them.
pub(super) fn images(session: &Session<'_>) -> Result<Outcome> {
    session.provision.brought()?;
    Ok(match images::ensure(session.workspace, true) {
        Ok(_) => Outcome::pass(),
        Err(error) => Outcome::skip_required(format!("{error:#}")),
    })
}

/// Tries every client; in CI one that cannot be tried is a failure. The page must say what was seen.
pub(super) fn clients(session: &Session<'_>) -> Result<Outcome> {
    let brought = session.provision.brought()?;
    let tool = |name: &str| match brought.tools.get(name) {
        Some(Ok(folder)) => Ok(folder.clone()),
        Some(Err(why)) => Err(format!("{name}: {why}")),
        None => Err(format!("{name} is not pinned")),
    };
    let rows = clients::rows(session.workspace, Choice::default(), None, &tool)?;
    let mut outcome = Outcome::default();
    for row in &rows {
        for (capability, cell) in &row.cells {
            outcome.add(match cell {
                Cell::Passed => Outcome::pass(),
                Cell::Failed(why) => Outcome::fail(format!("{} {capability}: {why}", row.name)),
                Cell::Skipped(why) => {
                    Outcome::skip_required(format!("{} {capability}: {why}", row.name))
                }
            });
        }
    }
    if !clients::is_written(session.workspace, &rows)? {
        outcome.add(Outcome::fail("docs/clients.md says otherwise: run `cargo xtask clients --write` and look at the change"));
    }
    Ok(outcome)
}

/// Takes over what other registries wrote from real pushes, gives it back, and compares all that can be pulled: Debian's, which
/// is Distribution 2, and Distribution 3 where it can be built.
pub(super) fn takeover(session: &Session<'_>) -> Result<Outcome> {
    session.provision.brought()?;
    let missing: Vec<_> = ["docker-registry", "skopeo", "python3"]
        .into_iter()
        .filter(|program| on_path(program).is_none())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Ok(Outcome::skip_required(format!("not installed: {missing}")));
    }
    let images = match images::ensure(session.workspace, true) {
        Ok(images) => images,
        Err(error) => return Ok(Outcome::skip_required(format!("{error:#}"))),
    };
    let program = Server::build(session.workspace)?;
    let mut outcome = Outcome::default();
    let pins = Pins::load(session.workspace)?;
    let third = match tools::ensure(session.workspace, &pins, "distribution", Pace::Awaited) {
        Ok(folder) => Some(folder.join("registry")),
        Err(why) => {
            outcome.add(Outcome::skip_required(format!("Distribution 3: {why:#}")));
            None
        }
    };
    let work = std::env::temp_dir().join(format!("xtask-{}-takeover", std::process::id()));
    for registry in [Some("docker-registry".into()), third]
        .into_iter()
        .flatten()
    {
        std::fs::create_dir_all(&work).context("a folder cannot be made")?;
        let mut command = Command::new("python3");
        command
            .arg(session.workspace.at("xtask/takeover/distribution.py"))
            .env("LONGSHORE", &program)
            .env("REGISTRY", &registry)
            .env("IMAGES", &images)
            .env("WORK", &work);
        let ended = session.shown(&command);
        std::fs::remove_dir_all(&work).ok();
        let ended = ended?;
        outcome.add(if ended.ok() {
            Outcome::pass()
        } else {
            Outcome::fail(format!("{}: {ended}", registry.display()))
        });
    }
    Ok(outcome)
}

/// Asks each endpoint as each role.
pub(super) fn matrix(session: &Session<'_>) -> Result<Outcome> {
    let ended = matrix::script(session.workspace, "matrix.py", &[], |command| {
        session.shown(command)
    })?;
    Ok(if ended.ok() {
        Outcome::pass()
    } else {
        Outcome::fail(format!("the matrix of rights: {ended}"))
    })
}

/// Asks the JSON API whatever its description says, and what it does not say.
pub(super) fn api(session: &Session<'_>) -> Result<Outcome> {
    let brought = session.provision.brought()?;
    let folder = match brought.tools.get("schemathesis") {
        Some(Ok(folder)) => folder.clone(),
        Some(Err(why)) => return Ok(Outcome::skip_required(format!("schemathesis: {why}"))),
        None => return Ok(Outcome::skip_required("schemathesis is not pinned")),
    };
    let ended = matrix::script(session.workspace, "schemas.py", &[&folder], |command| {
        session.shown(command)
    })?;
    Ok(if ended.ok() {
        Outcome::pass()
    } else {
        Outcome::fail(format!("schemathesis: {ended}"))
    })
}

/// Asks a real LDAP server and a real OpenID provider. The same tests run among the others, where they skip what is not installed.
pub(super) fn people(session: &Session<'_>) -> Result<Outcome> {
    session.provision.brought()?;
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(session.workspace.root()).args([
        "test",
        "--workspace",
        "--locked",
        "--test",
        "people",
    ]);
    if in_ci() {
        command.env("LONGSHORE_OUTSIDE", "required");
    }
    let ended = session.shown(&command)?;
    Ok(if ended.ok() {
        Outcome::pass()
    } else {
        Outcome::fail(ended.to_string())
    })
}

/// Lets registries of others trust our index, and clients of others log in to it.
pub(super) fn trust(session: &Session<'_>) -> Result<Outcome> {
    let brought = session.provision.brought()?;
    let missing: Vec<_> = ["docker-registry", "skopeo", "python3"]
        .into_iter()
        .filter(|program| on_path(program).is_none())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Ok(Outcome::skip_required(format!("not installed: {missing}")));
    }
    let images = match images::ensure(session.workspace, true) {
        Ok(images) => images,
        Err(error) => return Ok(Outcome::skip_required(format!("{error:#}"))),
    };
    let program = Server::build(session.workspace)?;
    let mut outcome = Outcome::default();
    let mut registries = "docker-registry".to_owned();
    let pins = Pins::load(session.workspace)?;
    match tools::ensure(session.workspace, &pins, "distribution", Pace::Awaited) {
        Ok(folder) => {
            registries.push(':');
            registries.push_str(&folder.join("registry").to_string_lossy());
        }
        Err(why) => outcome.add(Outcome::skip_required(format!("Distribution 3: {why:#}"))),
    }
    let keycloak = match tools::ensure(session.workspace, &pins, "keycloak", Pace::Awaited) {
        Ok(folder) => Some(folder),
        Err(why) => {
            outcome.add(Outcome::skip_required(format!("Keycloak: {why:#}")));
            None
        }
    };
    let mut path = std::env::var("PATH").unwrap_or_default();
    for name in ["crane", "helm", "dockerd", "containerd", "runc"] {
        if let Some(Ok(folder)) = brought.tools.get(name) {
            path = format!("{}:{path}", folder.display());
        }
    }
    let work = std::env::temp_dir().join(format!("xtask-{}-trust", std::process::id()));
    std::fs::create_dir_all(&work).context("a folder cannot be made")?;
    let mut command = Command::new("python3");
    command
        .arg(session.workspace.at("xtask/index/trust.py"))
        .env("PATH", path)
        .env("LONGSHORE", &program)
        .env("REGISTRIES", &registries)
        .env("IMAGES", &images)
        .env("WORK", &work);
    if let Some(folder) = keycloak {
        command.env("KEYCLOAK", folder);
    }
    let ended = session.shown(&command);
    std::fs::remove_dir_all(&work).ok();
    let ended = ended?;
    outcome.add(if ended.ok() {
        Outcome::pass()
    } else {
        Outcome::fail(ended.to_string())
    });
    Ok(outcome)
}

/// Measures in a few minutes, nothing of it binding on a machine that does other things too: what fails is a measurement with errors.
pub(super) fn bench(session: &Session<'_>) -> Result<Outcome> {
    session.provision.brought()?;
    let mut outcome = Outcome::default();
    for options in benchmark::Options::quick() {
        let command = match benchmark::prepare(session.workspace, &options) {
            Ok(command) => command,
            Err(error) => {
                outcome.add(Outcome::skip_required(format!("{error:#}")));
                continue;
            }
        };
        let ended = session.shown(&command)?;
        outcome.add(if ended.ok() {
            Outcome::pass()
        } else {
            Outcome::fail(ended.to_string())
        });
    }
    Ok(outcome)
}

/// The program is in no package registry, so even CI may be without it; what it asks is asked by tests of our own too.
pub(super) fn conformance(session: &Session<'_>) -> Result<Outcome> {
    let Some(path) = program::program() else {
        return Ok(Outcome::skip(
            "CONFORMANCE_PROGRAM does not name a built program",
        ));
    };
    let counts = program::all(session.workspace, &path)?;
    // A test that the program skips or that is off is a gap, and a gap is not a pass.
    let failed = counts.fail + counts.skip + counts.disabled;
    Ok(Outcome {
        passed: counts.pass,
        failed,
        skipped: 0,
        notes: vec![counts.to_string()],
    })
}
