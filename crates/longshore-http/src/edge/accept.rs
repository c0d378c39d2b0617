//! What manifests a client can read, and what a client that cannot read lists is given instead.
//!
//! A client that asks a tag for a single image, because it was written before there were lists or is a script, gets the
//! list's image for linux/amd64, as it does from Distribution. Nobody else gets anything but what was pushed: `Accept`
//! never leads to a 406 here, and a digest is always answered with the content it names.

use http::{HeaderMap, header};
use longshore_spec::media::{Kind, MediaType};

/// Whether the client reads single images and no lists. All `Accept` lines count as one list (RFC 9110, 5.3).
pub(super) fn wants_single(headers: &HeaderMap) -> bool {
    let mut single = false;
    for entry in entries(headers) {
        match entry {
            "*/*" | "application/*" => return false,
            entry if is(entry, Kind::Index) => return false,
            entry => single |= is(entry, Kind::Image),
        }
    }
    single
}

/// Whether the client names this media type.
pub(super) fn reads(headers: &HeaderMap, media_type: &MediaType) -> bool {
    let essence = media_type.essence();
    entries(headers).any(|entry| entry.eq_ignore_ascii_case(essence))
}

/// The media ranges of all lines, without parameters, and without those that are refused by `q=0`.
fn entries(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|entry| {
            let (range, params) = entry.split_once(';').unwrap_or((entry, ""));
            let refused = params
                .split(';')
                .any(|param| matches!(param.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            (!refused).then_some(range.trim())
        })
}

fn is(entry: &str, kind: Kind) -> bool {
    let known = match kind {
        Kind::Index => [MediaType::OCI_INDEX, MediaType::DOCKER_LIST],
        _ => [MediaType::OCI_MANIFEST, MediaType::DOCKER_MANIFEST],
    };
    known
        .iter()
        .any(|known| known.as_str().eq_ignore_ascii_case(entry))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
    const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

    fn accept(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (header::ACCEPT, HeaderValue::from_str(line).unwrap()))
            .collect()
    }

    #[test]
    fn only_who_names_images_and_no_lists_wants_a_single_image() {
        let list_first = format!("{LIST}, {IMAGE}");
        let refused = format!("{IMAGE}, {LIST};q=0");
        for (lines, expected) in [
            (vec![IMAGE], true),
            (
                vec!["application/vnd.oci.image.manifest.v1+json", "text/plain"],
                true,
            ),
            (vec![refused.as_str()], true),
            (vec![IMAGE, LIST], false),
            (vec![list_first.as_str()], false),
            (
                vec![IMAGE, "application/vnd.oci.image.index.v1+json"],
                false,
            ),
            (vec![IMAGE, "*/*;q=0.1"], false),
            (vec!["text/plain"], false),
            (vec!["*/*"], false),
            (vec![], false),
        ] {
            assert_eq!(wants_single(&accept(&lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn b12_nonsense_in_accept_is_passed_over() {
        let many = format!("{},;;q=NaN,{IMAGE};q=x,/,", "a/b;q=NaN,".repeat(10_000));
        assert!(wants_single(&accept(&[&many])));
    }

    #[test]
    fn a_type_is_read_whatever_stands_behind_it() {
        assert!(reads(
            &accept(&[
                "a/b",
                "Application/VND.docker.distribution.manifest.v2+json; q=0.5"
            ]),
            &MediaType::DOCKER_MANIFEST
        ));
        assert!(!reads(&accept(&[IMAGE]), &MediaType::OCI_MANIFEST));
    }
}
