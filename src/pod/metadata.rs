use crate::annotation;
use crate::json::{ObjectAt, Reader, Result, Text, Unreadable, fields};
use crate::jwt::token_in;
use crate::sorted::Sorted;
use std::ops::Range;

/// What the policy reads of an object's metadata.
#[derive(Debug, Default)]
pub struct Metadata<'a> {
    /// `name`, empty while the API server has not made one of `generateName`.
    pub name: Text<'a>,
    /// `generateName`
    pub generate_name: Option<Text<'a>>,
    /// All labels.
    pub labels: Vec<(Text<'a>, Text<'a>)>,
    /// The annotations that mean something to the policy, by key.
    pub annotations: Vec<(Text<'a>, Text<'a>)>,
    /// The keys of annotations that hold a Kubernetes ServiceAccount's token.
    pub tokens: Vec<Text<'a>>,
    /// Where keys can be added.
    pub at: ObjectAt,
    /// Where the labels stand, and the values of `labels` by index.
    pub labels_at: MapAt,
    /// Where the annotations stand, and the values of `annotations` by index.
    pub annotations_at: MapAt,
    /// Whether the object is being deleted.
    pub deleted: bool,
}

impl<'a> Metadata<'a> {
    /// Reads `metadata`.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Self::keeping(reader, annotation::is_read)
    }

    /// Reads `metadata` with all of its annotations.
    pub(crate) fn read_all(reader: &mut Reader<'a>) -> Result<Self> {
        Self::keeping(reader, |_| true)
    }

    fn keeping(reader: &mut Reader<'a>, annotations_kept: fn(&str) -> bool) -> Result<Self> {
        if reader.null()? {
            return Ok(Self::default());
        }
        let mut tokens = Vec::new();
        fields!(reader, "metadata" => at, {
            name: "name" => reader.string("metadata.name")?,
            generate_name: "generateName" => reader.string("metadata.generateName")?,
            labels: "labels" => strings(reader, "metadata.labels", "metadata.labels[]", |_| true, &mut Vec::new())?,
            annotations: "annotations" => strings(reader, "metadata.annotations", "metadata.annotations[]", annotations_kept, &mut tokens)?,
            deleted: "deletionTimestamp" => reader.string("metadata.deletionTimestamp")?.is_some(),
        });
        let (labels, labels_at) = labels;
        let (annotations, annotations_at) = annotations;
        Ok(Self {
            name: name.unwrap_or_default(),
            generate_name: generate_name.filter(|name: &Text<'a>| !name.is_empty()),
            labels,
            annotations,
            at,
            labels_at,
            annotations_at,
            tokens,
            deleted,
        })
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_ref())
    }

    /// The value of an annotation that the policy reads.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_ref())
    }

    /// What a user calls the object: its `generateName` where there is one, since the name is the API server's then.
    #[must_use]
    pub fn known_as(&self) -> &str {
        self.generate_name.as_deref().unwrap_or(&self.name)
    }
}

/// Keys and values, in the order of the document.
type Strings<'a> = Vec<(Text<'a>, Text<'a>)>;

/// Where a map of strings stands in its object.
#[derive(Debug, Default)]
pub struct MapAt {
    /// Its place; `None`: it is not there.
    pub place: Option<MapPlace>,
    /// The bytes of the values that were kept, by their index.
    pub values: Vec<Range<usize>>,
}

/// A map that is there.
#[derive(Debug, Clone)]
pub enum MapPlace {
    /// As `null`.
    Null(Range<usize>),
    /// As an object.
    Object(ObjectAt),
}

/// Reads an object of strings, keeping the keys that are wanted. None of those may stand there twice.
fn strings<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
    value_of: &'static str,
    wanted: fn(&str) -> bool,
    tokens: &mut Vec<Text<'a>>,
) -> Result<(Strings<'a>, MapAt)> {
    let (mut map, mut values) = (Strings::new(), Vec::new());
    reader.kind()?;
    let start = reader.position();
    if reader.null()? {
        return Ok((map, MapAt { place: Some(MapPlace::Null(start..reader.position())), values }));
    }
    let mut fields = reader.object(what)?;
    while let Some(key) = reader.key(&mut fields)? {
        if wanted(&key) {
            // The API server reads a null as the empty string.
            reader.kind()?;
            let start = reader.position();
            let value = reader.string(value_of)?.unwrap_or_default();
            values.push(start..reader.position());
            map.push((key, value));
        } else if reader.raw_text(value_of)?.is_some_and(|raw| token_in(&raw)) {
            tokens.push(key);
        }
    }
    if twice(&map) {
        return Err(Box::new(Unreadable::DuplicateIn { field: what }));
    }
    Ok((map, MapAt { place: Some(MapPlace::Object(fields.at())), values }))
}

/// Whether a key stands in the map twice. A handful of keys is compared pairwise, more are sorted first.
fn twice(map: &[(Text<'_>, Text<'_>)]) -> bool {
    if map.len() <= 16 {
        return map.iter().enumerate().any(|(index, (key, _))| map.iter().take(index).any(|(other, _)| other == key));
    }
    Sorted::by(map, |(key, _)| key).twice(map, |(key, _)| key).is_some()
}
