//! What is told to the operator though it can be used.

use super::*;

#[test]
fn it_is_said_where_what_was_revoked_goes_on_for_more_than_five_minutes_elsewhere() {
    let notes = |text: &str| load(text).unwrap().notes;
    let none = Vec::<String>::new();
    let apart =
        "public_url = \"https://index.example\"\nindex = { enabled = true, roles = \"index\"";
    assert_eq!(notes(&format!("{apart} }}\n")), none, "the default is not");
    assert_eq!(notes(&format!("{apart}, token_ttl = \"4m\" }}\n")), none);
    let said = notes(&format!("{apart}, token_ttl = \"5m\" }}\n"));
    assert!(said[0].contains("up to 360 seconds"), "{said:?}");
    // Beside its index a registry looks.
    let beside =
        "public_url = \"https://reg.example\"\nindex = { enabled = true, token_ttl = \"1h\"";
    assert_eq!(notes(&format!("{beside} }}\n")), none);
    let said = notes(&format!("{beside}, services = [\"other.example\"] }}\n"));
    assert!(said[0].contains("up to 3660 seconds"), "{said:?}");
    let registry = |leeway: &str| {
        let index = "index = \"https://index.example\"";
        notes(&format!(
            "public_url = \"https://reg.example\"\nauth.token = {{ {index}, leeway = \"{leeway}\" }}\n"
        ))
    };
    assert_eq!(registry("1m"), none);
    assert!(registry("2m")[0].contains("120 seconds"));
}

#[test]
fn a_registry_apart_that_trusts_nobody_and_keys_that_travel_in_the_clear_are_noted() {
    let notes = |text: &str| load(text).unwrap().notes;
    let alone = notes("[index]\nroles = \"registry\"\n");
    assert_eq!(alone.len(), 1);
    assert!(alone[0].contains("trusts no index") && alone[0].contains("set `auth.token.index`"));
    let trusts = |index: &str| {
        notes(&format!(
            "public_url = \"https://reg.example\"\n[index]\nroles = \"registry\"\n[auth.token]\nindex = \"{index}\"\n"
        ))
    };
    for safe in [
        "https://index.example",
        "http://localhost:5000",
        "http://127.0.0.1:5000",
        "http://[::1]:5000",
    ] {
        assert_eq!(trusts(safe), Vec::<String>::new(), "{safe}");
    }
    for open in ["http://index.example", "http://10.0.0.7:5000"] {
        let [keys, passwords] = &trusts(open)[..] else {
            panic!("{open}: {:?}", trusts(open));
        };
        assert!(keys.contains(&format!("{open}/token/jwks.json")), "{keys}");
        assert!(passwords.contains("with their passwords, in the clear"));
    }
}
