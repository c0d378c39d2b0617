//! Hex, read and written without a way out in the middle, so that the compiler makes vector instructions of it: there is some in nearly
//! every request and response.

/// Lower-case hex of exactly `N` bytes. (`hex::decode` would take upper case, which the specification forbids.)
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != N {
        return None;
    }
    let (mut value, mut wrong) = ([0; N], false);
    for (byte, [high, low]) in value.iter_mut().zip(pairs) {
        let ((high, bad_high), (low, bad_low)) = (nibble(*high), nibble(*low));
        *byte = high << 4 | low;
        wrong |= bad_high | bad_low;
    }
    (!wrong).then_some(value)
}

/// The value of a lower-case hex digit, and whether it is none.
fn nibble(digit: u8) -> (u8, bool) {
    let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    let value = if number < 10 {
        number
    } else {
        letter.wrapping_add(10)
    };
    (value & 15, number >= 10 && letter >= 6)
}

/// `value` in lower-case hex, as far as `buffer` has room.
pub(super) fn hex<'a>(value: &[u8], buffer: &'a mut [u8]) -> &'a [u8] {
    let pairs = buffer.as_chunks_mut::<2>().0;
    for ([high, low], byte) in pairs.iter_mut().zip(value) {
        (*high, *low) = (digit(byte >> 4), digit(byte & 15));
    }
    buffer.get(..2 * value.len()).unwrap_or_default()
}

/// The digit of a value below 16.
fn digit(nibble: u8) -> u8 {
    let letter = if nibble < 10 { 0 } else { b'a' - b'0' - 10 };
    nibble + b'0' + letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_digit_or_none_as_in_the_standard_library() {
        for byte in 0..=u8::MAX {
            let digit = char::from(byte)
                .to_digit(16)
                .filter(|_| !byte.is_ascii_uppercase());
            let (value, bad) = nibble(byte);
            assert_eq!((!bad).then_some(u32::from(value)), digit, "{byte}");
        }
    }

    #[test]
    fn every_byte_is_written_as_in_the_standard_library() {
        for byte in 0..=u8::MAX {
            assert_eq!(hex(&[byte], &mut [0; 2]), format!("{byte:02x}").as_bytes());
        }
    }
}
