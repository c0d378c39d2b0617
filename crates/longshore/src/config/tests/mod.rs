//! Whole configurations, good and bad, with what a stranger reads about them.

pub(super) mod bad;
mod notes;
mod properties;

use std::time::Duration;

use super::*;

fn load(text: &str) -> Result<Config, Problems> {
    Config::load(Some(("longshore.toml", text)), [], &[])
}

fn with_variables(text: &str, variables: &[(&str, &str)]) -> Result<Config, Problems> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(("longshore.toml", text)), variables, &[])
}

#[test]
fn nothing_at_all_is_a_configuration() {
    let config = Config::load(None, [], &[]).unwrap();
    assert_eq!(config.listen, [Listen::read("127.0.0.1:5000").unwrap()]);
    assert_eq!(
        config.database,
        std::path::Path::new("longshore-data/meta.db")
    );
    assert_eq!(config.auth, Auth::None);
    assert_eq!(config.limits.manifest.get(), 4_194_304);
    assert_eq!(config.notes, Vec::<String>::new());
    assert_eq!(config, load("").unwrap());
}

#[test]
fn a_whole_file_is_read_into_types() {
    let config = load(
        r#"
        listen = ["0.0.0.0:443", "[::1]:5000", "unix:/run/longshore.sock"]
        public_url = "https://reg.example"
        data = "/srv/images"
        tls = { cert = "/etc/cert.pem", key = "/etc/key.pem", minimum = "1.3" }

        [http]
        prefix = "/registry/"
        headers = { X-Frame-Options = "DENY", Vary = ["Accept", "Origin"] }
        drain_time = "1m30s"
        trusted_proxies = ["10.0.0.0/8"]

        [storage]
        durability = "blob"
        read_only = true

        [database]
        url = "sqlite:///var/lib/long%20shore/meta.db"

        [auth]
        anonymous = "pull"
        [auth.htpasswd]
        path = "/etc/htpasswd"

        [limits]
        manifest = "8 MiB"
        upload_idle = "2h"
        page = 50

        [tracing]
        endpoint = "http://127.0.0.1:4318/v1/traces"
        ratio = 0.25

        [manifests]
        url_allow = ["^https://example\\.com/"]
        "#,
    )
    .unwrap();
    assert_eq!(config.listen.len(), 3);
    assert_eq!(config.tls.unwrap().minimum, TlsVersion::V1_3);
    assert_eq!(
        config.database,
        std::path::Path::new("/var/lib/long shore/meta.db")
    );
    assert_eq!(config.http.headers.lines().count(), 3);
    assert_eq!(config.http.drain_time, Duration::from_secs(90));
    assert_eq!(config.storage.durability, Durability::Blob);
    let expected = Htpasswd {
        path: "/etc/htpasswd".into(),
        realm: "Longshore".into(),
        anonymous: Anonymous::Pull,
    };
    assert_eq!(config.auth, Auth::Htpasswd(expected));
    assert_eq!(config.limits.manifest, ByteSize::mib(8));
    assert!((config.tracing.ratio.get() - 0.25).abs() < f64::EPSILON);
    assert!(
        config.manifests.url_allow[0]
            .regex()
            .is_match("https://example.com/layer")
    );
}

