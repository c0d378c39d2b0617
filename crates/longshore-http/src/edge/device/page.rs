//! The pages: HTML without a script, made of words and of texts that are escaped.

use std::fmt::{self, Write as _};

use http::{HeaderValue, Response, StatusCode, header};
use longshore_auth::index::UserCode;
use longshore_hub::devices::Waiting;

use super::super::names;
use super::words::Words;
use crate::server::Body;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
/// No script, nothing from elsewhere, in nobody's frame, and forms that are sent here only.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8886;--warm:#b45309;--bad:#b91c1c;--go:#1d4ed8}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,-apple-system,'Segoe UI','Noto Sans','PingFang SC','Microsoft YaHei',sans-serif}
main{max-width:32rem;margin:8vh auto;padding:1.5rem}
h1{font-size:1.5rem;margin:0 0 1rem}
label{display:block;margin:.75rem 0 .25rem}
input{width:100%;padding:.6rem .7rem;font:inherit;border:1px solid var(--line);border-radius:.4rem}
.code{font:600 1.6rem/1.3 ui-monospace,monospace;letter-spacing:.08em;text-align:center}
p.code{border:1px dashed var(--line);border-radius:.4rem;padding:.75rem}
button,.button{display:inline-block;margin:1rem .5rem 0 0;padding:.6rem 1.2rem;font:inherit;border-radius:.4rem;border:1px solid var(--line);cursor:pointer;text-decoration:none;color:inherit;background:transparent}
button.go{background:var(--go);border-color:var(--go);color:#fff}
button.plain{border:0;padding:0;margin:0;text-decoration:underline}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1rem;margin:1rem 0}
dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}
.warning{border-left:4px solid var(--warm);padding:.25rem 0 .25rem .75rem}
.bad{border-left:4px solid var(--bad);padding:.25rem 0 .25rem .75rem}
footer{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--line);font-size:.9rem}
footer form{display:inline;margin-left:.5rem}
:focus-visible{outline:3px solid var(--go);outline-offset:2px}
";

/// A text that is shown, with what HTML means something by taken away from it.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// What all pages have.
pub(super) struct Page<'a> {
    pub(super) words: &'a Words,
    /// What stands before all paths here.
    pub(super) base: &'a str,
    /// Who is logged in, and the mark of the form that logs them out.
    pub(super) user: Option<(&'a str, &'a str)>,
}

/// What is said at the top of a page that something went wrong on.
pub(super) type Trouble = Option<&'static str>;

