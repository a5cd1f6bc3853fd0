use crate::sorted::{Flags, order};
use std::ops::Range;

/// Where keys can be added to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObjectAt {
    /// The position of its `}`.
    pub close: usize,
    /// Whether it has no key yet.
    pub empty: bool,
}

/// Where elements can be added to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListAt {
    /// The position of its `]`.
    pub close: usize,
    /// How many elements it has.
    pub len: usize,
}

/// Where a list stands in its object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Slot {
    /// The key is not there.
    #[default]
    Absent,
    /// The key's value is `null`.
    Null(Range<usize>),
    /// There is a list.
    List(ListAt),
}

/// Changes to a text, by position. Applied in one pass, so that positions stay those of the text that was read.
#[derive(Debug, Default)]
pub struct Splices {
    splices: Vec<(Range<usize>, String)>,
    opened: Vec<usize>,
}

impl Splices {
    /// Puts `json` in the place of what stands at `range`.
    pub fn replace(&mut self, range: Range<usize>, json: String) {
        self.splices.push((range, json));
    }

    /// Adds `"key":json` to an object. What is added to one object is added in one go, but for other objects' within it.
    pub fn insert(&mut self, object: ObjectAt, key: &str, json: &str) {
        let again = self.opened.last() == Some(&object.close);
        let comma = if object.empty && !again { "" } else { "," };
        self.opened.push(object.close);
        self.splices.push((object.close..object.close, [comma, "\"", key, "\":", json].concat()));
    }

    /// Appends elements to the list `key` of `object`, which is made when there is none. `removed` elements of the list
    /// are taken away by other splices ([`Splices::remove`]).
    pub fn append(&mut self, object: ObjectAt, key: &str, slot: &Slot, elements: &[String], removed: usize) {
        if elements.is_empty() {
            return;
        }
        let list = || ["[", &elements.join(","), "]"].concat();
        match slot {
            Slot::Absent => self.insert(object, key, &list()),
            Slot::Null(range) => self.replace(range.clone(), list()),
            Slot::List(list) => {
                let comma = if list.len > removed { "," } else { "" };
                self.splices.push((list.close..list.close, [comma, &elements.join(",")].concat()));
            }
        }
    }

    /// Takes the elements at the indices `gone` out of a list whose elements stand at `elements`.
    pub fn remove(&mut self, elements: &[Range<usize>], gone: &Flags) {
        let mut kept_before = false;
        for (index, element) in elements.iter().enumerate() {
            if !gone.has(index) {
                kept_before = true;
                continue;
            }
            let before = index.checked_sub(1).and_then(|before| elements.get(before));
            let range = match (kept_before, before, elements.get(index + 1)) {
                (true, Some(before), _) => before.end..element.end,
                (_, _, Some(after)) => element.start..after.start,
                (_, _, None) => element.clone(),
            };
            self.splices.push((range, String::new()));
        }
    }

    /// The part `whole` of the text with all changes made, which must lie within it.
    #[must_use]
    pub fn apply(self, text: &str, whole: Range<usize>) -> String {
        let start = |index: usize| self.splices.get(index).map(|(range, _)| range.start);
        let order = order(self.splices.len(), &|one, other| start(one).cmp(&start(other)));
        let added: usize = self.splices.iter().map(|(_, json)| json.len()).sum();
        let mut out = String::with_capacity(whole.len() + added);
        let mut at = whole.start;
        for (range, json) in order.iter().filter_map(|index| self.splices.get(*index)) {
            out.push_str(text.get(at..range.start).unwrap_or_default());
            out.push_str(json);
            at = at.max(range.end);
        }
        out.push_str(text.get(at..whole.end).unwrap_or_default());
        out
    }
}
