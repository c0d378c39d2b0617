use proptest::prelude::*;

use super::*;

fn part(span: Span) -> Part {
    span.into()
}

/// Every name that is reached, found as a listing finds them.
fn walked(reach: &Reach, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut from = String::new();
    let mut steps = 0;
    'spans: while let Some((span, sure)) = reach.next(&from) {
        steps += 1;
        assert!(steps < 1000, "the walk does not end");
        for name in names.iter().filter(|name| span.has(name)) {
            assert!(!sure || reach.has(name), "{name} is said to be reached");
            if reach.has(name) {
                found.push((*name).to_owned());
            } else {
                match reach.past(name) {
                    Some(place) => {
                        assert!(place.as_str() > *name);
                        from = place;
                        continue 'spans;
                    }
                    None => return found,
                }
            }
        }
        match span.to {
            Some(to) => from = to,
            None => break,
        }
    }
    found
}

#[test]
fn below_is_what_has_the_path_and_a_slash_and_nothing_that_looks_alike() {
    let reach = Reach::new(vec![part(Span::below("acme"))], Vec::new());
    assert!(reach.has("acme/app") && reach.has("acme/a/b"));
    for other in ["acme", "acme-x/a", "acme0", "acme.b/c", "acm", "b"] {
        assert!(!reach.has(other), "{other}");
    }
    assert!(!reach.is_all() && !reach.is_nothing());
    assert!(Reach::all().is_all() && Reach::all().has("a"));
    assert!(Reach::nothing().is_nothing() && !Reach::nothing().has("a"));
}

#[test]
fn what_is_denied_is_not_reached_and_what_is_named_is() {
    let mut public = part(Span::below("acme"));
    public.except = vec![Span::exactly("acme/secret"), Span::below("acme/inner")];
    let deny = Part::like("acme/*-tmp".parse().unwrap());
    let reach = Reach::new(vec![public], vec![deny]);
    for (name, there) in [
        ("acme/app", true),
        ("acme/secret", false),
        ("acme/secret2", true),
        ("acme/inner/x", false),
        ("acme/a-tmp", false),
        ("acme/a/b-tmp", true),
    ] {
        assert_eq!(reach.has(name), there, "{name}");
    }
    let reach = reach.and(vec!["acme/secret".parse().unwrap()]);
    assert!(reach.has("acme/secret") && !reach.has("acme/inner/x"));
    assert_eq!(reach.names(), None);
    let only = Reach::only(vec!["b".parse().unwrap(), "a".parse().unwrap()]);
    assert_eq!(only.names().map(<[_]>::len), Some(2));
}

#[test]
fn names_of_one_component_are_found_without_looking_at_what_lies_between_them() {
    let mut plain = part(Span::all());
    plain.plain = true;
    let reach = Reach::new(vec![plain], Vec::new());
    assert!(reach.has("alpine") && !reach.has("acme/app"));
    assert_eq!(reach.past("acme/app").as_deref(), Some("acme0"));
    let names = ["acme/a", "acme/b", "alpine", "busybox", "c/d", "debian"];
    assert_eq!(walked(&reach, &names), ["alpine", "busybox", "debian"]);
}

fn any_part() -> impl Strategy<Value = Part> {
    let span = prop_oneof![
        Just(Span::all()),
        "[ab]{1,2}".prop_map(|path| Span::below(&path)),
        "[ab](/[ab])?".prop_map(|name| Span::exactly(&name)),
    ];
    let pattern = prop_oneof![
        3 => Just(None),
        1 => "[ab*]{1,2}(/[ab*]{1,2})?".prop_map(|text| text.parse::<RepoPattern>().ok()),
    ];
    let except = prop::collection::vec("[ab]{1,2}".prop_map(|path| Span::below(&path)), 0..2);
    (span, except, pattern, any::<bool>()).prop_map(|(span, except, pattern, plain)| Part {
        span,
        except,
        pattern,
        plain,
    })
}

proptest! {
    #[test]
    fn it_has_what_its_rules_say_and_a_walk_finds_the_same(
        allow in prop::collection::vec(any_part(), 0..4),
        deny in prop::collection::vec(any_part(), 0..3),
    ) {
        let all = [
            "a", "a/a", "a/b", "a/b/a", "aa", "aa/b", "ab", "ab/ab", "b", "b/a", "b/b", "ba/a", "bb", "bb/a/b", "c", "c/a",
        ];
        let reach = Reach::new(allow.clone(), deny.clone());
        let wanted: Vec<_> = all
            .iter()
            .filter(|name| allow.iter().any(|part| part.has(name)) && !deny.iter().any(|part| part.has(name)))
            .map(|name| (*name).to_owned())
            .collect();
        for name in all {
            prop_assert_eq!(reach.has(name), wanted.iter().any(|wanted| wanted == name), "{}", name);
        }
        prop_assert_eq!(walked(&reach, &all), wanted);
    }

    #[test]
    fn both_reach_what_each_of_them_does(
        one in prop::collection::vec(any_part(), 0..3),
        other in prop::collection::vec(any_part(), 0..3),
        deny in prop::collection::vec(any_part(), 0..2),
        names in prop::collection::vec("[ab](/[ab])?", 0..2),
    ) {
        let all = ["a", "a/a", "a/b", "a/b/a", "aa", "aa/b", "ab/ab", "b", "b/a", "ba/a", "bb/a/b", "c/a"];
        let named = names.iter().map(|name| name.parse().unwrap()).collect();
        let one = Reach::new(one, deny).and(named);
        let other = Reach::new(other, Vec::new());
        let both = one.clone().both(other.clone());
        for name in all {
            prop_assert_eq!(both.has(name), one.has(name) && other.has(name), "{}", name);
        }
        let wanted: Vec<_> = all.iter().filter(|name| both.has(name)).map(|name| (*name).to_owned()).collect();
        prop_assert_eq!(walked(&both, &all), wanted);
    }
}
