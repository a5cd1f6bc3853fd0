use super::Listed;
use super::container::reference;
use crate::json::{Kind, ObjectAt, Raw, Reader, Result, Text, fields};
use std::ops::Range;

/// An entry of `volumes`: what it is made of, which is all that can be trusted of it.
#[derive(Debug)]
pub struct Volume<'a> {
    /// The entry's bytes.
    pub range: Range<usize>,
    /// `name`
    pub name: Text<'a>,
    /// `projected`
    pub projected: Option<Projection<'a>>,
    /// `secret`
    pub secret: Option<SecretVolume<'a>>,
    /// The Secret that another type of volume is handed: `csi.nodePublishSecretRef`, `azureFile.secretName`, the
    /// `secretRef` of `cephfs`, `flexVolume`, `iscsi`, `rbd`, `scaleIO`, `storageos` and whatever comes after them.
    pub driver_secret: Option<Text<'a>>,
    /// The node's path (`hostPath.path`).
    pub host_path: Option<Text<'a>>,
    /// Whether it is a ConfigMap or made of the pod's own fields.
    pub plain_text: bool,
    /// Whether it says anything else.
    pub more: bool,
}

/// A projected volume.
#[derive(Debug, Default)]
pub struct Projection<'a> {
    /// `sources`, in order.
    pub sources: Vec<Source<'a>>,
    /// Whether it says anything but `sources` and the default mode of 0644.
    pub more: bool,
}

/// A source of a projected volume.
#[derive(Debug)]
pub enum Source<'a> {
    /// `serviceAccountToken`
    Token {
        /// Where keys can be added.
        at: ObjectAt,
        /// `audience`; empty when absent.
        audience: Text<'a>,
        /// `expirationSeconds`; the API server takes 3600 when absent.
        expiration: Option<(i64, Range<usize>)>,
        /// `path`
        path: Text<'a>,
    },
    /// `podCertificate`
    Certificate,
    /// `secret`
    Secret(SecretVolume<'a>),
    /// `configMap`: its name, and the one file that it is narrowed to.
    ConfigMap {
        /// `name`
        name: Text<'a>,
        /// `items`, when it is exactly one: key and path.
        item: Option<(Text<'a>, Text<'a>)>,
    },
    /// `downwardAPI`: field and path, when it is exactly one.
    Downward(Option<(Text<'a>, Text<'a>)>),
    /// Anything else.
    Other,
}

/// A Secret as a volume or as a source of one.
#[derive(Debug)]
pub struct SecretVolume<'a> {
    /// `secretName`, or `name` as a source.
    pub name: Text<'a>,
    /// `items`
    pub items: SecretItems<'a>,
    /// Whether it says anything else than its name, its items and the default mode of 0644.
    pub more: bool,
}

/// The files that a Secret is narrowed to: key and path. All keys when empty.
pub type SecretItems<'a> = Vec<(Text<'a>, Text<'a>)>;

/// What the API server fills in where no mode is given.
const DEFAULT_MODE: i64 = 0o644;

impl<'a> Volume<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader.kind()?;
        let start = reader.position();
        let mut more = false;
        let (mut driver_secret, mut host_path, mut plain_text) = (None, None, false);
        fields!(reader, "spec.volumes[]" => _, {
            name: "name" => reader.string("spec.volumes[].name")?,
            projected: "projected" => Projection::read(reader)?,
            secret: "secret" => SecretVolume::read(reader, "spec.volumes[].secret", "secretName")?,
        } else |key| if !reader.null()? {
            more = true;
            plain_text |= matches!(key, "configMap" | "downwardAPI");
            if key == "hostPath" {
                host_path = read_host_path(reader)?;
                continue;
            }
            driver_secret = read_driver(reader)?.or(driver_secret);
        });
        Ok(Self {
            range: start..reader.position(),
            name: name.unwrap_or_default(),
            projected,
            secret,
            driver_secret,
            host_path,
            plain_text,
            more,
        })
    }
}

fn read_host_path<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>> {
    if reader.kind()? != Kind::Object {
        return reader.skip().map(|_| None);
    }
    fields!(reader, "spec.volumes[].hostPath" => _, { path: "path" => reader.string("spec.volumes[].hostPath.path")?, });
    Ok(path)
}

/// The Secret that a volume of any other type names.
fn read_driver<'a>(reader: &mut Reader<'a>) -> Result<Option<Text<'a>>> {
    if reader.kind()? != Kind::Object {
        return reader.skip().map(|_| None);
    }
    fields!(reader, "spec.volumes[]" => _, {
        published: "nodePublishSecretRef" => reference(reader, "spec.volumes[].csi.nodePublishSecretRef")?,
        secret: "secretRef" => reference(reader, "spec.volumes[].secretRef")?,
        name: "secretName" => reader.string("spec.volumes[].azureFile.secretName")?,
    });
    let published: Option<Text<'a>> = published;
    Ok(published.or(secret).or(name))
}

impl<'a> Projection<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Option<Self>> {
        if reader.null()? {
            return Ok(None);
        }
        let mut more = false;
        fields!(reader, "spec.volumes[].projected" => _, {
            sources: "sources" => Listed::read(reader, "spec.volumes[].projected.sources", |r, _| Source::read(r))?,
            mode: "defaultMode" => reader.integer("spec.volumes[].projected.defaultMode")?,
        } else |_key| { more = true; reader.skip()? });
        Ok(Some(Self { sources: sources.items, more: more || mode.unwrap_or(DEFAULT_MODE) != DEFAULT_MODE }))
    }
}

