//! Files people run registries with, and what becomes of them.

use std::path::Path;

use super::*;
use crate::cmd::config::{ConfigCommand, run};
use crate::config::Config;
use crate::sources::Sources;

/// What `config convert` makes of `text` in a file called `config.yml`, or what it says is wrong.
fn convert(text: &str, variables: &[(&str, &str)]) -> String {
    let variables = owned(variables);
    let mut reader = Reader::default();
    let loaded = read(&mut reader, Some(("config.yml", text)), &variables)
        .and_then(|notes| Ok((notes, Config::from_reader(reader)?)));
    match loaded {
        Ok((mut notes, config)) => {
            notes.extend(config.notes.iter().cloned());
            let notes = notes
                .iter()
                .fold(String::new(), |all, note| all + "# " + note + "\n");
            notes + &crate::config::show::toml(&config, crate::config::show::Shown::Set)
        }
        Err(problems) => format!("{problems}\n"),
    }
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Each file of `testdata` beside what is printed for it.
pub(crate) const FILES: &[(&str, &str, &str)] = &[
    (
        "image-v2",
        include_str!("testdata/image-v2.yml"),
        include_str!("testdata/image-v2.out"),
    ),
    (
        "image-v3",
        include_str!("testdata/image-v3.yml"),
        include_str!("testdata/image-v3.out"),
    ),
    (
        "htpasswd-tls",
        include_str!("testdata/htpasswd-tls.yml"),
        include_str!("testdata/htpasswd-tls.out"),
    ),
    (
        "token",
        include_str!("testdata/token.yml"),
        include_str!("testdata/token.out"),
    ),
    (
        "s3",
        include_str!("testdata/s3.yml"),
        include_str!("testdata/s3.out"),
    ),
    (
        "harbor",
        include_str!("testdata/harbor.yml"),
        include_str!("testdata/harbor.out"),
    ),
    (
        "mirror",
        include_str!("testdata/mirror.yml"),
        include_str!("testdata/mirror.out"),
    ),
    (
        "checks",
        include_str!("testdata/checks.yml"),
        include_str!("testdata/checks.out"),
    ),
    (
        "mistakes",
        include_str!("testdata/mistakes.yml"),
        include_str!("testdata/mistakes.out"),
    ),
];

#[test]
fn files_people_run_registries_with_are_converted_or_refused_as_written_down() {
    for (name, text, expected) in FILES {
        let printed = convert(text, &[]);
        assert_eq!(printed, *expected, "for {name}.yml");
        assert!(!printed.contains("never-print-this"), "{name}.yml");
        assert!(!printed.contains("nobody should see"), "{name}.yml");
    }
}

#[test]
fn what_convert_prints_means_the_same() {
    for (name, text, expected) in FILES
        .iter()
        .filter(|(_, _, expected)| !expected.starts_with("error:"))
    {
        let mut reader = Reader::default();
        read(&mut reader, Some(("config.yml", text)), &[]).unwrap();
        let theirs = Config::from_reader(reader).unwrap();
        let ours = Config::load(Some(("longshore.toml", expected)), [], &[])
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(ours.settings, theirs.settings, "{name}");
    }
}

#[test]
fn every_key_of_distributions_reference_stands_in_the_table() {
    let root = yaml::parse("every-key.yml", include_str!("testdata/every-key.yml")).unwrap();
    let mut leaves = Vec::new();
    collect_leaves(&root, String::new(), &mut leaves);
    let covers = |row: &table::Row, leaf: &str| {
        leaf.strip_prefix(row.path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    for leaf in &leaves {
        assert!(
            table::ROWS.iter().any(|row| covers(row, leaf)),
            "{leaf} is in no row"
        );
    }
    for row in table::ROWS {
        assert!(
            leaves.iter().any(|leaf| covers(row, leaf)),
            "{} is no key of the reference",
            row.path
        );
    }
}

fn collect_leaves(value: &yaml::Yaml, path: String, leaves: &mut Vec<String>) {
    if value.entries().is_empty() && value.items().is_empty() {
        leaves.push(path);
        return;
    }
    for (name, entry) in value.entries() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect_leaves(entry, path, leaves);
    }
    for item in value.items() {
        collect_leaves(item, format!("{path}[]"), leaves);
    }
}

#[test]
fn what_has_no_effect_is_said_and_what_would_be_unsafe_is_refused_for_every_row() {
    let base = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /d\n";
    for row in table::ROWS.iter().filter(|row| !row.path.contains("[]")) {
        // A variable reaches any key; underscores only part names.
        let variable = format!("REGISTRY_{}", row.path.replace('.', "_").to_uppercase());
        let mut reader = Reader::default();
        let variables = owned(&[(&variable, "[something]")]);
        let notes = read(&mut reader, Some(("config.yml", base)), &variables).unwrap();
        match row.effect {
            table::Effect::Works(_) => {}
            table::Effect::NoEffect(why) | table::Effect::Always(_, why) => {
                let note = format!("{variable}: `{}` has no effect: {why}", row.path);
                assert!(notes.contains(&note), "{notes:?}");
            }
            table::Effect::Refused(why) | table::Effect::RefusedByName(why) => {
                let problem = format!("{variable}: `{}` does not work here: {why}", row.path);
                let said = reader.finish().unwrap_err().to_string();
                assert!(said.contains(&problem), "{said}");
            }
        }
    }
}

#[test]
fn the_page_is_what_the_table_says() {
    let page = include_str!("../../../../docs/from-distribution.md");
    assert!(
        page == page::markdown(),
        "run: cargo run -q -- config schema --format from-distribution > docs/from-distribution.md"
    );
}

#[test]
fn variables_override_the_file_as_distribution_does_it() {
    let file = include_str!("testdata/image-v3.yml");
    let config = |variables: &[(&str, &str)]| {
        let mut reader = Reader::default();
        let notes = read(&mut reader, Some(("config.yml", file)), &owned(variables)).unwrap();
        (Config::from_reader(reader).unwrap(), notes)
    };
    let (set, _) = config(&[
        ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/elsewhere"),
        ("REGISTRY_HTTP_ADDR", "127.0.0.1:80"),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
        ("REGISTRY_AUTH", "htpasswd"),
        ("REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd"),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "Registry Realm"),
        ("REGISTRY_HTTP_HEADERS_X-Robots-Tag", "[noindex]"),
        ("REGISTRY_HEALTH_FILECHECKERS_0_FILE", "/drain"),
        ("REGISTRY_HEALTH_FILECHECKERS_1_FILE", "/drain2"),
        ("REGISTRY_LOG_LEVEL", "debug"),
    ]);
    assert_eq!(set.data, Path::new("/elsewhere"));
    assert_eq!(set.listen[0].to_string(), "127.0.0.1:80");
    assert!(set.storage.delete);
    assert!(
        matches!(&set.auth, crate::config::Auth::Htpasswd(auth) if auth.realm == "Registry Realm")
    );
    assert_eq!(set.http.headers.lines().count(), 2);
    assert_eq!(
        set.health.drain_files,
        [Path::new("/drain"), Path::new("/drain2")]
    );
    assert_eq!(
        set.origins["data"].to_string(),
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"
    );

    let (set, notes) = config(&[
        ("REGISTRY_PORT", "tcp://10.0.0.1:5000"),
        ("REGISTRY_HTTP_ADRESS", ":1"),
        ("REGISTRY_HEALTH_FILECHECKERS_1_FILE", "/a hole in the list"),
        ("REGISTRY_VERSION", "0.2"),
        ("OTHER", "x"),
    ]);
    assert!(set.open);
    assert_eq!(
        notes[0],
        "these variables name no key of Distribution's and are ignored: REGISTRY_HEALTH_FILECHECKERS_1_FILE, \
         REGISTRY_HTTP_ADRESS, REGISTRY_PORT, REGISTRY_VERSION"
    );
}

#[test]
fn a_variable_that_brings_a_second_driver_is_refused_and_one_that_replaces_the_section_is_not() {
    let file = include_str!("testdata/image-v2.yml");
    let second = convert(file, &[("REGISTRY_STORAGE_INMEMORY_X", "1")]);
    assert!(
        second.contains(
            "error: config.yml:5:1: `storage` names several drivers: filesystem, inmemory"
        ),
        "{second}"
    );
    let replaced = convert(
        file,
        &[
            ("REGISTRY_STORAGE", "filesystem"),
            ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/new"),
        ],
    );
    assert!(
        replaced.contains("data = \"/new\"  # REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY\n"),
        "{replaced}"
    );
    assert!(!replaced.contains("storage.cache"), "{replaced}");
}

#[test]
fn a_variable_that_is_no_yaml_is_refused_without_being_shown() {
    let said = convert(
        include_str!("testdata/image-v2.yml"),
        &[("REGISTRY_HTTP_SECRET", "[hunter2")],
    );
    assert_eq!(
        said,
        "error: REGISTRY_HTTP_SECRET: the value is not YAML\n  \
         hint: put quotes around a string with : or # or brackets in it\n"
    );
}

#[test]
fn files_that_are_not_understood_are_refused_with_a_step() {
    for (text, expected) in [
        (
            "version: 0.2\n",
            "error: config.yml:1:10: version \"0.2\" is not understood\n  hint: a Distribution configuration begins with \
             `version: 0.1`; Longshore's own is TOML and its name ends in .toml\n",
        ),
        (
            "storage: filesystem\n",
            "error: config.yml: there is no `version`\n  hint: a Distribution configuration begins with \
             `version: 0.1`; Longshore's own is TOML and its name ends in .toml\n",
        ),
        (
            "version: 0.1\nhttp:\n  addr: :5000\n",
            "error: config.yml: the configuration names no storage\n  hint: set `storage.filesystem.rootdirectory`\n",
        ),
        (
            "version: 0.1\nstorage:\n  delete:\n    enabled: true\n",
            "error: config.yml:2:1: `storage` names no driver\n  hint: set `storage.filesystem.rootdirectory`\n",
        ),
    ] {
        assert_eq!(convert(text, &[]), expected);
    }
    let twice = convert("version: 0.1\nversion: 0.1\n", &[]);
    assert!(
        twice.starts_with("error: config.yml:2:1: duplicate"),
        "{twice}"
    );
    let broken = convert("version: 0.1\nstorage: [\n", &[]);
    assert!(broken.starts_with("error: config.yml:"), "{broken}");
}

#[test]
fn a_registry_for_everybody_is_opened_only_where_the_file_says_so() {
    let file = |addr: &str| format!("version: 0.1\nstorage: filesystem\nhttp:\n  addr: {addr}\n");
    assert!(convert(&file(":5000"), &[]).contains("open = true"));
    assert!(!convert(&file("localhost:5000"), &[]).contains("open = true"));
}

#[test]
fn our_own_files_are_told_from_theirs() {
    assert!(is_ours_to_read("config.yml", ""));
    assert!(is_ours_to_read("CONFIG.YAML", ""));
    assert!(is_ours_to_read("/etc/registry.conf", "# c\nversion: 0.1\n"));
    assert!(!is_ours_to_read("longshore.toml", "version: 0.1\n"));
    assert!(!is_ours_to_read(
        "/etc/longshore.conf",
        "listen = \":5000\"\n"
    ));
}

#[test]
fn the_commands_print_results_and_problems_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    let ran = |command: fn(Sources) -> ConfigCommand, text: &str| {
        std::fs::write(&file, text).unwrap();
        let sources = Sources {
            file: Some(file.clone()),
            ..Sources::default()
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&command(sources), &[], &mut out, &mut err).unwrap();
        let code = format!("{code:?}").contains("(0)");
        (
            code,
            String::from_utf8(out).unwrap(),
            String::from_utf8(err).unwrap(),
        )
    };
    let data = folder.path().join("data");
    let good = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\n",
        data.display()
    );
    let (ok, out, err) = ran(ConfigCommand::Check, &good);
    assert_eq!((ok, out.as_str(), err.as_str()), (true, "ok\n", ""));
    let (ok, out, err) = ran(ConfigCommand::Convert, "version: 0.1\nstorage: s3\n");
    assert_eq!((ok, out.as_str()), (false, ""));
    assert!(err.starts_with("error: "), "{err}");
    let (ok, out, _) = ran(ConfigCommand::Show, &good);
    assert!(ok && out.contains("manifest = \"4 MiB\"\n"), "{out}");

    // The same file over a full tree: what is going to happen is said.
    std::fs::create_dir_all(data.join("docker/registry/v2/blobs/sha256")).unwrap();
    let (ok, out, err) = ran(ConfigCommand::Check, &good);
    assert_eq!((ok, out.as_str()), (true, "ok\n"));
    assert!(err.contains("taken over at the start"), "{err}");
    assert!(ran(ConfigCommand::Convert, &good).0);
}
