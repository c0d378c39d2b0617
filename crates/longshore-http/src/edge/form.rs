//! Forms, as browsers and clients of OAuth send them.

use bytes::BytesMut;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, StatusCode, header};
use longshore_core::{ByteStream, Code, Error};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::errors::Fault;

/// The most parameters of one request.
const MOST: usize = 100;
/// The longest form, in bytes.
const FORM: usize = 64 * 1024;

/// Names and values, decoded. `+` is a blank, as forms have it; many clients write scopes so.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "a parameter is not UTF-8")
    };
    let parts = text.split('&').filter(|part| !part.is_empty());
    let mut pairs = Vec::new();
    for part in parts {
        if pairs.len() == MOST {
            return Err("there are too many parameters");
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((decode(name)?, decode(value)?));
    }
    Ok(pairs)
}

/// Sets what may be said once only: of two values each side could believe another one.
pub(super) fn once(place: &mut Option<String>, value: String) -> Result<(), &'static str> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("a parameter is there twice"),
    }
}

/// Whether what is sent is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return false;
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The whole form.
pub(super) async fn read(mut body: ByteStream) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.try_next().await.map_err(|error| {
        Fault::from(Error::new(Code::BodyLost, "the form did not arrive whole").because(error))
    })? {
        if bytes.len() + piece.len() > FORM {
            return Err(Fault::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Code::SizeInvalid.wire().1,
                format!("a form has at most {FORM} bytes"),
            ));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Zeroizing::new(bytes.to_vec()))
}