impl Page<'_> {
    fn whole(
        &self,
        status: StatusCode,
        (title, trouble): (&str, Trouble),
        inner: &str,
    ) -> Response<Body> {
        let Page { words, base, user } = self;
        let mut html = format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"robots\" content=\"noindex\"><title>{}</title>\
             <link rel=\"stylesheet\" href=\"{base}/auth/style.css\"></head><body><main><h1>{}</h1>",
            words.lang,
            Shown(title),
            Shown(title)
        );
        if let Some(trouble) = trouble {
            put(
                &mut html,
                format_args!("<p class=\"bad\" role=\"alert\">{}</p>", Shown(trouble)),
            );
        }
        html.push_str(inner);
        if let Some((name, mark)) = user {
            put(
                &mut html,
                format_args!(
                    "<footer>{} <strong>{}</strong><form method=\"post\" action=\"{base}/auth/logout\">\
                     <input type=\"hidden\" name=\"mark\" value=\"{}\"><button class=\"plain\">{}</button></form></footer>",
                    words.you_are,
                    Shown(name),
                    Shown(mark),
                    words.log_out
                ),
            );
        }
        html.push_str("</main></body></html>");
        dressed(status, HTML, html)
    }

    /// The form for a name and a password, and the ways to providers.
    pub(super) fn login(
        &self,
        status: StatusCode,
        trouble: Trouble,
        (code, mark): (Option<&UserCode>, &str),
        providers: &[String],
    ) -> Response<Body> {
        let Page { words, base, .. } = self;
        let mut inner = format!(
            "<form method=\"post\" action=\"{base}/auth/login\"><input type=\"hidden\" name=\"mark\" value=\"{}\">",
            Shown(mark)
        );
        if let Some(code) = code {
            put(
                &mut inner,
                format_args!(
                    "<input type=\"hidden\" name=\"user_code\" value=\"{}\">",
                    Shown(&code.shown())
                ),
            );
        }
        put(
            &mut inner,
            format_args!(
                "<label for=\"u\">{}</label><input id=\"u\" name=\"username\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>\
                 <label for=\"p\">{}</label><input id=\"p\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
                 <label for=\"c\">{}</label><input id=\"c\" name=\"code\" autocomplete=\"one-time-code\" spellcheck=\"false\">\
                 <button class=\"go\">{}</button></form>",
                words.user, words.password, words.factor, words.log_in
            ),
        );
        for name in providers {
            put(
                &mut inner,
                format_args!(
                    "<a class=\"button\" href=\"{base}/auth/oidc/{}/start\">{} {}</a>",
                    Shown(name),
                    words.log_in_by,
                    Shown(name)
                ),
            );
        }
        self.whole(status, (words.login_title, trouble), &inner)
    }

    /// The form for a code.
    pub(super) fn ask(&self, status: StatusCode, trouble: Trouble) -> Response<Body> {
        let Page { words, base, .. } = self;
        let inner = format!(
            "<p>{}</p><form method=\"get\" action=\"{base}/device\"><label for=\"c\">{}</label>\
             <input id=\"c\" class=\"code\" name=\"user_code\" placeholder=\"XXXX-XXXX\" maxlength=\"16\" autocomplete=\"off\" \
             autocapitalize=\"characters\" spellcheck=\"false\" required autofocus><button class=\"go\">{}</button></form>",
            words.type_code, words.code, words.go_on
        );
        self.whole(status, (words.device_title, trouble), &inner)
    }

    /// Who asks, and the two answers.
    pub(super) fn decide(&self, code: &UserCode, waiting: &Waiting, mark: &str) -> Response<Body> {
        let Page { words, base, .. } = self;
        let since = jiff::Timestamp::from_second(waiting.created / 1_000_000).unwrap_or_default();
        let since = since.to_string().replace('T', " ").replace('Z', " UTC");
        let scope = if waiting.scope.is_empty() {
            words.everything
        } else {
            &waiting.scope
        };
        let inner = format!(
            "<p>{}</p><p class=\"code\">{code}</p><dl><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd>\
             <dt>{}</dt><dd>{}</dd></dl><p class=\"warning\">{}</p><form method=\"post\" action=\"{base}/device\">\
             <input type=\"hidden\" name=\"mark\" value=\"{}\"><input type=\"hidden\" name=\"user_code\" value=\"{code}\">\
             <button class=\"go\" name=\"decision\" value=\"approve\">{}</button><button name=\"decision\" value=\"deny\">{}</button></form>",
            words.asks,
            words.client,
            Shown(&waiting.client),
            words.origin,
            Shown(&waiting.origin),
            words.since,
            Shown(&since),
            words.may,
            Shown(scope),
            words.warning,
            Shown(mark),
            words.approve,
            words.deny,
            code = Shown(&code.shown()),
        );
        self.whole(StatusCode::OK, (words.device_title, None), &inner)
    }

    /// What was decided.
    pub(super) fn decided(&self, approved: bool) -> Response<Body> {
        let words = self.words;
        let (title, more) = if approved {
            (words.approved, words.approved_more)
        } else {
            (words.denied, words.denied_more)
        };
        let inner = format!("<p>{more}</p>");
        self.whole(StatusCode::OK, (title, None), &inner)
    }
}

/// Writing to a string does not fail.
fn put(text: &mut String, more: fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}

/// What the pages look like.
pub(super) fn style() -> Response<Body> {
    let mut response = dressed(StatusCode::OK, CSS, STYLE.to_owned());
    let an_hour = HeaderValue::from_static("max-age=3600");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, an_hour);
    response
}

fn dressed(status: StatusCode, kind: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(text.into_bytes().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, names::NO_STORE);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // With none at all, browsers would not say where a form of our own comes from either.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept-Language, Cookie"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_can_become_markup() {
        assert_eq!(
            Shown("<script>\"a\" & 'b'</script>").to_string(),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;"
        );
    }
}
