//! Debian packages the tests use: looked for always, installed only when asked to and as root.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::on_path;

const LIMIT: Duration = Duration::from_mins(10);

/// Those of `wanted` that are not installed; all of them where there is no dpkg.
pub(crate) fn missing(wanted: &[String]) -> Vec<String> {
    let absent = wanted.iter().filter(|package| {
        let mut query = Command::new("dpkg-query");
        query.args(["-W", "-f", "${db:Status-Status}", package.as_str()]);
        !process::output(&mut query).is_ok_and(|status| status == "installed")
    });
    absent.cloned().collect()
}

/// Installs `packages` without what they merely recommend.
///
/// # Errors
/// When this is not Debian, we are not root, or apt fails; the text is fit to be shown as a reason.
pub(crate) fn install(packages: &[String], log: &Path) -> Result<()> {
    if on_path("apt-get").is_none() {
        bail!("there is no apt-get here");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("installing packages needs root");
    }
    let mut update = apt();
    update.args(["update", "-qq"]);
    let mut install = apt();
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages);
    for command in [update, install] {
        let ended = process::run(&command, LIMIT, log, false)?;
        if !ended.ok() {
            bail!("apt-get failed ({ended}): {}", process::tail(log, 5));
        }
    }
    Ok(())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-o", "Dpkg::Use-Pty=0"]);
    command
}
