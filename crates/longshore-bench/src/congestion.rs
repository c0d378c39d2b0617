//! How TCP decides when to send, while something is measured.
//!
//! Some machines send by BBR, which spreads what is sent over time by what it believes the way can take. Over loopback it believes
//! something else each few seconds: the same server had half of its rate or all of it, and servers that differ by a third had the same
//! (decision 0019). So all of them are measured with what the kernel takes by itself, and the machine gets back what it had.

use std::fs;
use std::io;
use std::path::PathBuf;

/// Where the kernel is told what sockets that are opened from now on use (`Documentation/networking/ip-sysctl.rst`).
const SETTING: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
/// What the kernel takes by itself.
const USUAL: &str = "cubic";

/// As long as it lives, new sockets use the kernel's usual way, where we may ask for that (it is root's).
#[derive(Debug)]
pub(crate) struct Usual {
    setting: PathBuf,
    before: Option<String>,
}

impl Usual {
    /// Asks for it.
    pub(crate) fn hold() -> Self {
        Self::at(SETTING.into())
    }

    fn at(setting: PathBuf) -> Self {
        let change = || -> io::Result<Option<String>> {
            let before = fs::read_to_string(&setting)?.trim().to_owned();
            if before == USUAL {
                return Ok(None);
            }
            fs::write(&setting, USUAL)?;
            Ok(Some(before))
        };
        let before = change().unwrap_or_default();
        Self { setting, before }
    }

    /// What sockets use now, as the kernel names it; nothing where it does not say.
    pub(crate) fn now(&self) -> String {
        let now = fs::read_to_string(&self.setting).unwrap_or_default();
        now.trim().to_owned()
    }
}

impl Drop for Usual {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            fs::write(&self.setting, before).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_gets_back_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let setting = dir.path().join("setting");
        for had in ["bbr\n", "cubic\n"] {
            fs::write(&setting, had).unwrap();
            let held = Usual::at(setting.clone());
            assert_eq!(held.now(), "cubic");
            drop(held);
            assert_eq!(fs::read_to_string(&setting).unwrap().trim(), had.trim());
        }
        let held = Usual::at("/nowhere/at/all".into());
        assert_eq!(held.now(), "");
    }
}
