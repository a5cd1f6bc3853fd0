//! Laws 4 and 5: what the policy changed, and that it changed nothing else.
//!
//! Both objects are compared as text: only the kinds of changes that the policy plans are allowed, each in its place.

use serde_json::Value;

use super::token::is_injected;
use super::tree::Tree;

/// A change of one of the planned kinds. Containers are told as `containers/base`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// An entry at the end of `env`: container, name, value.
    Env(String, String, String),
    /// The same, its value a key of a Secret: container, name, Secret, key.
    SecretEnv(String, String, String, String),
    /// A read-only mount at the end of `volumeMounts`: container, volume, path.
    Mount(String, String, String),
    /// A volume at the end of `volumes`: its JSON.
    Volume(Value),
    /// A mount of the API server's volume is gone: container, volume.
    Unmounted(String, String),
    /// The API server's volume is gone.
    VolumeGone(String),
    /// `automountServiceAccountToken` says `false` and did not.
    Automount,
    /// A token is asked for with fewer seconds: volume, seconds.
    Expiration(String, i64),
    /// An annotation of the policy's own at the end of the annotations: key, value.
    Annotation(String, String),
}

/// What the keys of the policy's own annotations begin with.
const OWN: &str = "airflow-pod-identity/gcp-";

/// The changes that made `after` of `before`.
///
/// # Errors
/// The first difference that is none of the planned kinds.
pub fn edits(before: &str, after: &str) -> Result<Vec<Edit>, String> {
    let (before, after) = (Tree::parse(before), Tree::parse(after));
    if before.get("kind").is_some_and(|kind| kind.text() == "ServiceAccount") {
        return account(&before, &after);
    }
    let mut found = Found { edits: Vec::new(), injected: injected(&before), gone: Vec::new() };
    found.object("", &before, &after, &[], |found, key, old, new| match key {
        "spec" => found.spec(old, new),
        "metadata" => found.metadata(old, new),
        _ => same(key, old, new),
    })?;
    let spec = after.get("spec");
    for section in super::token::SECTIONS {
        for container in spec.and_then(|spec| spec.get(section)).map_or(&[][..], Tree::items) {
            let mounts = container.get("volumeMounts").map_or(&[][..], Tree::items);
            if let Some(mount) = mounts.iter().find(|mount| found.gone.contains(&name(mount))) {
                return Err(format!("volume {} is gone and still mounted", name(mount)));
            }
        }
    }
    Ok(found.edits)
}

/// A ServiceAccount: automounting, and annotations and labels that give it a role, each in its place.
fn account(before: &Tree, after: &Tree) -> Result<Vec<Edit>, String> {
    let mut found = Found { edits: Vec::new(), injected: Vec::new(), gone: Vec::new() };
    found.object("", before, after, &["automountServiceAccountToken"], |found, key, old, new| match key {
        "automountServiceAccountToken" if old != new => {
            found.edits.push(Edit::Automount);
            let is_bool = matches!(new, Tree::Scalar(raw) if raw == "true" || raw == "false");
            if is_bool { Ok(()) } else { same(key, old, new) }
        }
        "metadata" => found.object("metadata", old, new, &["labels", "annotations"], |found, key, old, new| {
            let Tree::Object(now) = new else { return same(key, old, new) };
            let then = match old {
                Tree::Object(then) => then.as_slice(),
                _ if old.is_null() => &[],
                _ => return same(key, old, new),
            };
            for (index, (name, value)) in now.iter().enumerate() {
                let kept = then.get(index);
                if kept.is_some_and(|(known, old)| known == name && old == value) {
                    continue;
                }
                let plain = Tree::Scalar(name.clone()).text();
                let moved = kept.is_some_and(|(known, _)| known != name);
                if moved
                    || !["eks.amazonaws.com/", "iam.gke.io/", "azure.workload.identity/"]
                        .iter()
                        .any(|own| plain.starts_with(own))
                {
                    return Err(format!("metadata/{key}: {plain} was set"));
                }
                found.edits.push(Edit::Annotation(plain, value.text()));
            }
            if now.len() < then.len() { Err(format!("metadata/{key}: a key is lost")) } else { Ok(()) }
        }),
        _ => same(key, old, new),
    })?;
    Ok(found.edits)
}

struct Found {
    edits: Vec<Edit>,
    /// The names of the volumes that the API server injected.
    injected: Vec<String>,
    /// Those that are gone.
    gone: Vec<String>,
}

type Fields<'f> = dyn FnMut(&mut Found, &str, &Tree, &Tree) -> Result<(), String> + 'f;

