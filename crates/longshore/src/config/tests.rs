//! Whole configurations, good and bad, with what a stranger reads about them.

use super::*;

fn load(text: &str) -> Result<Config, Problems> {
    Config::load(Some(("longshore.toml", text)), [], &[])
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
    assert_eq!(config.notes, Vec::<String>::new());
    assert_eq!(config, load("").unwrap());
}
