//! What browsers keep for us.

use http::request::Parts;
use http::{HeaderValue, header};

use super::urls::value;

/// What a browser keeps while it is at a provider, and afterwards. The prefix makes it keep them for this host alone, and
/// send them over TLS only (RFC 6265bis, 4.1.3).
pub(super) const TICKET_COOKIE: &str = "__Host-longshore-login";
/// The session.
pub(super) const SESSION_COOKIE: &str = "__Host-longshore-session";
/// What a form is tied to where there is no session yet.
pub(super) const FORM_COOKIE: &str = "__Host-longshore-form";
/// The code of a command line that waits until its person has logged in. It only chooses what our own page shows then.
pub(super) const DEVICE_COOKIE: &str = "__Host-longshore-device";

/// A cookie that comes back to this host only, over TLS, and to no script. `Lax`: the provider's redirect is a link from
/// elsewhere, and must bring it.
pub(super) fn cookie(name: &str, text: &str, secs: u64) -> HeaderValue {
    value(format!(
        "{name}={text}; Path=/; Max-Age={secs}; Secure; HttpOnly; SameSite=Lax"
    ))
}

/// What the browser kept under a name. Of two with one name neither is taken: one of them is somebody else's.
pub(super) fn kept<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    let lines = head.headers.get_all(header::COOKIE).iter();
    let mut found = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(own, _)| *own == name)
        .map(|(_, text)| text);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[&str]) -> Parts {
        let mut request = http::Request::builder().uri("/");
        for line in lines {
            request = request.header("cookie", *line);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_cookie_is_found_by_its_name_and_two_of_one_name_are_none() {
        for (lines, found) in [
            (&["a=1; n=x; b=2"][..], Some("x")),
            (&["n=x"], Some("x")),
            (&["a=1", "n=x=y"], Some("x=y")),
            (&["n="], Some("")),
            (&["nn=x", "xn=x"], None),
            (&["n=x; n=x"], None),
            (&["n=x", "n=y"], None),
            (&["N=x", "n"], None),
            (&[], None),
        ] {
            assert_eq!(kept(&head(lines), "n"), found, "{lines:?}");
        }
    }
}
