//! What a request needs: the right, the same as a scope, and what that is called.

use longshore_auth::Needs;
use longshore_core::Verb;
use longshore_spec::name::RepoName;
use longshore_spec::route::Request;

/// The right a request needs; `None` for pings, and for a search, which finds what the caller may pull. A mount's second right is not here: without it the mount is an
/// upload.
pub(super) fn need(request: &Request) -> Option<(Option<&RepoName>, Verb)> {
    let verb = match request {
        Request::Ping | Request::V1Ping | Request::V1Search { .. } => return None,
        Request::Catalog { .. } => Verb::Catalog,
        Request::Tags { .. }
        | Request::Referrers { .. }
        | Request::GetBlob { .. }
        | Request::HeadBlob { .. }
        | Request::GetManifest { .. }
        | Request::HeadManifest { .. } => Verb::Pull,
        Request::PutManifest { .. }
        | Request::StartUpload { .. }
        | Request::UploadStatus { .. }
        | Request::AppendUpload { .. }
        | Request::FinishUpload { .. }
        | Request::AbortUpload { .. } => Verb::Push,
        Request::DeleteBlob { .. } | Request::DeleteManifest { .. } => Verb::Delete,
    };
    Some((request.repo(), verb))
}

/// The same for whoever looks up rights for it, with the other side of a mount.
pub(super) fn needs(request: &Request) -> Needs<'_> {
    let Some((repo, verb)) = need(request) else {
        return Needs {
            searches: matches!(request, Request::V1Search { .. }),
            ..Needs::default()
        };
    };
    let from = match request {
        Request::StartUpload {
            mount: Some(mount), ..
        } => mount.from.as_ref(),
        _ => None,
    };
    Needs {
        repo,
        verb: Some(verb),
        from,
        searches: false,
    }
}

/// The token scope of all that a request could need. Who pushes also pulls: clients look before they send.
/// Source: docker token specification, "scope".
pub(super) fn scope(request: &Request) -> Option<String> {
    if matches!(request, Request::V1Search { .. }) {
        // What engines ask for of themselves (moby, `search_session.go`).
        return Some("registry:catalog:search".to_owned());
    }
    let (repo, verb) = need(request)?;
    let Some(repo) = repo else {
        return Some("registry:catalog:*".to_owned());
    };
    let actions = match verb {
        Verb::Push => "pull,push",
        verb => verb.action(),
    };
    let scope = format!("repository:{repo}:{actions}");
    if let Request::StartUpload {
        mount: Some(mount), ..
    } = request
        && let Some(from) = &mount.from
        && from != repo
    {
        return Some(format!("{scope} repository:{from}:pull"));
    }
    Some(scope)
}

/// What was tried, for a sentence.
pub(super) fn deed(repo: Option<&RepoName>, verb: Verb) -> String {
    let deed = match verb {
        Verb::Pull => "pull from",
        Verb::Push => "push to",
        Verb::Delete => "delete from",
        Verb::Catalog => "list the repositories of",
    };
    match repo {
        Some(repo) => format!("{deed} `{repo}`"),
        None => format!("{deed} this registry"),
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::route::parse;

    use super::*;

    #[test]
    fn a_scope_names_all_that_the_request_could_need() {
        let digest = longshore_spec::Digest::of(longshore_spec::Algorithm::Sha256, b"");
        let blob = format!("/v2/a/b/blobs/{digest}");
        let mount = format!("mount={digest}&from=c/d");
        let own = format!("mount={digest}&from=a/b");
        for (method, path, query, expected) in [
            ("GET", "/v2/", None, None),
            ("GET", "/v2/_catalog", None, Some("registry:catalog:*")),
            (
                "GET",
                "/v1/search",
                Some("q=a"),
                Some("registry:catalog:search"),
            ),
            (
                "GET",
                "/v2/a/b/tags/list",
                None,
                Some("repository:a/b:pull"),
            ),
            ("HEAD", blob.as_str(), None, Some("repository:a/b:pull")),
            ("DELETE", blob.as_str(), None, Some("repository:a/b:delete")),
            (
                "POST",
                "/v2/a/b/blobs/uploads/",
                None,
                Some("repository:a/b:pull,push"),
            ),
            (
                "POST",
                "/v2/a/b/blobs/uploads/",
                Some(mount.as_str()),
                Some("repository:a/b:pull,push repository:c/d:pull"),
            ),
            (
                "POST",
                "/v2/a/b/blobs/uploads/",
                Some(own.as_str()),
                Some("repository:a/b:pull,push"),
            ),
            (
                "PUT",
                "/v2/a/b/manifests/1",
                None,
                Some("repository:a/b:pull,push"),
            ),
        ] {
            let request = parse(method, path, query).unwrap();
            assert_eq!(scope(&request).as_deref(), expected, "{method} {path}");
        }
    }
}
