//! Distribution's `http` as ours: addresses, TLS, headers, and its debug server as our metrics.

use super::{Mapping, node};
use crate::config::node::Datum;
use crate::distribution::yaml::Yaml;

impl Mapping<'_> {
    pub(super) fn http(&mut self) {
        if let Some(addr) = self.root.get("http.addr") {
            let text = addr.text().unwrap_or_default();
            let listen = match self
                .root
                .get("http.net")
                .and_then(Yaml::text)
                .unwrap_or("tcp")
            {
                "unix" => format!("unix:{text}"),
                "tcp" | "" => text.to_owned(),
                net => {
                    let what = format!("is {net}, which is not understood");
                    self.problem("`http.net`", addr, &what, "there are tcp and unix");
                    return;
                }
            };
            self.set("listen", Datum::Text(listen), &addr.place.clone());
        }
        self.word("http.host", "public_url", |host| {
            host.trim_end_matches('/').to_owned()
        });
        self.word("http.prefix", "http.prefix", |prefix| {
            let path = prefix.trim_matches('/');
            if path.is_empty() {
                "/".to_owned()
            } else {
                format!("/{path}/")
            }
        });
        self.switch("http.relativeurls", "http.relative_urls", |relative| {
            relative
        });
        self.switch("http.h2c.enabled", "http.h2c", |enabled| enabled);
        self.duration("http.draintimeout", "http.drain_time");
        if let Some(headers) = self.root.get("http.headers") {
            let entries = headers
                .entries()
                .iter()
                .map(|(name, values)| (name.clone(), node(values, "http.headers")));
            self.set(
                "http.headers",
                Datum::Table(entries.collect()),
                &headers.place.clone(),
            );
        }
    }

    pub(super) fn tls(&mut self) {
        self.word("http.tls.certificate", "tls.cert", str::to_owned);
        self.word("http.tls.key", "tls.key", str::to_owned);
        if self.root.get("http.tls.certificate").is_some() {
            // Nobody is worse off: what spoke only 1.0 or 1.1 is more than ten years old.
            self.word(
                "http.tls.minimumtls",
                "tls.minimum",
                |version| match version {
                    "tls1.0" | "tls1.1" | "tls1.2" => "1.2".to_owned(),
                    "tls1.3" => "1.3".to_owned(),
                    other => other.to_owned(),
                },
            );
        }
    }

    pub(super) fn metrics(&mut self) {
        let debug = self.root.get("http.debug.addr");
        let place = debug.unwrap_or(self.root).place.clone();
        self.set("metrics.enabled", Datum::Bool(debug.is_some()), &place);
        self.word("http.debug.addr", "metrics.listen", str::to_owned);
        self.word("http.debug.prometheus.path", "metrics.path", str::to_owned);
    }
}
