//! A real login provider, and a browser in front of which somebody sits.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::outside::{Process, await_port, find, free_port, skip};

/// A running provider.
pub(crate) struct Provider {
    pub(crate) url: String,
    _process: Process,
}

/// A file beside this one, also for tests of another crate.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../longshore-auth/tests/people")
        .join(name)
}

impl Provider {
    /// Starts one; none where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(node) = find("node") else {
            skip("node is not installed");
            return None;
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/oidc-provider");
        if !folder.join("node_modules/oidc-provider").is_dir() {
            skip("there is no oidc-provider; `cargo xtask tools oidc-provider` brings it");
            return None;
        }
        let port = free_port();
        let mut child = Command::new(node)
            .arg(script("provider.mjs"))
            .arg(port.to_string())
            .arg(folder.canonicalize().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_port(port, &mut child);
        Some(Provider {
            url: format!("http://127.0.0.1:{port}"),
            _process: Process(child),
        })
    }
}

/// Where a browser is at last, in front of which `who` sits; it does not go on to `back`.
pub(crate) async fn browse(url: &str, who: &str, back: &str) -> String {
    let mut command = Command::new(find("node").unwrap());
    command.arg(script("browser.mjs")).args([url, who, back]);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}
