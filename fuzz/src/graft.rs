//! Crosses two JSON texts: a part of one is put into the other.

use crate::draw::{Pick, Random};
use crate::tree::{self, count, nth};

/// Puts a part of `from` into `to`, and the whole into `out`. Its length; 0: nothing came of it.
pub fn json(to: &[u8], from: &[u8], out: &mut [u8], seed: u32) -> usize {
    let read = |data| tree::parse(std::str::from_utf8(data).ok()?);
    let (Some(mut to), Some(mut from)) = (read(to), read(from)) else { return 0 };
    let mut random = Random::new(seed);
    let counted = count(&from);
    let part = nth(&mut from, random.below(counted)).clone();
    let counted = count(&to);
    *nth(&mut to, random.below(counted)) = part;
    let text = to.to_string();
    match out.get_mut(..text.len()) {
        Some(out) => {
            out.copy_from_slice(text.as_bytes());
            text.len()
        }
        None => 0,
    }
}