#[test]
fn the_audience_of_tokens_is_the_service_unless_said_otherwise() {
    let text = r#"auth.token = { realm = "https://auth.example/token", service = "reg", issuer = "me", jwks_file = "/k" }"#;
    let read = |variables: &[(&str, &str)]| {
        let Auth::Token(token) = with_variables(text, variables).unwrap().auth else {
            panic!("not token")
        };
        *token
    };
    let token = read(&[]);
    assert_eq!(token.audience, "reg");
    assert_eq!(
        (token.jwks_refresh, token.leeway),
        (Duration::from_mins(1), Duration::from_mins(1))
    );
    let token = read(&[
        ("LONGSHORE__AUTH__TOKEN__AUDIENCE", "other"),
        ("LONGSHORE__AUTH__TOKEN__LEEWAY", "5s"),
        ("LONGSHORE__AUTH__TOKEN__JWKS_REFRESH", "4m"),
    ]);
    assert_eq!(
        (token.audience.as_str(), token.service.as_str()),
        ("other", "reg")
    );
    assert_eq!(
        (token.jwks_refresh, token.leeway),
        (Duration::from_mins(4), Duration::from_secs(5))
    );
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
    let file = "data = \"/from/file\"\n[limits]\npage = 5\nlayers = 6\n";
    let variables = [
        ("LONGSHORE__DATA", "/from/environment"),
        ("LONGSHORE__LIMITS__PAGE", "7"),
        ("LONGSHORE__LISTEN", "127.0.0.1:1, 127.0.0.1:2"),
        ("LONGSHORE__HTTP__HEADERS", "{ X-A = [\"1\", \"2\"] }"),
        ("LONGSHORE__LOG__ACCESS", ""),
        ("LONGSHORE_CONFIG", "not a key"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let flags = [("--data", "data", "/from/flag".to_owned())];
    let config = Config::load(Some(("longshore.toml", file)), variables, &flags).unwrap();
    assert_eq!(config.data, std::path::Path::new("/from/flag"));
    assert_eq!(config.limits.page.get(), 7);
    assert_eq!(config.limits.layers.get(), 6);
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.http.headers.lines().count(), 2);
    assert!(config.log.access);
    assert_eq!(config.origins["data"], Origin::Flag("--data"));
    assert_eq!(
        config.origins["limits.page"].to_string(),
        "LONGSHORE__LIMITS__PAGE"
    );
    assert_eq!(
        config.origins["limits.layers"].to_string(),
        "longshore.toml:4:10"
    );
}

#[test]
fn every_key_is_reached_by_its_variable() {
    for key in settings::keys() {
        let mut reader = Reader::default();
        reader.environment([(key.variable(), "x".to_owned())]);
        let path = key.path().to_lowercase();
        assert!(reader.is_set(&path), "{}", key.variable());
    }
}

#[test]
fn wrong_variables_are_named() {
    let said = |name: &str, value: &str| {
        with_variables("", &[(name, value)])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        said("LONGSHORE__LIMITS__PAGES", "5"),
        "error: LONGSHORE__LIMITS__PAGES: no key has this variable\n  hint: did you mean `LONGSHORE__LIMITS__PAGE`?"
    );
    assert_eq!(
        said("LONGSHORE__LIMITS__PAGE", "five"),
        "error: LONGSHORE__LIMITS__PAGE: `limits.page` must be a whole number, 1 or more, not \"five\""
    );
}

#[test]
fn open_to_everybody_is_allowed_when_asked_for_and_then_noted() {
    let config = load("listen = \":5000\"\nopen = true\n").unwrap();
    assert_eq!(
        config.notes,
        [
            ":5000 can be reached from other machines, and nobody has to log in: whoever reaches it may push and delete"
        ]
    );
    assert!(
        load("listen = \":5000\"\nauth.htpasswd.path = \"/p\"\n")
            .unwrap()
            .notes
            .is_empty()
    );
}

#[test]
fn an_empty_auth_section_does_not_open_the_registry() {
    assert!(
        load("listen = \":5000\"\n[auth]\n")
            .unwrap_err()
            .to_string()
            .contains("nobody has to log in")
    );
}

#[test]
fn secrets_are_read_from_files_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    std::fs::write(&file, "authorization=hunter2\n").unwrap();
    let path = file.to_str().unwrap();
    let endpoint = "tracing.endpoint = \"http://c/\"\n";

    let written = load(&format!(
        "{endpoint}tracing.headers = \"authorization=hunter2\"\n"
    ))
    .unwrap();
    let from_file =
        with_variables(endpoint, &[("LONGSHORE__TRACING__HEADERS_FILE", path)]).unwrap();
    for config in [&written, &from_file] {
        assert_eq!(
            config.tracing.headers.as_ref().unwrap().expose(),
            "authorization=hunter2"
        );
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!show::toml(config, show::Shown::All).contains("hunter2"));
    }
    assert!(
        show::toml(&written, show::Shown::All)
            .contains("headers = \"***\"  # longshore.toml:2:19\n")
    );
    let shown = show::toml(&from_file, show::Shown::All);
    assert!(
        shown.contains(&format!(
            "headers_file = \"{path}\"  # LONGSHORE__TRACING__HEADERS_FILE\n"
        )),
        "{shown}"
    );

    // The environment overrides the twin in the file too, or a secret could not be replaced.
    let both = with_variables(
        &format!("{endpoint}tracing.headers_file = \"/nowhere\"\n"),
        &[("LONGSHORE__TRACING__HEADERS", "a=b")],
    );
    assert_eq!(both.unwrap().tracing.headers.unwrap().expose(), "a=b");
    let missing = load(&format!("{endpoint}tracing.headers_file = \"/nowhere\"\n"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("error: longshore.toml:2:24: `tracing.headers` cannot be read from /nowhere: No such file"),
        "{missing}"
    );
    let wrong = load(&format!("{endpoint}tracing.headers = [\"hunter2\"]\n"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        wrong,
        "error: longshore.toml:2:19: `tracing.headers` must be a string in quotes"
    );
}

#[test]
fn what_show_prints_names_who_set_what() {
    let config = with_variables("[limits]\npage = 5\n", &[("LONGSHORE__OPEN", "true")]).unwrap();
    let shown = show::toml(&config, show::Shown::All);
    for line in [
        "listen = [\"127.0.0.1:5000\"]",
        "# public_url is not set",
        "open = true  # LONGSHORE__OPEN",
        "page = 5  # longshore.toml:2:8",
        "manifest = \"4 MiB\"",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} is not in\n{shown}"
        );
    }
    let set = show::toml(&config, show::Shown::Set);
    assert_eq!(
        set,
        "open = true  # LONGSHORE__OPEN\n\n[limits]\npage = 5  # longshore.toml:2:8\n"
    );
}

