//! Whom a registry apart believes: nobody, or somebody whose keys travel in the clear. Both start, and are told.

use super::reader::Reader;
use super::settings::Settings;
use super::{Auth, Roles};

/// Whose tokens are good: of whom nobody said it, and of whom somebody on the way could.
pub(super) fn note(settings: &Settings, reader: &Reader, auth: &Auth, notes: &mut Vec<String>) {
    let is_set = reader.is_set("index.roles");
    if *auth == Auth::None && is_set && settings.index.roles == Roles::Registry {
        notes.push(
            "this node is a registry apart (`index.roles = \"registry\"`) and trusts no index, so nobody has to log in: set `auth.token.index` \
             to the address of the index, or configure [auth.token] or [auth.htpasswd]"
                .to_owned(),
        );
    }
    let Auth::Token(token) = auth else { return };
    let keys = token.jwks_url.as_ref().filter(|url| in_the_clear(url));
    if let Some(url) = keys {
        notes.push(format!(
            "the keys that tokens are checked with come from {url}, in the clear from another machine: whoever is on the way can put their own \
             there and make tokens for everything; use `https://`, or copy the keys into `auth.token.jwks_file`"
        ));
    }
    if in_the_clear(&token.realm) {
        notes.push(format!(
            "clients are sent to {} with their passwords, in the clear: use `https://`",
            token.realm
        ));
    }
}

/// Whether what is fetched from there can be read and changed on its way from another machine.
fn in_the_clear(url: &url::Url) -> bool {
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !is_here
}
