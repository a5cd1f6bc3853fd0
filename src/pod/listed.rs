use crate::json::{Reader, Result, Slot};

/// A list of an object's, and where it stands.
#[derive(Debug)]
pub struct Listed<T> {
    /// Where the list stands, or would.
    pub slot: Slot,
    /// Its elements, in order.
    pub items: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { slot: Slot::Absent, items: Vec::new() }
    }
}

impl<T> Listed<T> {
    /// Reads a list element by element; `null` is an empty one.
    pub(super) fn read<'a>(
        reader: &mut Reader<'a>,
        what: &'static str,
        mut item: impl FnMut(&mut Reader<'a>, usize) -> Result<T>,
    ) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        if reader.null()? {
            return Ok(Self { slot: Slot::Null(start..reader.position()), items: Vec::new() });
        }
        let mut elements = reader.list(what)?;
        let mut items = Vec::new();
        while let Some(index) = reader.element(&mut elements)? {
            items.push(item(reader, index)?);
        }
        Ok(Self { slot: Slot::List(elements.at()), items })
    }
}
