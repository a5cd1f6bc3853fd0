//! Reading settings: every problem is noted with its place, none stops the reading.

use super::problems::{At, Problems};
use crate::json::{Kind, Reader, Result, Text};

/// A part of the settings document.
pub trait Setting<'a>: Sized {
    /// Reads the value that comes next, and notes what is wrong with it. `None` when it can't be used.
    ///
    /// # Errors
    /// When the document is not JSON.
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>>;

    /// What a `null` means; `None`: the default of the key.
    #[must_use]
    fn null() -> Option<Self> {
        None
    }
}

/// Reads the value of a key into its field; a `null` was read already. One function for each type, not for each key.
#[inline(never)]
pub(crate) fn field<'a, T: Setting<'a>>(field: &mut T, reader: &mut Reader<'a>, here: &mut Here<'_, '_>) -> Result<()> {
    let value = if here.null { T::null() } else { T::read(reader, here.at, here.problems)? };
    if let Some(value) = value {
        *field = value;
    }
    Ok(())
}

/// Where a value stands, and where its problems go.
pub(crate) struct Here<'h, 'p> {
    at: At<'h>,
    problems: &'p mut Problems,
    null: bool,
}

/// Notes that a value of another type was expected and passes over it.
pub(crate) fn wrong<T>(
    reader: &mut Reader<'_>,
    at: At<'_>,
    problems: &mut Problems,
    expected: &str,
) -> Result<Option<T>> {
    pass_over(reader, at, problems, expected).map(|()| None)
}

#[cold]
#[inline(never)]
fn pass_over(reader: &mut Reader<'_>, at: At<'_>, problems: &mut Problems, expected: &str) -> Result<()> {
    let found = match reader.kind()? {
        Kind::Null => "null",
        Kind::Bool => "true or false",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::List => "a list",
        Kind::Object => "an object",
    };
    reader.skip()?;
    problems.add(at, format!("must be {expected}, found {found}"));
    Ok(())
}

impl<'a> Setting<'a> for bool {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        if reader.kind()? == Kind::Bool { reader.bool("") } else { wrong(reader, at, problems, "true or false") }
    }
}

impl<'a> Setting<'a> for Text<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        if reader.kind()? == Kind::String { reader.string("") } else { wrong(reader, at, problems, "a string") }
    }
}

/// A string that `ok` accepts.
#[inline(never)]
pub(crate) fn checked<'a>(
    reader: &mut Reader<'a>,
    at: At<'_>,
    problems: &mut Problems,
    expected: &str,
    ok: fn(&str) -> bool,
) -> Result<Option<Text<'a>>> {
    if reader.kind()? != Kind::String {
        return wrong(reader, at, problems, expected);
    }
    let text = reader.string("")?.unwrap_or_default();
    if ok(&text) {
        return Ok(Some(text));
    }
    problems.add(at, format!("must be {expected}"));
    Ok(None)
}

/// Defines a setting that is a text: what a function accepts, and what is told where it does not.
macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident, $expected:literal, $ok:expr) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a>(pub $crate::json::Text<'a>);

        impl<'a> $crate::settings::read::Setting<'a> for $name<'a> {
            fn read(
                reader: &mut $crate::json::Reader<'a>,
                at: $crate::settings::problems::At<'_>,
                problems: &mut $crate::settings::problems::Problems,
            ) -> $crate::json::Result<Option<Self>> {
                Ok($crate::settings::read::checked(reader, at, problems, $expected, $ok)?.map(Self))
            }
        }

        impl AsRef<str> for $name<'_> {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        #[cfg(not(target_family = "wasm"))]
        $crate::settings::schema::text!($name, $expected);
    };
}
pub(crate) use text;

text! {
    /// A name or a pattern of names: not empty, no white space.
    Pattern, "a name or pattern without white space", |text| !text.is_empty() && !text.contains(char::is_whitespace)
}

impl<'a, T: Setting<'a>> Setting<'a> for Vec<T> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        let mut list = Self::new();
        let is_list = each_element(reader, at, problems, &mut |reader, at, problems| {
            if let Some(element) = T::read(reader, at, problems)? {
                list.push(element);
            }
            Ok(())
        })?;
        Ok(is_list.then_some(list))
    }
}

/// Reads an element of a list.
type ReadElement<'f, 'a> = dyn FnMut(&mut Reader<'a>, At<'_>, &mut Problems) -> Result<()> + 'f;

