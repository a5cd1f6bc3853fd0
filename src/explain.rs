//! Why a verdict is what it is, for people: who the object is, which setting decided each point.

/// Explains the verdict on a payload, a line a point. Empty for objects that no rule concerns.
#[must_use]
pub fn explain(_payload: &[u8]) -> Vec<String> {
    Vec::new()
}
