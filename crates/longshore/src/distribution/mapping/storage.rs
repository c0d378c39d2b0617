//! Distribution's `storage` as ours: one driver, and the keys beside it.

use super::Mapping;
use crate::config::node::Datum;
use crate::distribution::yaml::{Datum as YamlDatum, Yaml};

impl Mapping<'_> {
    pub(super) fn storage(&mut self) {
        const SIDE_KEYS: [&str; 5] = ["cache", "delete", "maintenance", "redirect", "tag"];
        let Some(storage) = self.root.child("storage") else {
            self.problem(
                "the configuration",
                self.root,
                "names no storage",
                "set `storage.filesystem.rootdirectory`",
            );
            return;
        };
        let mut drivers: Vec<_> = storage
            .entries()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        drivers.extend(match &storage.datum {
            YamlDatum::Text(driver) => Some(driver.as_str()),
            _ => None,
        });
        drivers.retain(|name| !SIDE_KEYS.contains(name));
        match drivers.as_slice() {
            [] => self.problem(
                "`storage`",
                storage,
                "names no driver",
                "set `storage.filesystem.rootdirectory`",
            ),
            [_] => {}
            several => {
                let what = format!("names several drivers: {}", several.join(", "));
                // REGISTRY_STORAGE_S3_BUCKET over a file with `filesystem` adds a driver, it replaces none.
                self.problem(
                    "`storage`",
                    storage,
                    &what,
                    "keep one; REGISTRY_STORAGE=filesystem replaces the section",
                );
            }
        }
        if drivers.contains(&"filesystem") {
            let root = self.root.get("storage.filesystem.rootdirectory");
            let place = root.map_or_else(|| storage.place.clone(), |root| root.place.clone());
            let root = root
                .and_then(Yaml::text)
                .unwrap_or("/var/lib/registry")
                .to_owned();
            self.set("data", Datum::Text(root), &place);
        }
        // Distribution deletes nothing unless told to; its users may rely on that.
        if self.root.get("storage.delete.enabled").is_none() {
            self.set("storage.delete", Datum::Bool(false), &storage.place.clone());
        }
        self.switch("storage.delete.enabled", "storage.delete", |enabled| {
            enabled
        });
        self.switch(
            "storage.maintenance.readonly.enabled",
            "storage.read_only",
            |enabled| enabled,
        );
        self.duration(
            "storage.maintenance.uploadpurging.age",
            "limits.upload_idle",
        );
        self.duration("storage.maintenance.uploadpurging.age", "limits.upload_age");
    }
}
