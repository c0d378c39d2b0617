//! What each server is told: the text of its configuration.
//!
//! The peers run without access logs and without logins; Longshore runs with both, and with metrics.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::token::{ISSUER, SERVICE};

/// The certificate and key of the servers that speak TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) cert: &'a Path,
    pub(crate) key: &'a Path,
}

/// Longshore's file; the data lies in `dir`/data, the keys of the token service in `dir`/keys.json, but where it is its own token service.
/// What `own` says holds before the rest.
pub(super) fn longshore(
    dir: &Path,
    address: SocketAddr,
    metrics: SocketAddr,
    tls: Option<Pair<'_>>,
    own: &Value,
) -> Result<String> {
    let mut all = json!({
        "listen": address.to_string(),
        "data": text(&dir.join("data"))?,
        "metrics": { "listen": metrics.to_string() },
        "log": { "access": true },
        // All load comes from one address and by one name; the limits per client are not what is measured.
        "limits": { "connections_per_ip": 0, "requests_per_user": 0 },
    });
    let logins = if own.get("index").is_some() {
        json!({ "public_url": format!("http://{address}"), "index": { "service": SERVICE } })
    } else {
        json!({ "auth": { "token": {
            "realm": "http://127.0.0.1:1/token", "service": SERVICE, "issuer": ISSUER,
            "jwks_file": text(&dir.join("keys.json"))?,
        } } })
    };
    merge(&mut all, &logins);
    if let (Some(pair), Some(all)) = (tls, all.as_object_mut()) {
        all.insert(
            "tls".to_owned(),
            json!({ "cert": text(pair.cert)?, "key": text(pair.key)? }),
        );
    }
    merge(&mut all, own);
    toml::to_string(&all).context("a configuration cannot be written down")
}

/// Sets in `all` what `own` says, down to single keys.
fn merge(all: &mut Value, own: &Value) {
    match (all, own) {
        (Value::Object(all), Value::Object(own)) => {
            for (key, value) in own {
                merge(all.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (all, own) => *all = own.clone(),
    }
}

/// The file of Distribution, of Debian's version and of version 3.
pub(super) fn distribution(dir: &Path, address: SocketAddr) -> Result<String> {
    let data = dir.join("data");
    let root = text(&data)?;
    // JSON is YAML.
    Ok(json!({
        "version": "0.1",
        "log": { "level": "error", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": root },
            "cache": { "blobdescriptor": "inmemory" },
            "delete": { "enabled": true },
            "maintenance": { "uploadpurging": { "enabled": false } },
        },
        "http": { "addr": address.to_string() },
    })
    .to_string())
}

/// zot's file: as it comes, with every commit on the disk.
pub(super) fn zot(dir: &Path, address: SocketAddr) -> Result<String> {
    Ok(json!({
        "distSpecVersion": "1.1.0",
        "storage": { "rootDirectory": text(&dir.join("data"))?, "commit": true },
        "http": { "address": address.ip().to_string(), "port": address.port().to_string() },
        "log": { "level": "error" },
    })
    .to_string())
}

/// nginx's file: files under `root` by sendfile, the fastest way there is to serve them.
pub(super) fn nginx(
    dir: &Path,
    root: &Path,
    address: SocketAddr,
    workers: usize,
    tls: Option<Pair<'_>>,
) -> Result<String> {
    let (dir, root) = (text(dir)?, text(root)?);
    let (listen, certificate) = match tls {
        None => (
            format!("listen {address} reuseport backlog=4096;"),
            String::new(),
        ),
        Some(Pair { cert, key }) => (
            format!("listen {address} ssl http2 reuseport backlog=4096;"),
            format!(
                "ssl_certificate {}; ssl_certificate_key {};",
                text(cert)?,
                text(key)?
            ),
        ),
    };
    // Workers of a master that is root become somebody else, who may not read our folders.
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let temporary: Vec<String> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path {dir}/temp;"))
        .collect();
    let temporary = temporary.join(" ");
    Ok(format!(
        "daemon off; {user} worker_processes {workers}; worker_rlimit_nofile 20000;\n\
         pid {dir}/pid; error_log stderr error;\n\
         events {{ worker_connections 8192; }}\n\
         http {{\n\
         sendfile on; tcp_nopush on; sendfile_max_chunk 2m; open_file_cache off; access_log off;\n\
         keepalive_timeout 3600s; keepalive_requests 1000000000; {temporary}\n\
         default_type application/octet-stream;\n\
         server {{ {listen} {certificate} server_name _; root {root}; }}\n\
         }}\n"
    ))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn longshore_is_measured_with_logins_access_log_and_metrics() {
        let pair = Pair {
            cert: Path::new("/c"),
            key: Path::new("/k"),
        };
        let text = longshore(
            Path::new("/d \"x\""),
            address(5),
            address(6),
            Some(pair),
            &json!({"limits": {"connections": 7}}),
        )
        .unwrap();
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["data"].as_str(), Some("/d \"x\"/data"));
        assert_eq!(table["log"]["access"].as_bool(), Some(true));
        assert_eq!(table["metrics"]["listen"].as_str(), Some("127.0.0.1:6"));
        assert_eq!(
            table["auth"]["token"]["jwks_file"].as_str(),
            Some("/d \"x\"/keys.json")
        );
        assert_eq!(table["tls"]["cert"].as_str(), Some("/c"));
        let limits = table["limits"].as_table().unwrap();
        assert_eq!(limits["connections"].as_integer(), Some(7));
        assert_eq!(limits["connections_per_ip"].as_integer(), Some(0));
        assert!(
            table.get("storage").is_none(),
            "durability and the rest are as they come"
        );
    }

    #[test]
    fn the_peers_write_no_access_log() {
        let text = distribution(Path::new("/d"), address(5)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["log"]["accesslog"]["disabled"], true);
        assert_eq!(value["storage"]["cache"]["blobdescriptor"], "inmemory");
        assert!(
            zot(Path::new("/d"), address(5))
                .unwrap()
                .contains("\"commit\":true")
        );
    }

    #[test]
    fn nginx_serves_by_sendfile_and_over_tls_with_http2() {
        let (dir, root) = (Path::new("/d"), Path::new("/r"));
        let plain = nginx(dir, root, address(5), 1, None).unwrap();
        assert!(
            plain
                .contains("sendfile on; tcp_nopush on; sendfile_max_chunk 2m; open_file_cache off")
        );
        assert!(plain.contains("root /r;") && !plain.contains("ssl"));
        let pair = Pair {
            cert: Path::new("/c"),
            key: Path::new("/k"),
        };
        let tls = nginx(dir, root, address(5), 2, Some(pair)).unwrap();
        assert!(
            tls.contains("listen 127.0.0.1:5 ssl http2") && tls.contains("worker_processes 2;")
        );
    }
}