impl<'a> Source<'a> {
    /// Several sources in one entry are refused by the API server; the one that grants most is taken.
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        fields!(reader, "spec.volumes[].projected.sources[]" => _, {
            token: "serviceAccountToken" => read_token(reader)?,
            certificate: "podCertificate" => !reader.null()? && reader.skip().map(|_| true)?,
            secret: "secret" => SecretVolume::read(reader, "spec.volumes[].projected.sources[].secret", "name")?,
            config_map: "configMap" => read_config_map(reader)?,
            downward: "downwardAPI" => read_downward(reader)?,
        });
        Ok(token
            .or(certificate.then_some(Self::Certificate))
            .or(secret.map(Self::Secret))
            .or(config_map)
            .or(downward)
            .unwrap_or(Self::Other))
    }
}

fn read_token<'a>(reader: &mut Reader<'a>) -> Result<Option<Source<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    fields!(reader, "spec.volumes[].projected.sources[].serviceAccountToken" => at, {
        audience: "audience" => reader.string("spec.volumes[].projected.sources[].serviceAccountToken.audience")?,
        expiration: "expirationSeconds" => {
            reader.kind()?;
            let start = reader.position();
            let seconds = reader.integer("spec.volumes[].projected.sources[].serviceAccountToken.expirationSeconds")?;
            Some((seconds, start..reader.position()))
        },
        path: "path" => reader.string("spec.volumes[].projected.sources[].serviceAccountToken.path")?,
    });
    Ok(Some(Source::Token {
        at,
        audience: audience.unwrap_or_default(),
        expiration: expiration.map(|(seconds, range)| (seconds.unwrap_or(3600), range)),
        path: path.unwrap_or_default(),
    }))
}

fn read_config_map<'a>(reader: &mut Reader<'a>) -> Result<Option<Source<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    let mut more = false;
    fields!(reader, "spec.volumes[].projected.sources[].configMap" => _, {
        name: "name" => reader.string("spec.volumes[].projected.sources[].configMap.name")?,
        items: "items" => read_items(reader, "spec.volumes[].projected.sources[].configMap.items", "key")?,
    } else |_key| { more = true; reader.skip()? });
    Ok(Some(Source::ConfigMap { name: name.unwrap_or_default(), item: only(items.filter(|_| !more)) }))
}

fn read_downward<'a>(reader: &mut Reader<'a>) -> Result<Option<Source<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    fields!(reader, "spec.volumes[].projected.sources[].downwardAPI" => _, {
        items: "items" => read_items(reader, "spec.volumes[].projected.sources[].downwardAPI.items", "fieldRef")?,
    });
    Ok(Some(Source::Downward(only(items))))
}

fn only<'a>(items: Option<SecretItems<'a>>) -> Option<(Text<'a>, Text<'a>)> {
    items.and_then(|mut items| if items.len() == 1 { items.pop() } else { None })
}

/// Reads `items`: what each is made of (`from`: a key, or a field of the pod) and its path. `None` when there are none
/// or one of them says more.
fn read_items<'a>(reader: &mut Reader<'a>, what: &'static str, from: &'static str) -> Result<Option<SecretItems<'a>>> {
    let mut more = false;
    let list = Listed::read(reader, what, |reader, _| {
        fields!(reader, what => _, {
            key: "key" => reader.string(what)?,
            field: "fieldRef" => read_field(reader, what)?,
            path: "path" => reader.string(what)?,
        } else |_key| more |= reader.skip()?.text != "null");
        let key: Option<Text<'a>> = key;
        more |= key.is_some() == (from == "fieldRef") || field.is_some() == (from == "key");
        Ok((key.or(field).unwrap_or_default(), path.unwrap_or_default()))
    })?;
    Ok(Some(list.items).filter(|items| !more && !items.is_empty()))
}

fn read_field<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<Option<Text<'a>>> {
    if reader.null()? {
        return Ok(None);
    }
    fields!(reader, what => _, { path: "fieldPath" => reader.string(what)?, });
    Ok(path)
}

impl<'a> SecretVolume<'a> {
    /// `called` is the key of the Secret's name: `secretName` in a volume, `name` in a source.
    fn read(reader: &mut Reader<'a>, what: &'static str, called: &'static str) -> Result<Option<Self>> {
        if reader.null()? {
            return Ok(None);
        }
        let mut more = false;
        let mut name: Option<Text<'a>> = None;
        fields!(reader, what => _, {
            list: "items" => { let list = reader.skip()?; Some(list) },
            mode: "defaultMode" => reader.integer(what)?,
            optional: "optional" => reader.bool(what)?,
        } else |key| {
            if key != called {
                more = true;
                reader.skip()?;
            } else if name.is_some() {
                return Err(reader.duplicate(called));
            } else {
                name = Some(reader.string(what)?.unwrap_or_default());
            }
        });
        let list: Option<Raw<'a>> = list.filter(|list: &Raw<'a>| list.text != "null" && list.text != "[]");
        let narrowed = match list {
            Some(list) => read_items(&mut list.reader(), what, "key")?,
            None => Some(Vec::new()),
        };
        Ok(Some(Self {
            name: name.unwrap_or_default(),
            more: more || narrowed.is_none() || optional == Some(true) || mode.unwrap_or(DEFAULT_MODE) != DEFAULT_MODE,
            items: narrowed.unwrap_or_default(),
        }))
    }
}