impl Found {
    /// Two objects: the old keys in their order, then perhaps some of `added`, which `field` sees with `null` before.
    fn object(
        &mut self,
        path: &str,
        before: &Tree,
        after: &Tree,
        added: &[&str],
        mut field: impl FnMut(&mut Self, &str, &Tree, &Tree) -> Result<(), String>,
    ) -> Result<(), String> {
        let (Tree::Object(old), Tree::Object(new)) = (before, after) else { return same(path, before, after) };
        let field: &mut Fields<'_> = &mut field;
        for (index, (key, value)) in new.iter().enumerate() {
            let plain = Tree::Scalar(key.clone()).text();
            match old.get(index) {
                Some((old_key, old_value)) if old_key == key => field(self, &plain, old_value, value)?,
                Some((old_key, _)) => return Err(format!("{path}: key {key} stands where {old_key} did")),
                None if added.contains(&plain.as_str()) => field(self, &plain, &null(), value)?,
                None => return Err(format!("{path}: key {key} was added")),
            }
        }
        if new.len() < old.len() { Err(format!("{path}: key {} is lost", old[new.len()].0)) } else { Ok(()) }
    }

    fn metadata(&mut self, before: &Tree, after: &Tree) -> Result<(), String> {
        self.object("metadata", before, after, &[], |found, key, old, new| match (key, old, new) {
            ("annotations", Tree::Object(old), Tree::Object(new)) if new.starts_with(old) => {
                new[old.len()..].iter().try_for_each(|(key, value)| found.annotation(key, value))
            }
            _ => same(&format!("metadata/{key}"), old, new),
        })
    }

    fn annotation(&mut self, key: &str, value: &Tree) -> Result<(), String> {
        let name = Tree::Scalar(key.to_owned()).text();
        let is_text = matches!(value, Tree::Scalar(raw) if raw.starts_with('"'));
        if !name.starts_with(OWN) || !is_text {
            return Err(format!("metadata/annotations: {key}: {value} was added"));
        }
        self.edits.push(Edit::Annotation(name, value.text()));
        Ok(())
    }

    fn spec(&mut self, before: &Tree, after: &Tree) -> Result<(), String> {
        let added = ["volumes", "automountServiceAccountToken"];
        self.object("spec", before, after, &added, |found, key, old, new| match key {
            "volumes" => found.volumes(old, new),
            "containers" | "initContainers" => found.containers(key, old, new),
            "automountServiceAccountToken" if old != new => {
                found.edits.push(Edit::Automount);
                same(key, &Tree::Scalar("false".to_owned()), new)
            }
            _ => same(key, old, new),
        })
    }

    fn containers(&mut self, section: &str, before: &Tree, after: &Tree) -> Result<(), String> {
        if before.items().len() != after.items().len() {
            return same(section, before, after);
        }
        for (old, new) in before.items().iter().zip(after.items()) {
            let container = format!("{section}/{}", name(old));
            self.object(&container, old, new, &["env", "volumeMounts"], |found, key, old, new| match key {
                "env" => found.env(&container, old, new),
                "volumeMounts" => found.mounts(&container, old, new),
                _ => same(&format!("{container}/{key}"), old, new),
            })?;
        }
        if before.is_null() { same(section, before, after) } else { Ok(()) }
    }

    fn env(&mut self, container: &str, before: &Tree, after: &Tree) -> Result<(), String> {
        let path = format!("{container}/env");
        for entry in additions(&path, before, after)? {
            let (container, name) = (container.to_owned(), name(entry));
            let text = |of: &Tree, key: &str| of.get(key).map(Tree::text).unwrap_or_default();
            let Some(source) = entry.get("valueFrom") else {
                exactly(&path, entry, &["name", "value"])?;
                self.edits.push(Edit::Env(container, name, text(entry, "value")));
                continue;
            };
            exactly(&path, entry, &["name", "valueFrom"])?;
            exactly(&path, source, &["secretKeyRef"])?;
            let reference = source.get("secretKeyRef").unwrap_or(source);
            exactly(&path, reference, &["name", "key"])?;
            let (secret, key) = (text(reference, "name"), text(reference, "key"));
            self.edits.push(Edit::SecretEnv(container, name, secret, key));
        }
        Ok(())
    }

