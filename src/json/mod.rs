//! JSON as the policy needs it: read once, in place, and edited without being rebuilt.
//!
//! [`Reader`] walks the request's text and hands out what is asked for, borrowed from that text; the rest is checked
//! for form and skipped. [`Splices`] edits the same text at the byte positions that the reader noted down, so whatever
//! the policy does not know (new fields, the order of keys, the spelling of numbers) comes out as it went in.

mod error;
mod reader;
mod splice;
mod write;

pub use error::{Result, Unreadable};
pub use reader::{Elements, Fields, Kind, MAX_DEPTH, Noted, Raw, Reader};
pub use splice::{ListAt, ObjectAt, Slot, Splices};
pub use write::{ObjectWriter, quote};

/// A string of the request or the settings: borrowed, unless it was written with escapes.
pub type Text<'a> = std::borrow::Cow<'a, str>;

/// Reads the object that the reader stands at: binds each `field` to what its expression reads at `"key"`, or to the
/// type's default when the key is absent, and `$at` to the place where keys can be added. A key that is read must not
/// stand there twice; other keys are skipped, or handed to the `else` expression, which must consume the value.
macro_rules! fields {
    ($reader:ident, $what:expr => $at:pat, { $($field:ident: $key:literal => $read:expr,)* }) => {
        fields!($reader, $what => $at, { $($field: $key => $read,)* } else |_key| $reader.skip()?);
    };
    ($reader:ident, $what:expr => $at:pat, { $($field:ident: $key:literal => $read:expr,)* } else |$other:ident| $else:expr) => {
        $(let mut $field = Default::default();)*
        let $at = {
            #[allow(non_camel_case_types, reason = "a bit for each field")]
            enum Bit { $($field),* }
            let mut seen = 0_u32;
            let mut fields = $reader.object($what)?;
            while let Some(key) = $reader.key(&mut fields)? {
                match key.as_ref() {
                    $($key => {
                        if seen & (1 << Bit::$field as u32) != 0 {
                            return Err($reader.duplicate($key));
                        }
                        seen |= 1 << Bit::$field as u32;
                        $field = $read;
                    })*
                    $other => { $else; }
                }
            }
            fields.at()
        };
    };
}
pub(crate) use fields;