/// Visits the elements of the list that comes next. `false` when it is no list.
fn each_element<'a>(
    reader: &mut Reader<'a>,
    at: At<'_>,
    problems: &mut Problems,
    visit: &mut ReadElement<'_, 'a>,
) -> Result<bool> {
    if reader.kind()? != Kind::List {
        pass_over(reader, at, problems, "a list")?;
        return Ok(false);
    }
    let mut elements = reader.list("")?;
    while let Some(index) = reader.element(&mut elements)? {
        visit(reader, at.index(index), problems)?;
    }
    Ok(true)
}

/// A list that restricts: given, it must name something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction<T>(pub Vec<T>);

impl<'a, T: Setting<'a>> Setting<'a> for Restriction<T> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        note_empty(reader, at, problems)?;
        Ok(Vec::read(reader, at, problems)?.map(Self))
    }
}

/// Notes that the value that comes next is an empty list.
fn note_empty(reader: &mut Reader<'_>, at: At<'_>, problems: &mut Problems) -> Result<()> {
    if reader.kind()? == Kind::List {
        let mut ahead = reader.clone();
        let mut elements = ahead.list("")?;
        if ahead.element(&mut elements)?.is_none() {
            problems.add(at, "must not be empty: an empty list matches nobody");
        }
    }
    Ok(())
}

impl<'a, T: Setting<'a>> Setting<'a> for Option<T> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        Ok(T::read(reader, at, problems)?.map(Some))
    }
}

/// Labels: keys and the values that they must have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels<'a>(pub Vec<(Text<'a>, Text<'a>)>);

impl<'a> Setting<'a> for Labels<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        if reader.kind()? != Kind::Object {
            return wrong(reader, at, problems, "an object of labels");
        }
        let mut labels: Vec<(Text<'a>, Text<'a>)> = Vec::new();
        let mut fields = reader.object("")?;
        while let Some(key) = reader.key(&mut fields)? {
            if labels.iter().any(|(label, _)| *label == key) {
                problems.add(at.key(&key), "stands there twice");
            }
            if let Some(value) = Text::read(reader, at.key(&key), problems)? {
                labels.push((key, value));
            }
        }
        Ok(Some(Self(labels)))
    }
}

/// Whole seconds between `MIN` and `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds<const MIN: i64, const MAX: i64>(pub i64);

impl<'a, const MIN: i64, const MAX: i64> Setting<'a> for Seconds<MIN, MAX> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        if reader.kind()? == Kind::Number {
            if let Ok(seconds) = reader.skip()?.text.parse()
                && (MIN..=MAX).contains(&seconds)
            {
                return Ok(Some(Self(seconds)));
            }
            problems.add(at, format!("must be whole seconds between {MIN} and {MAX}"));
            return Ok(None);
        }
        wrong(reader, at, problems, &format!("whole seconds between {MIN} and {MAX}"))
    }
}

/// Defines a closed set of words that a setting can have. `Off` can be written `false`: that is what YAML 1.1 readers
/// make of it.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        $vis:vis enum $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $name { $($(#[doc = $variant_doc])* $variant,)* }

        impl $name {
            /// The word in the settings.
            #[must_use]
            #[allow(dead_code, reason = "not every set is told in messages")]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl<'a> $crate::settings::read::Setting<'a> for $name {
            fn read(
                reader: &mut $crate::json::Reader<'a>,
                at: $crate::settings::problems::At<'_>,
                problems: &mut $crate::settings::problems::Problems,
            ) -> $crate::json::Result<Option<Self>> {
                const VALUES: &[$name] = &[$($name::$variant),*];
                let index = $crate::settings::read::choice(reader, at, problems, &[$($word),*])?;
                Ok(index.and_then(|index| VALUES.get(index).copied()))
            }
        }

        #[cfg(not(target_family = "wasm"))]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::settings::schema::words(&[$(($word, &[$($variant_doc),*]),)*])
            }
        }

        #[cfg(not(target_family = "wasm"))]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    };
}
pub(crate) use words;

/// The index of the next value in a closed set of words; one that is none of them is noted. `false` is `Off`.
pub(crate) fn choice(
    reader: &mut Reader<'_>,
    at: At<'_>,
    problems: &mut Problems,
    words: &[&str],
) -> Result<Option<usize>> {
    let word = match reader.kind()? {
        Kind::String => reader.string("")?,
        Kind::Bool => reader.bool("")?.filter(|value| !value).map(|_| Text::Borrowed("Off")),
        _ => reader.skip().map(|_| None)?,
    };
    let index = words.iter().position(|known| word.as_deref() == Some(*known));
    if index.is_none() {
        problems.choice(at, word.as_deref(), words);
    }
    Ok(index)
}

