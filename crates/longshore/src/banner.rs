//! What the server says when it is ready: where it listens, where the data is, what is open to whom, what to do next.

use std::io::{self, Write};

use longshore_http::server::Address;

use crate::assemble::images_at;
use crate::cmd::serve::typed;
use crate::config::{Anonymous, Auth, Config};

/// Prints it. `setup` is the token that makes the first administrator, where there is none.
///
/// # Errors
/// `out` cannot be written to.
pub fn print(
    config: &Config,
    listen: &[Address],
    admin: &[Address],
    setup: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let listed = |addresses: &[Address], scheme: &str| {
        let all = addresses.iter().map(|address| match address {
            Address::Tcp(at) => format!("{scheme}://{at}"),
            Address::Unix(_) => address.to_string(),
        });
        all.collect::<Vec<_>>().join("  ")
    };
    writeln!(out, "Longshore {} is ready.", env!("CARGO_PKG_VERSION"))?;
    let images_at = images_at(config);
    let what = match images_at {
        Some(_) => "index   ",
        None => "registry",
    };
    writeln!(out, "  {what}  {}", listed(listen, scheme))?;
    if let Some(place) = &images_at {
        writeln!(out, "  images    at {place}")?;
    }
    if let Some(url) = &config.public_url {
        writeln!(out, "  known as  {url}")?;
    }
    let data = std::path::absolute(&config.data).unwrap_or_else(|_| config.data.clone());
    writeln!(out, "  data      {}", data.display())?;
    if !admin.is_empty() {
        writeln!(
            out,
            "  metrics   {}{}",
            listed(admin, "http"),
            config.metrics.as_ref().map_or("", |m| &m.path)
        )?;
    }
    writeln!(out, "  open to   {}", open_to(config))?;
    let Some(first) = listen.first() else {
        return Ok(());
    };
    let host = config.public_url.as_ref().and_then(|url| {
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        Some(format!("{}{port}", url.host_str()?))
    });
    let host = host.unwrap_or_else(|| typed(first));
    writeln!(out)?;
    match config.auth {
        Auth::Index(_) if setup.is_some() => {
            writeln!(out, "Nobody may do anything here yet.")?;
            writeln!(
                out,
                "Set-up token, good once and for 24 hours: {}",
                setup.unwrap_or_default()
            )?;
            writeln!(
                out,
                "Next: longshore admin user create NAME --admin --data {}",
                data.display()
            )?;
            match images_at {
                Some(place) => writeln!(
                    out,
                    "      on the registry's node, set auth.token.index = {:?}; images are at {place}, log in there",
                    format!("{scheme}://{host}")
                ),
                None => writeln!(out, "      docker login {host}"),
            }
        }
        Auth::None => writeln!(
            out,
            "Next: docker tag IMAGE {host}/IMAGE && docker push {host}/IMAGE"
        ),
        Auth::Index(_) if images_at.is_some() => writeln!(
            out,
            "Next: on the registry's node, set auth.token.index = {:?}; images are at {}, log in there",
            format!("{scheme}://{host}"),
            images_at.unwrap_or_default()
        ),
        _ => writeln!(out, "Next: docker login {host}"),
    }?;
    out.flush()
}

fn open_to(config: &Config) -> String {
    let local = config.listen.iter().all(crate::config::Listen::is_local);
    let reach = if local {
        "who is on this machine"
    } else {
        "who reaches the address"
    };
    let pull = |anonymous| match anonymous {
        Anonymous::None => String::new(),
        Anonymous::Pull => format!("; {reach} may pull"),
    };
    match &config.auth {
        Auth::None => format!("everybody {reach}: pull, push and delete"),
        Auth::Htpasswd(htpasswd) => {
            format!(
                "the users of {}{}",
                htpasswd.path.display(),
                pull(htpasswd.anonymous)
            )
        }
        Auth::Index(_) => "accounts kept here, each with its rights".to_owned(),
        Auth::Token(token) => format!("tokens of {}{}", token.issuer, pull(token.anonymous)),
    }
}
