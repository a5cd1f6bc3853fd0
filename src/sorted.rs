//! Order without the code that generic sorting and maps bring into the module for every type: indices are sorted, by one
//! function, and searched.

use std::cmp::Ordering;

/// The indices `0..len` in the order that `compare` gives to what they stand for; equals keep their order.
#[must_use]
pub fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut run = 1;
    // Sorted runs are merged, two by two: std's sort would be 10 kB of the module.
    while run < len {
        let mut merged = Vec::with_capacity(len);
        for two in order.chunks(run * 2) {
            let (mut one, mut other) = two.split_at(run.min(two.len()));
            while let (Some((a, ones)), Some((b, others))) = (one.split_first(), other.split_first()) {
                if compare(*b, *a).is_lt() {
                    merged.push(*b);
                    other = others;
                } else {
                    merged.push(*a);
                    one = ones;
                }
            }
            merged.extend_from_slice(one);
            merged.extend_from_slice(other);
        }
        order = merged;
        run *= 2;
    }
    order
}

/// Finds items of a list by a key.
#[derive(Debug)]
pub struct Sorted {
    order: Vec<usize>,
}

impl Sorted {
    /// Sorts a list by its items' keys.
    #[must_use]
    pub fn by<T, K: Ord + ?Sized>(items: &[T], key: impl Fn(&T) -> &K) -> Self {
        let at = |index: usize| items.get(index).map(&key);
        Self { order: order(items.len(), &|one, other| at(one).cmp(&at(other))) }
    }

    /// The index of the first item with that key.
    pub fn find<T, K: Ord + ?Sized>(&self, items: &[T], key: impl Fn(&T) -> &K, wanted: &K) -> Option<usize> {
        let before = |index: &usize| items.get(*index).is_some_and(|item| key(item) < wanted);
        let found = *self.order.get(self.order.partition_point(before))?;
        items.get(found).filter(|item| key(item) == wanted).map(|_| found)
    }

    /// A key that two items have.
    #[must_use]
    pub fn twice<'t, T, K: Ord + ?Sized>(&self, items: &'t [T], key: impl Fn(&'t T) -> &'t K) -> Option<&'t K> {
        let keys = || self.order.iter().filter_map(|index| items.get(*index)).map(&key);
        keys().zip(keys().skip(1)).find(|(one, next)| one == next).map(|(one, _)| one)
    }
}

/// A set of small indices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    flags: Vec<bool>,
    count: usize,
}

impl Flags {
    /// Whether the index is in the set.
    #[must_use]
    pub fn has(&self, index: usize) -> bool {
        self.flags.get(index) == Some(&true)
    }

    /// Puts an index into the set or takes it out.
    pub fn set(&mut self, index: usize, value: bool) {
        if self.flags.len() <= index {
            self.flags.resize(index + 1, false);
        }
        if let Some(flag) = self.flags.get_mut(index) {
            self.count = self.count + usize::from(value) - usize::from(*flag);
            *flag = value;
        }
    }

    /// How many indices are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether no index is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<usize> for Flags {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let mut flags = Self::default();
        indices.into_iter().for_each(|index| flags.set(index, true));
        flags
    }
}
