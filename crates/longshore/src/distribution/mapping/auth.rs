//! Distribution's `auth` as ours.

use super::Mapping;
use crate::config::Listen;
use crate::config::node::Datum;
use crate::distribution::yaml::Yaml;

impl Mapping<'_> {
    pub(super) fn auth(&mut self) {
        let auth = self.root.get("auth");
        let mut kinds: Vec<_> = auth
            .map_or(&[][..], Yaml::entries)
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        kinds.extend(auth.and_then(Yaml::text));
        match (auth, kinds.as_slice()) {
            (_, [] | ["none"]) => {
                // Distribution lets everybody in then, on any address; the start says so. An address
                // on this machine needs no such leave, and should need one when it is changed.
                let addr = self.root.get("http.addr").and_then(Yaml::text);
                if addr
                    .and_then(Listen::read)
                    .is_some_and(|listen| !listen.is_local())
                {
                    let place = auth.unwrap_or(self.root).place.clone();
                    self.set("open", Datum::Bool(true), &place);
                }
            }
            (Some(auth), ["htpasswd"]) => {
                self.section("auth.htpasswd", &auth.place);
                self.word("auth.htpasswd.path", "auth.htpasswd.path", str::to_owned);
                self.word("auth.htpasswd.realm", "auth.htpasswd.realm", str::to_owned);
            }
            (Some(auth), ["token"]) => {
                self.section("auth.token", &auth.place);
                for (theirs, ours) in [
                    ("auth.token.realm", "auth.token.realm"),
                    ("auth.token.service", "auth.token.service"),
                    ("auth.token.issuer", "auth.token.issuer"),
                    ("auth.token.rootcertbundle", "auth.token.keys_file"),
                    ("auth.token.jwks", "auth.token.jwks_file"),
                ] {
                    self.word(theirs, ours, str::to_owned);
                }
            }
            (Some(auth), [_, _, ..]) => {
                let what = format!("names several kinds of login: {}", kinds.join(", "));
                self.problem("`auth`", auth, &what, "keep one");
            }
            // A single kind of another name was refused with its reason.
            _ => {}
        }
    }
}
