//! The five types of a column, and rows of them.

use longshore_core::{Code, Error, Result};
use longshore_spec::digest::Digest;

/// A value in a column or a parameter of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BLOB, BYTEA.
    Bytes(Vec<u8>),
}

/// The columns of one row of an answer, in the order of the statement's. They are taken out of a place that all rows of the answer
/// share, so that a row costs nothing but its texts.
#[derive(Debug)]
pub struct Columns<'r>(pub(crate) std::vec::Drain<'r, Value>);

impl Columns<'_> {
    fn next<T: FromValue>(&mut self) -> Result<T> {
        self.0.next().and_then(T::from_value).ok_or_else(mismatch)
    }
}

/// A Rust type that a column can be read as.
pub trait FromValue: Sized {
    /// Reads it, or gives `None` when the column is of another type.
    fn from_value(value: Value) -> Option<Self>;
}

/// A tuple that a row can be read as.
pub trait FromRow: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// `Internal` when a column is not of the type asked for: the statement and the code do not fit each other.
    fn from_row(columns: Columns<'_>) -> Result<Self>;
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Int(int) => Some(int),
            _ => None,
        }
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Int(int) => Some(int != 0),
            _ => None,
        }
    }
}

impl FromValue for u64 {
    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl FromValue for Digest {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Digest::from_key(&bytes),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

fn mismatch() -> Error {
    Error::new(
        Code::Internal,
        "something went wrong in the registry; the request id finds it in its log",
    )
    .because("a column of the metadata database is not of the type its reader expects")
}

macro_rules! tuples {
    ($(($($name:ident),+))+) => {$(
        impl<$($name: FromValue),+> FromRow for ($($name,)+) {
            fn from_row(mut columns: Columns<'_>) -> Result<Self> {
                Ok(($(columns.next::<$name>()?,)+))
            }
        }
    )+};
}
tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) (A, B, C, D, E, F, G, H)
(A, B, C, D, E, F, G, H, I) (A, B, C, D, E, F, G, H, I, J) (A, B, C, D, E, F, G, H, I, J, K)
(A, B, C, D, E, F, G, H, I, J, K, L) (A, B, C, D, E, F, G, H, I, J, K, L, M) (A, B, C, D, E, F, G, H, I, J, K, L, M, N)
(A, B, C, D, E, F, G, H, I, J, K, L, M, N, O) (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P) }

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Value::Int(int)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Value::Int(i64::from(bool))
    }
}

impl From<u64> for Value {
    /// Sizes and counts; none comes near 2^63, and one that did would be stored as the largest there is.
    fn from(int: u64) -> Self {
        Value::Int(i64::try_from(int).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(int: usize) -> Self {
        Value::Int(i64::try_from(int).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Value::Bytes(bytes.to_vec())
    }
}

impl From<&Digest> for Value {
    fn from(digest: &Digest) -> Self {
        Value::Bytes(digest.to_key().to_vec())
    }
}

impl<T> From<Option<T>> for Value
where
    Value: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Value::from)
    }
}

/// The parameters of a statement: `values![repo, &digest, "name"]`.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}
