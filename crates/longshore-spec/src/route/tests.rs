//! The rows of the API's grammar, and what every wrong URL is told.

mod refused;
mod understood;

use super::*;

const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const D512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// Reads `<method> <target>`.
fn read(line: &str) -> Result<Request, RouteError> {
    let (method, target) = line.split_once(' ').unwrap();
    match target.split_once('?') {
        Some((path, query)) => parse(method, path, Some(query)),
        None => parse(method, target, None),
    }
}

fn repo(name: &str) -> RepoName {
    name.parse().unwrap()
}

fn digest() -> Digest {
    D.parse().unwrap()
}

fn tag(tag: &str) -> Tag {
    tag.parse().unwrap()
}

fn start(digest: Option<Digest>, mount: Option<Mount>, algorithm: Algorithm) -> Request {
    Request::StartUpload {
        repo: repo("acme/app"),
        digest,
        mount,
        algorithm,
    }
}
