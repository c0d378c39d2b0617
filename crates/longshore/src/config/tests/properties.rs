//! What holds for any configuration.

use proptest::prelude::*;

use super::{load, with_variables};
use crate::config::{Origins, Problems, Reader, Settings, key, settings, show};

/// A value some key of the kind takes, as TOML.
fn value_of(kind: &key::Kind) -> BoxedStrategy<String> {
    use key::Kind;
    let text = "[ -~é\t]{1,12}".prop_map(|text| show::quoted(&text));
    match kind {
        Kind::Bool => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        Kind::Integer { min, max } => (*min..=*max).prop_map(|value| value.to_string()).boxed(),
        Kind::Ratio => (0.0..=1.0)
            .prop_map(|value: f64| format!("{value:?}"))
            .boxed(),
        Kind::Text | Kind::Path => text.boxed(),
        Kind::Size => (1..1_u64 << 50).prop_map(|value| value.to_string()).boxed(),
        Kind::Duration => (1..1_u64 << 40)
            .prop_map(|millis| format!("\"{millis}ms\""))
            .boxed(),
        Kind::Listen => (any::<[u8; 4]>(), any::<u16>())
            .prop_map(|([a, b, c, d], port)| format!("\"{a}.{b}.{c}.{d}:{port}\""))
            .boxed(),
        Kind::Url => "https://[a-z]{1,9}(:[1-9][0-9]{1,3})?"
            .prop_map(|url| format!("\"{url}\""))
            .boxed(),
        Kind::Network => any::<[u8; 4]>()
            .prop_map(|[a, b, c, d]| format!("\"{a}.{b}.{c}.{d}/32\""))
            .boxed(),
        Kind::Pattern => "[a-z.*+?]{0,3}[a-z]"
            .prop_filter_map("not a pattern", |pattern| {
                regex_lite::Regex::new(&pattern)
                    .ok()
                    .map(|_| show::quoted(&pattern))
            })
            .boxed(),
        Kind::Choice(words) => prop::sample::select(words.to_vec())
            .prop_map(show::quoted)
            .boxed(),
        Kind::List(item) => prop::collection::vec(value_of(item), 1..4)
            .prop_map(|items| format!("[{}]", items.join(", ")))
            .boxed(),
        Kind::Headers => prop::collection::btree_map("x-[a-z]{1,6}", "[!-~é]{1,9}", 0..3)
            .prop_map(|headers| {
                let entries: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| format!("{name} = {}", show::quoted(value)))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            })
            .boxed(),
        // A secret does not survive being shown; that is its point.
        Kind::Secret => Just(String::new()).boxed(),
    }
}

/// A file that sets some keys of the table, whether or not they make sense together.
fn some_file() -> impl Strategy<Value = String> {
    let keys: Vec<_> = settings::keys()
        .into_iter()
        .filter(|key| key.kind != key::Kind::Secret)
        // A file of a secret would have to be there.
        .filter(|key| {
            ![
                "headers_file",
                "bind_password_file",
                "client_secret_file",
                "password_file",
            ]
            .contains(&key.name.as_str())
        })
        .map(|key| {
            let path = key.path().replace("NAME", "corp");
            prop::option::of(
                value_of(&key.kind).prop_map(move |value| format!("{path} = {value}\n")),
            )
        })
        .collect();
    keys.prop_map(|lines| lines.into_iter().flatten().collect())
}

fn settings_of(text: &str) -> (Settings, Result<Origins, Problems>) {
    let mut reader = Reader::default();
    reader.file("f", text);
    let settings = Settings::read(&mut reader);
    (settings, reader.finish())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_shown_reads_back_the_same(text in some_file()) {
        let (settings, read) = settings_of(&text);
        prop_assert!(read.is_ok(), "{}\n{:?}", text, read);
        let mut config = load("").unwrap();
        config.settings = settings.clone();
        config.origins = read.unwrap_or_default();
        let shown = show::toml(&config, show::Shown::All);
        let (again, read) = settings_of(&shown);
        prop_assert!(read.is_ok(), "{}\n{}", shown, read.unwrap_err());
        prop_assert_eq!(again, settings);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}", value in "\\PC{0,20}") {
        let _ = load(&text);
        let _ = load(&format!("[limits]\nmanifest = \"{value}\"\nkeep_alive = \"{value}\"\n"));
        let _ = with_variables("", &[("LONGSHORE__LISTEN", &value), ("LONGSHORE__HTTP__HEADERS", &value)]);
    }
}
