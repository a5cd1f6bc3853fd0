//! What the policy reads of a Pod, and where in the text it stands.

mod container;
mod listed;
mod metadata;
mod volume;

pub use container::{Container, EnvValue, EnvVar, Mount, Section};
pub use listed::Listed;
pub use metadata::Metadata;
pub use volume::{Projection, SecretItems, SecretVolume, Source, Volume};

use crate::json::{Kind, ObjectAt, Raw, Reader, Result, Slot, Text, Unreadable, fields};
use std::ops::Range;

/// A Pod without its lists: enough to tell who it is. Most pods are nobody that a rule concerns, and their lists are
/// never read.
#[derive(Debug, Default)]
pub struct Outline<'a> {
    /// The text that it was read from, in which all positions count.
    pub text: &'a str,
    /// The bytes of the Pod.
    pub range: Range<usize>,
    /// `apiVersion`
    pub api_version: Option<Text<'a>>,
    /// `kind`
    pub kind: Option<Text<'a>>,
    /// Name, labels, annotations.
    pub metadata: Metadata<'a>,
    /// The spec's own fields.
    pub spec: Spec<'a>,
}

/// A PodSpec without its lists.
#[derive(Debug, Default)]
pub struct Spec<'a> {
    /// Whether there is a spec at all. The API server refuses a Pod without one.
    pub present: bool,
    /// Where keys can be added.
    pub at: ObjectAt,
    /// `automountServiceAccountToken`, and where its value stands.
    pub automount: Option<(Option<bool>, Range<usize>)>,
    /// `shareProcessNamespace`
    pub share_process_namespace: Option<bool>,
    service_account_name: Option<Text<'a>>,
    service_account: Option<Text<'a>>,
    init_containers: Option<Raw<'a>>,
    containers: Option<Raw<'a>>,
    ephemeral_containers: Option<Raw<'a>>,
    volumes: Option<Raw<'a>>,
}

impl<'a> Outline<'a> {
    /// Reads a Pod.
    ///
    /// # Errors
    /// When a field that the policy reads is not of the type that Kubernetes defines, or stands there twice.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        fields!(reader, "request.object" => _, {
            api_version: "apiVersion" => reader.string("apiVersion")?,
            kind: "kind" => reader.string("kind")?,
            metadata: "metadata" => Metadata::read(reader)?,
            spec: "spec" => Spec::read(reader)?,
        });
        Ok(Self { text: reader.text(), range: start..reader.position(), api_version, kind, metadata, spec })
    }

    /// `serviceAccountName`, else the deprecated `serviceAccount`, else `default`.
    #[must_use]
    pub fn service_account(&self) -> &str {
        let given = [&self.spec.service_account_name, &self.spec.service_account].into_iter().flatten();
        given.map(AsRef::as_ref).find(|name: &&str| !name.is_empty()).unwrap_or("default")
    }

    /// What `automountServiceAccountToken` says.
    #[must_use]
    pub fn automount(&self) -> Option<bool> {
        self.spec.automount.as_ref().and_then(|(value, _)| *value)
    }
}

impl<'a> Spec<'a> {
    /// Whether there is an ephemeral container.
    #[must_use]
    pub fn has_ephemeral_containers(&self) -> bool {
        self.ephemeral_containers.is_some_and(|raw| raw.text.contains('{'))
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        if reader.null()? {
            return Ok(Self::default());
        }
        fields!(reader, "spec" => at, {
            service_account_name: "serviceAccountName" => reader.string("spec.serviceAccountName")?,
            service_account: "serviceAccount" => reader.string("spec.serviceAccount")?,
            automount: "automountServiceAccountToken" => {
                reader.kind()?;
                let start = reader.position();
                let value = reader.bool("spec.automountServiceAccountToken")?;
                Some((value, start..reader.position()))
            },
            share_process_namespace: "shareProcessNamespace" => reader.bool("spec.shareProcessNamespace")?,
            init_containers: "initContainers" => list(reader, Section::Init.path())?,
            containers: "containers" => list(reader, Section::Normal.path())?,
            ephemeral_containers: "ephemeralContainers" => list(reader, Section::Ephemeral.path())?,
            volumes: "volumes" => list(reader, "spec.volumes")?,
        });
        Ok(Self {
            present: true,
            at,
            automount,
            share_process_namespace,
            service_account_name,
            service_account,
            init_containers,
            containers,
            ephemeral_containers,
            volumes,
        })
    }
}

/// A list, passed over unread.
fn list<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<Option<Raw<'a>>> {
    match reader.kind()? {
        Kind::List | Kind::Null => reader.skip().map(Some),
        _ => {
            reader.skip()?;
            Err(Box::new(Unreadable::Shape { field, expected: "a list" }))
        }
    }
}

/// A Pod: the parts that the rules look at.
#[derive(Debug, Default)]
pub struct Pod<'a> {
    /// All but the lists.
    pub outline: Outline<'a>,
    /// Init containers, then containers, then ephemeral ones, as [`Container::section`] tells.
    pub containers: Vec<Container<'a>>,
    /// Where `volumes` stands.
    pub volumes_slot: Slot,
    /// `volumes`
    pub volumes: Vec<Volume<'a>>,
}

impl<'a> Pod<'a> {
    /// Reads the lists of a Pod.
    ///
    /// # Errors
    /// When a field that the policy reads is not of the type that Kubernetes defines, or stands there twice.
    pub fn read(outline: Outline<'a>) -> Result<Self> {
        let reader = |raw: Option<Raw<'a>>| raw.map(|raw| Reader::at(outline.text, raw.at));
        let spec = &outline.spec;
        let mut containers = Vec::new();
        for (raw, section) in [
            (spec.init_containers, Section::Init),
            (spec.containers, Section::Normal),
            (spec.ephemeral_containers, Section::Ephemeral),
        ] {
            if let Some(mut reader) = reader(raw) {
                containers.append(&mut Container::list(&mut reader, section)?.items);
            }
        }
        let volumes = match reader(spec.volumes) {
            Some(mut reader) => Listed::read(&mut reader, "spec.volumes", |r, _| Volume::read(r))?,
            None => Listed::default(),
        };
        Ok(Self { outline, containers, volumes_slot: volumes.slot, volumes: volumes.items })
    }

    /// A Pod whose lists nobody will ask for.
    #[must_use]
    pub fn unread(outline: Outline<'a>) -> Self {
        Self { outline, ..Self::default() }
    }

    /// Name, labels, annotations.
    #[must_use]
    pub fn metadata(&self) -> &Metadata<'a> {
        &self.outline.metadata
    }

    /// The volume of that name, and its index.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<(usize, &Volume<'a>)> {
        self.volumes.iter().enumerate().find(|(_, volume)| volume.name == name)
    }

    /// The container's name.
    #[must_use]
    pub fn container_name(&self, index: usize) -> Option<&Text<'a>> {
        self.containers.get(index).map(|container| &container.name)
    }
}