#[test]
fn the_schema_has_every_key_with_its_default() {
    let schema = schema::schema();
    for key in settings::keys() {
        let pointer = format!("/properties/{}", key.path().replace('.', "/properties/"));
        // A table of any name.
        let pointer = pointer.replace("/properties/NAME/", "/additionalProperties/");
        let found = schema
            .pointer(&pointer)
            .unwrap_or_else(|| panic!("{pointer}"));
        assert!(
            !found["description"].as_str().unwrap().is_empty(),
            "{pointer}"
        );
        assert_eq!(
            found.get("default").is_some(),
            key.default.is_some(),
            "{pointer}"
        );
    }
    assert_eq!(
        schema["properties"]["limits"]["additionalProperties"],
        false
    );
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    let page = include_str!("../../../../../docs/configuration.md");
    assert!(
        page == reference::markdown(),
        "run: cargo run -q -- config schema --format markdown > docs/configuration.md"
    );
}

/// A key that nothing reads would be a promise that nobody keeps.
#[test]
fn every_key_is_read_by_the_program() {
    let program = [
        include_str!("../../assemble.rs"),
        include_str!("../../assemble/collect.rs"),
        include_str!("../../assemble/finding.rs"),
        include_str!("../../assemble/index.rs"),
        include_str!("../../assemble/login.rs"),
        include_str!("../../cmd/serve.rs"),
        include_str!("../../telemetry/admin.rs"),
        include_str!("../../telemetry/health.rs"),
        include_str!("../../telemetry/log.rs"),
        include_str!("../../telemetry/traces.rs"),
    ];
    // What these turn into their own types is read there.
    let config = [
        include_str!("../auth.rs"),
        include_str!("../check.rs"),
        include_str!("../index.rs"),
        include_str!("../ldap.rs"),
        include_str!("../mail.rs"),
        include_str!("../oidc.rs"),
    ];
    let dense = |texts: &[&str]| texts.concat().split_whitespace().collect::<String>();
    let (program, config) = (dense(&program), dense(&config));
    // A choice of one is made by reading it.
    let keys = settings::keys()
        .into_iter()
        .filter(|key| !matches!(key.kind, key::Kind::Choice([_])));
    for key in keys {
        let name = key
            .name
            .strip_suffix("_file")
            .filter(|name| {
                key.section == "tracing"
                    || ["bind_password", "client_secret", "password"].contains(name)
            })
            .unwrap_or(&key.name);
        let read = match key.section {
            "limits" => program.contains(&format!("limits.{name}")),
            "" | "tls" | "database" | "auth" | "auth.htpasswd" | "auth.token"
            | "index.ldap.NAME" | "index.oidc.NAME" | "index.mail" => {
                config.contains(&format!(".{name}"))
            }
            "index" => [&config, &program]
                .iter()
                .any(|text| text.contains(&format!(".{name}"))),
            _ => program.contains(&format!(".{name}")),
        };
        assert!(read, "nothing reads `{}`", key.path());
    }
}