/// Defines a section of the settings: its keys with their types, defaults and documentation. A key that is absent or
/// null has its default. Unknown keys and keys given twice are problems. `check` sees the whole section.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident<$life:lifetime> $(also [$($also:literal),*])? {
            $($(#[doc = $field_doc:literal])* $key:literal $field:ident: $type:ty = $default:expr;)*
        }
        $(check $check:path;)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name<$life> {
            $($(#[doc = $field_doc])* pub $field: $type,)*
            #[doc(hidden)]
            pub document: std::marker::PhantomData<&$life str>,
        }

        impl Default for $name<'_> {
            fn default() -> Self {
                Self { $($field: $default,)* document: std::marker::PhantomData }
            }
        }

        impl<$life> $crate::settings::read::Setting<$life> for $name<$life> {
            fn read(
                reader: &mut $crate::json::Reader<$life>,
                at: $crate::settings::problems::At<'_>,
                problems: &mut $crate::settings::problems::Problems,
            ) -> $crate::json::Result<Option<Self>> {
                #[allow(non_camel_case_types, reason = "an index for each field")]
                enum Key { $($field),* }
                let mut section = Self::default();
                let keys = $crate::settings::read::Keys { read: &[$($key),*], passed_over: &[$($($also),*)?] };
                let is_object = keys.each(reader, at, problems, &mut |key, reader, here| {
                    $(if key == Key::$field as usize {
                        return $crate::settings::read::field(&mut section.$field, reader, here);
                    })*
                    Ok(())
                })?;
                if !is_object {
                    return Ok(None);
                }
                $($check(&section, at, problems);)?
                Ok(Some(section))
            }
        }

        #[cfg(not(target_family = "wasm"))]
        impl<$life> schemars::JsonSchema for $name<$life> {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                use $crate::settings::schema::{Key, lacking, section};
                let default = serde_json::to_value($name::default()).unwrap_or_default();
                let keys = vec![$(Key {
                    name: $key,
                    doc: &[$($field_doc),*],
                    schema: generator.subschema_for::<$type>(),
                    default: default.get($key).cloned().unwrap_or_default(),
                },)*];
                section(&[$($doc),*], keys, &[$($($also),*)?], &lacking::<Self>())
            }
        }

        #[cfg(not(target_family = "wasm"))]
        impl serde::Serialize for $name<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $(map.serialize_entry($key, &self.$field)?;)*
                map.end()
            }
        }
    };
}
pub(crate) use section;

/// The keys of a section: those that it reads, and those that somebody else reads.
pub(crate) struct Keys<'k> {
    pub(crate) read: &'k [&'static str],
    pub(crate) passed_over: &'k [&'static str],
}

/// Reads the value of the key with that index.
type ReadKey<'f, 'a> = dyn FnMut(usize, &mut Reader<'a>, &mut Here<'_, '_>) -> Result<()> + 'f;

impl Keys<'_> {
    /// Visits the keys of the object that comes next. `false` when it is no object.
    pub(crate) fn each<'a>(
        &self,
        reader: &mut Reader<'a>,
        at: At<'_>,
        problems: &mut Problems,
        visit: &mut ReadKey<'_, 'a>,
    ) -> Result<bool> {
        if reader.kind()? != Kind::Object {
            wrong::<()>(reader, at, problems, "an object")?;
            return Ok(false);
        }
        let mut seen = 0_u32;
        let mut fields = reader.object("")?;
        while let Some(key) = reader.key(&mut fields)? {
            if let Some((index, name)) = self.read.iter().enumerate().find(|(_, name)| **name == key) {
                if seen & (1 << index) != 0 {
                    problems.add(at.key(name), "stands there twice");
                }
                seen |= 1 << index;
                let null = reader.null()?;
                visit(index, reader, &mut Here { at: at.key(name), problems, null })?;
                continue;
            }
            if !self.passed_over.contains(&key.as_ref()) {
                problems.unknown(at, &key, &[self.read, self.passed_over].concat());
            }
            reader.skip()?;
        }
        Ok(true)
    }
}
