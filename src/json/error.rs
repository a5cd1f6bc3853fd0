use std::fmt;

/// Why a text could not be read. Shown to the user; never holds a value of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The bytes are not JSON: what was expected at which byte.
    Syntax {
        /// Offset in bytes from the start of the text.
        at: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// A key that the policy reads stands twice in one object.
    Duplicate {
        /// The key.
        key: &'static str,
    },
    /// A key stands twice in an object of strings.
    DuplicateIn {
        /// The object.
        field: &'static str,
    },
    /// The JSON is well formed, a field's type is not what Kubernetes defines.
    Shape {
        /// The field, lists written as `containers[]`.
        field: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
}

/// The result of reading.
pub type Result<T> = std::result::Result<T, Box<Unreadable>>;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at, expected } => write!(f, "not valid JSON: expected {expected} at byte {at}"),
            Self::TooDeep => write!(f, "nested deeper than {} levels", super::MAX_DEPTH),
            Self::Duplicate { key } => write!(f, "the key `{key}` stands twice in one object"),
            Self::DuplicateIn { field } => write!(f, "a key stands twice in `{field}`"),
            Self::Shape { field, expected } => write!(f, "`{field}` must be {expected}"),
        }
    }
}

impl std::error::Error for Unreadable {}
