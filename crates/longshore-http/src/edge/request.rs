//! What a request's headers say of content: ranges, types, conditions.
//!
//! The path and query are `longshore_spec::route`'s; here is only what comes beside them. Nothing here decides what is
//! answered, but for the words of each refusal.

use http::{HeaderMap, HeaderName, header};
use longshore_core::{Code, Error, Result, TagRule};
use longshore_spec::digest::Digest;
use longshore_spec::media::MediaType;
use longshore_spec::range::ByteRange;

/// The text of a header that is given once; `None` also for one that is no ASCII.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The range of a blob that is asked for. `None` for the whole, also where `If-Range` names another content.
pub(super) fn range(headers: &HeaderMap, digest: &Digest) -> Option<ByteRange> {
    let range = ByteRange::parse_header(text(headers, &header::RANGE)?)?;
    match headers.get(header::IF_RANGE) {
        None => Some(range),
        // A date cannot be compared: content named by its digest has none.
        Some(condition) => (entity_digest(condition.to_str().ok()?)? == *digest).then_some(range),
    }
}

/// Whether the client holds this content already, as `If-None-Match` says it.
pub(super) fn holds(headers: &HeaderMap, digest: &Digest) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|tag| {
            tag == "*" || entity_digest(tag.strip_prefix("W/").unwrap_or(tag)) == Some(*digest)
        })
}

/// The digest in an entity tag. Some clients leave the quotes away, as Distribution lets them.
fn entity_digest(tag: &str) -> Option<Digest> {
    tag.trim().trim_matches('"').parse().ok()
}

/// What may happen to tags that exist, by the conditions of a push.
///
/// # Errors
/// `QueryInvalid`: a condition that cannot be decided where the tag is written, and so must not be half obeyed.
pub(super) fn tag_rule(headers: &HeaderMap) -> Result<TagRule> {
    let only = |name: &HeaderName| {
        let mut lines = headers.get_all(name).iter();
        (lines.next(), lines.next())
    };
    match (only(&header::IF_MATCH), only(&header::IF_NONE_MATCH)) {
        ((None, _), (None, _)) => Ok(TagRule::Move),
        ((None, _), (Some(line), None)) if line.as_bytes().trim_ascii() == b"*" => {
            Ok(TagRule::CreateOnly)
        }
        ((Some(line), None), (None, _)) => line
            .to_str()
            .ok()
            .and_then(entity_digest)
            .map(TagRule::MoveFrom)
            .ok_or_else(|| {
                Error::new(
                    Code::QueryInvalid,
                    "If-Match takes one entity tag, as ETag showed it",
                )
            }),
        _ => Err(Error::new(
            Code::QueryInvalid,
            "a push takes If-None-Match: * or If-Match with one entity tag, not both and nothing else",
        )),
    }
}

/// The type a manifest is pushed as, without parameters; `None` where none is said.
///
/// # Errors
/// `ManifestInvalid`: what is said is no media type.
pub(super) fn manifest_type(headers: &HeaderMap) -> Result<Option<MediaType>> {
    let Some(line) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let said = line.to_str().unwrap_or_default().trim();
    if said.is_empty() {
        return Ok(None);
    }
    match said.parse::<MediaType>() {
        Ok(media_type) => Ok(Some(media_type.without_params())),
        Err(error) => Err(Error::new(
            Code::ManifestInvalid,
            format!("Content-Type: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http::request::Parts;

    use super::*;

    fn head(lines: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn digest(of: &str) -> Digest {
        Digest::of(longshore_spec::Algorithm::Sha256, of.as_bytes())
    }

    #[test]
    fn a_range_holds_only_for_the_content_that_if_range_names() {
        let (this, other) = (digest("this"), digest("other"));
        let asked = |condition: &str| {
            range(
                &head(&[("range", "bytes=0-4"), ("if-range", condition)]).headers,
                &this,
            )
        };
        let given = Some(ByteRange::Within(0, 5));
        assert_eq!(
            range(&head(&[("range", "bytes=0-4")]).headers, &this),
            given
        );
        assert_eq!(asked(&format!("\"{this}\"")), given);
        for not in [
            format!("\"{other}\""),
            format!("W/\"{this}\""),
            "Sat, 21 Nov 2026 10:00:00 GMT".to_owned(),
        ] {
            assert_eq!(asked(&not), None, "{not}");
        }
    }

    #[test]
    fn if_none_match_is_a_list_of_tags_in_any_number_of_lines() {
        let this = digest("this");
        let quoted = format!("\"{this}\"");
        for (lines, expected) in [
            (vec![quoted.as_str()], true),
            (vec!["\"x\"", "\"y\", W/\"z\"", quoted.as_str()], true),
            (vec!["*"], true),
            (vec!["\"x\""], false),
            (vec![], false),
        ] {
            let lines: Vec<_> = lines
                .into_iter()
                .map(|line| ("if-none-match", line))
                .collect();
            assert_eq!(holds(&head(&lines).headers, &this), expected, "{lines:?}");
        }
        assert!(holds(
            &head(&[("if-none-match", &format!("W/{quoted}"))]).headers,
            &this
        ));
        assert!(holds(
            &head(&[("if-none-match", &this.to_string())]).headers,
            &this
        ));
    }

    #[test]
    fn a_condition_that_cannot_be_kept_is_refused_and_not_dropped() {
        let this = digest("this");
        let quoted = format!("\"{this}\"");
        let rule =
            |lines: &[(&str, &str)]| tag_rule(&head(lines).headers).map_err(|error| error.code());
        assert_eq!(rule(&[]), Ok(TagRule::Move));
        assert_eq!(rule(&[("if-none-match", "*")]), Ok(TagRule::CreateOnly));
        assert_eq!(rule(&[("if-match", &quoted)]), Ok(TagRule::MoveFrom(this)));
        for lines in [
            &[("if-match", "*")][..],
            &[("if-match", "\"x\"")],
            &[("if-none-match", quoted.as_str())],
            &[("if-none-match", "*"), ("if-match", quoted.as_str())],
            &[("if-match", quoted.as_str()), ("if-match", quoted.as_str())],
        ] {
            assert_eq!(rule(lines), Err(Code::QueryInvalid), "{lines:?}");
        }
    }

    #[test]
    fn d20_parameters_of_a_content_type_are_dropped() {
        let read = |line: &str| {
            manifest_type(&head(&[("content-type", line)]).headers).map_err(|error| error.code())
        };
        assert_eq!(
            read("application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
            Ok(Some(MediaType::OCI_MANIFEST))
        );
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("nonsense"), Err(Code::ManifestInvalid));
        assert_eq!(manifest_type(&head(&[]).headers).unwrap(), None);
    }
}
