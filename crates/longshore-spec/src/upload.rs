//! The name of an upload session.

use std::fmt;
use std::str::FromStr;

/// The 128-bit id of one upload, written as a lower-case hyphenated UUID.
///
/// The specification wants a UUID in the upload's URL. The number's making (version, randomness, time) belongs to the
/// store; here it is only a value with a text form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(u128);

/// A text that is no hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an upload id is a hyphenated UUID of 36 characters")]
pub struct UploadIdError;

impl UploadId {
    /// The id with this value.
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// The id's value.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The value as bytes, most significant first: the order of the text.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads what [`UploadId::to_bytes`] wrote.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(text: &str) -> Result<Self, UploadIdError> {
        if text.len() != 36 {
            return Err(UploadIdError);
        }
        let mut value: u128 = 0;
        for (at, byte) in text.bytes().enumerate() {
            let digit = match (at, byte) {
                (8 | 13 | 18 | 23, b'-') => continue,
                (8 | 13 | 18 | 23, _) => return Err(UploadIdError),
                (_, b'0'..=b'9') => byte - b'0',
                (_, b'a'..=b'f') => byte - b'a' + 10,
                // One text per id: an upper-case form would be a second name for the same session.
                _ => return Err(UploadIdError),
            };
            value = value << 4 | u128::from(digit);
        }
        Ok(Self(value))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            v >> 96,
            (v >> 80) & 0xffff,
            (v >> 64) & 0xffff,
            (v >> 48) & 0xffff,
            v & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadId({self})")
    }
}

serde_as_text!(UploadId, "an upload id");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_id_has_one_text_form() {
        let text = "0190163d-8694-739b-aea5-966c26f8ad91";
        let id: UploadId = text.parse().unwrap();
        assert_eq!(id.as_u128(), 0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
        assert_eq!(id.to_string(), text);
        assert_eq!(UploadId::from_bytes(id.to_bytes()), id);
        for other in [
            "",
            "0190163d8694739baea5966c26f8ad91",
            "0190163D-8694-739b-aea5-966c26f8ad91",
            "0190163d-8694-739b-aea5-966c26f8ad9g",
            "0190163d-8694-739b-aea5_966c26f8ad91",
            "+190163d-8694-739b-aea5-966c26f8ad91",
            "../../../../../../../../etc/passwd..",
            "0190163d-8694-739b-aea5-966c26f8ad91 ",
        ] {
            assert_eq!(other.parse::<UploadId>(), Err(UploadIdError), "{other:?}");
        }
    }
}
