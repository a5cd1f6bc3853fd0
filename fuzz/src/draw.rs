//! Chance: of the fuzzer's bytes, or of a seed.

use arbitrary::Unstructured;

/// Something that takes decisions.
pub trait Pick {
    /// A number below another one, which is not 0.
    fn below(&mut self, end: usize) -> usize;

    /// One of some.
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Whether something happens that happens once in a while. Never, when nothing is left to decide with.
    fn once_in(&mut self, often: usize) -> bool {
        self.below(often) + 1 == often
    }
}

/// The fuzzer's bytes. When they are used up, everything is the first of its kind.
pub struct Draw<'d>(Unstructured<'d>);

impl<'d> Draw<'d> {
    /// Decisions taken by these bytes.
    #[must_use]
    pub fn new(data: &'d [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    /// A text of any characters, up to a length in bytes.
    pub fn text(&mut self, most: usize) -> String {
        let length = self.below(most + 1).min(self.0.len());
        String::from_utf8_lossy(self.0.bytes(length).unwrap_or_default()).into_owned()
    }
}

impl Pick for Draw<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.0.int_in_range(0..=end.saturating_sub(1)).unwrap_or_default()
    }
}

/// Decisions that follow from a number.
pub struct Random(u64);

impl Random {
    /// Those of a seed.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed) ^ 0x9e37_79b9_7f4a_7c15)
    }
}

impl Pick for Random {
    /// SplitMix64.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end.max(1) as u64).unwrap_or_default()
    }
}