    fn mounts(&mut self, container: &str, before: &Tree, after: &Tree) -> Result<(), String> {
        let path = format!("{container}/volumeMounts");
        let kept = without_removed(before, after, |old, new| old == new);
        for (index, mount) in before.items().iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
            let volume = name(mount);
            if !self.injected.contains(&volume) {
                return Err(format!("{path}: element {index}, {mount}, is lost or changed"));
            }
            self.edits.push(Edit::Unmounted(container.to_owned(), volume));
        }
        let kept = Tree::List(kept.iter().filter_map(|index| before.items().get(*index)).cloned().collect());
        for mount in additions(&path, if before.is_null() { before } else { &kept }, after)? {
            exactly(&path, mount, &["name", "mountPath", "readOnly"])?;
            same(&path, &Tree::Scalar("true".to_owned()), mount.get("readOnly").unwrap_or(&null()))?;
            let at = mount.get("mountPath").map(Tree::text).unwrap_or_default();
            self.edits.push(Edit::Mount(container.to_owned(), name(mount), at));
        }
        Ok(())
    }

    fn volumes(&mut self, before: &Tree, after: &Tree) -> Result<(), String> {
        let kept = without_removed(before, after, |old, new| {
            let mut scratch = Self { edits: Vec::new(), injected: Vec::new(), gone: Vec::new() };
            scratch.volume(old, new).is_ok()
        });
        for (index, volume) in before.items().iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
            let volume_name = name(volume);
            if !self.injected.contains(&volume_name) {
                return Err(format!("spec/volumes: element {index}, {volume}, is lost or changed"));
            }
            self.gone.push(volume_name.clone());
            self.edits.push(Edit::VolumeGone(volume_name));
        }
        let mut new = after.items().iter();
        for index in &kept {
            let pair = before.items().get(*index).zip(new.next());
            pair.map_or(Ok(()), |(old, new)| self.volume(old, new))?;
        }
        for volume in new {
            self.edits.push(Edit::Volume(value(volume)));
        }
        if matches!(after, Tree::List(_)) { Ok(()) } else { same("spec/volumes", before, after) }
    }

    /// A volume that stays: the validity of its tokens may have been lowered.
    fn volume(&mut self, before: &Tree, after: &Tree) -> Result<(), String> {
        let volume = name(before);
        let path = format!("spec/volumes/{volume}");
        self.object(&path, before, after, &[], |found, key, old, new| {
            if key != "projected" {
                return same(&path, old, new);
            }
            found.object(&path, old, new, &[], |found, key, old, new| {
                if key != "sources" || old.items().len() != new.items().len() || old.items().is_empty() {
                    return same(&path, old, new);
                }
                let mut pairs = old.items().iter().zip(new.items());
                pairs.try_for_each(|(old, new)| found.source(&volume, old, new))
            })
        })
    }

    fn source(&mut self, volume: &str, before: &Tree, after: &Tree) -> Result<(), String> {
        self.object(volume, before, after, &[], |found, key, old, new| {
            if key != "serviceAccountToken" {
                return same(volume, old, new);
            }
            found.object(volume, old, new, &["expirationSeconds"], |found, key, old, new| {
                if key != "expirationSeconds" || old == new {
                    return same(volume, old, new);
                }
                // The API server takes 3600 where nothing is said.
                let seconds = |tree: &Tree| value(tree).as_i64().unwrap_or(3600);
                found.edits.push(Edit::Expiration(volume.to_owned(), seconds(new)));
                let lower = seconds(new) < seconds(old);
                if lower { Ok(()) } else { Err(format!("{volume}: the validity went from {old} to {new}")) }
            })
        })
    }
}

fn injected(pod: &Tree) -> Vec<String> {
    let volumes = pod.get("spec").and_then(|spec| spec.get("volumes")).map_or(&[][..], Tree::items);
    volumes.iter().filter(|volume| is_injected(&value(volume))).map(name).collect()
}

/// Which elements of `before` are still there: `after` begins with them, in their order.
fn without_removed(before: &Tree, after: &Tree, is_same: impl Fn(&Tree, &Tree) -> bool) -> Vec<usize> {
    let mut new = after.items().iter().peekable();
    let old = before.items().iter().enumerate();
    old.filter(|(_, old)| new.next_if(|new| is_same(old, new)).is_some()).map(|(index, _)| index).collect()
}

/// What `after` holds beyond `before`, which it must begin with.
fn additions<'t>(path: &str, before: &Tree, after: &'t Tree) -> Result<&'t [Tree], String> {
    if before == after {
        return Ok(&[]);
    }
    match (before, after) {
        (_, Tree::List(new)) if before.is_null() => Ok(new),
        (Tree::List(old), Tree::List(new)) if new.starts_with(old) => Ok(&new[old.len()..]),
        _ => Err(format!("{path}: {before} became {after}")),
    }
}

fn exactly(path: &str, entry: &Tree, keys: &[&str]) -> Result<(), String> {
    let Tree::Object(pairs) = entry else { return Err(format!("{path}: {entry} was added")) };
    let found: Vec<String> = pairs.iter().map(|(key, _)| Tree::Scalar(key.clone()).text()).collect();
    if found == keys { Ok(()) } else { Err(format!("{path}: {entry} was added")) }
}

fn same(path: &str, before: &Tree, after: &Tree) -> Result<(), String> {
    if before == after { Ok(()) } else { Err(format!("{path}: {before} became {after}")) }
}

fn name(tree: &Tree) -> String {
    tree.get("name").map(Tree::text).unwrap_or_default()
}

fn value(tree: &Tree) -> Value {
    serde_json::from_str(&tree.to_string()).unwrap_or_default()
}

fn null() -> Tree {
    Tree::Scalar("null".to_owned())
}
