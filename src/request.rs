//! The AdmissionRequest: who asks for what to be done to which object.

use crate::json::{Raw, Reader, Result, Text, Unreadable, fields};
use crate::pod::{Carrier, Outline};
use crate::settings::Settings;
use crate::settings::pattern::{matches, service_account};
use crate::settings::problems::Problems;

/// What the host sends to `validate`: the request and the settings.
#[derive(Debug)]
pub struct Payload<'a> {
    /// The AdmissionRequest.
    pub request: Request<'a>,
    /// The settings.
    pub settings: Settings<'a>,
    /// What is wrong with them.
    pub problems: Problems,
}

/// The parts of an AdmissionRequest that the policy reads.
#[derive(Debug)]
pub struct Request<'a> {
    /// API group of the object's kind; empty for the core group.
    pub group: Text<'a>,
    /// API version of the object's kind.
    pub version: Text<'a>,
    /// The object's kind.
    pub kind: Text<'a>,
    /// The subresource that is written; empty for the object itself.
    pub sub_resource: Text<'a>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operation: Text<'a>,
    /// The namespace, which counts even where the object names another.
    pub namespace: Text<'a>,
    /// Who asks.
    pub requester: Requester<'a>,
    /// The object as it would be stored.
    pub object: Result<Option<Object<'a>>>,
    /// The object as it is stored.
    pub old_object: Result<Option<Object<'a>>>,
}

/// An object that a rule may concern.
#[derive(Debug)]
pub enum Object<'a> {
    /// A Pod, or an object that carries a pod template.
    Pod(Box<Outline<'a>>),
    /// A ServiceAccount.
    Account(Box<Outline<'a>>),
    /// Any other: what it says that it is.
    Other(Identity<'a>),
}

/// `apiVersion` and `kind` of an object.
pub type Identity<'a> = (Option<Text<'a>>, Option<Text<'a>>);

impl Request<'_> {
    /// Whether the operation puts an object into the cluster or changes one; the others pass.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(&*self.operation, "DELETE" | "CONNECT")
    }

    /// Whether a rule may concern what is written: the object, or a Pod's ephemeral containers.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.sub_resource.is_empty() || self.kind == "Pod" && self.sub_resource == "ephemeralcontainers"
    }

    /// Whether the object is a ServiceAccount, of those that rules concern.
    #[must_use]
    pub fn is_account(&self) -> bool {
        self.kind == "ServiceAccount"
    }

    /// Whether a stored object is changed.
    #[must_use]
    pub fn is_update(&self) -> bool {
        self.operation == "UPDATE"
    }
}

type Gvk<'a> = (Text<'a>, Text<'a>, Text<'a>);

/// An object, read at once when its kind is known by then (as it is in what policy-server sends), else later.
enum Held<'a> {
    Read(Result<Option<Object<'a>>>),
    Unread(Raw<'a>),
}

impl<'a> Held<'a> {
    fn read(reader: &mut Reader<'a>, gvk: Option<&Gvk<'a>>) -> Result<Self> {
        let Some(gvk) = gvk else { return Ok(Self::Unread(reader.skip()?)) };
        let mut ahead = reader.clone();
        let object = Object::read(&mut ahead, gvk);
        // An object that can't be read is still passed over: on DELETE nobody asks for it.
        if object.is_ok() {
            *reader = ahead;
        } else {
            reader.skip()?;
        }
        Ok(Self::Read(object))
    }

    fn object(self, text: &'a str, gvk: &Gvk<'a>) -> Result<Option<Object<'a>>> {
        match self {
            Self::Read(object) => object,
            Self::Unread(raw) => Object::read(&mut Reader::at(text, raw.at), gvk),
        }
    }
}

impl<'a> Object<'a> {
    fn read(reader: &mut Reader<'a>, (group, version, kind): &Gvk<'a>) -> Result<Option<Self>> {
        if reader.null()? {
            return Ok(None);
        }
        if group.is_empty() && version == "v1" && kind == "Pod" {
            return Outline::read(reader).map(|pod| Some(Self::Pod(Box::new(pod))));
        }
        if group.is_empty() && version == "v1" && kind == "ServiceAccount" {
            return Outline::read_account(reader).map(|account| Some(Self::Account(Box::new(account))));
        }
        if let Some(carrier) = Carrier::of(group, version, kind) {
            return Outline::read_template(reader, carrier).map(|pod| Some(Self::Pod(Box::new(pod))));
        }
        fields!(reader, "request.object" => _, {
            version: "apiVersion" => reader.string("request.object.apiVersion")?,
            kind: "kind" => reader.string("request.object.kind")?,
        });
        Ok(Some(Self::Other((version, kind))))
    }

    /// `apiVersion` and `kind`, as far as they are told.
    #[must_use]
    pub fn identity(&self) -> (Option<&str>, Option<&str>) {
        let (version, kind) = match self {
            Self::Pod(object) | Self::Account(object) => (&object.api_version, &object.kind),
            Self::Other((version, kind)) => (version, kind),
        };
        (version.as_deref(), kind.as_deref())
    }
}

/// Who makes a request.
#[derive(Debug, Default)]
pub struct Requester<'a> {
    /// The username; empty in audit scans.
    pub username: Text<'a>,
    /// The groups.
    pub groups: Vec<Text<'a>>,
    /// Conditions on who makes the pod are not judged: this is not the one who does, or did.
    pub exempt: bool,
}

impl<'a> Requester<'a> {
    /// The same requester as the one who makes what is judged.
    #[must_use]
    pub fn as_maker(&self) -> Self {
        Self { username: self.username.clone(), groups: self.groups.clone(), exempt: false }
    }

    /// Whether conditions on the requester can be judged; else they count as met.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        !self.exempt && !self.is_missing()
    }

    /// Whether the request names no user, as those of the audit scanner.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.username.is_empty()
    }

    /// Whether a pattern of usernames, or of groups after `group:`, matches.
    #[must_use]
    pub fn matches(&self, pattern: &str) -> bool {
        match pattern.strip_prefix("group:") {
            Some(group) => self.groups.iter().any(|name| matches(group, name)),
            None => matches(pattern, &self.username),
        }
    }

    /// Whether it is one of kube-system's controllers that make pods of templates.
    #[must_use]
    pub fn is_workload_controller(&self) -> bool {
        match service_account(&self.username) {
            Some(("kube-system", name)) => matches!(
                name,
                "replicaset-controller"
                    | "statefulset-controller"
                    | "daemon-set-controller"
                    | "job-controller"
                    | "cronjob-controller"
                    | "replication-controller"
            ),
            _ => self.username == "system:kube-controller-manager",
        }
    }
}

impl<'a> Payload<'a> {
    /// Reads what the host sent.
    ///
    /// # Errors
    /// When it is not JSON, or has no request.
    pub fn read(text: &'a str) -> Result<Self> {
        let reader = &mut Reader::new(text);
        let mut problems = Problems::default();
        fields!(reader, "payload" => _, {
            request: "request" => Request::read(reader)?,
            settings: "settings" => Settings::read(reader, &mut problems)?,
        });
        reader.end()?;
        match request {
            Some(request) => Ok(Self { request, settings, problems }),
            None => Err(Box::new(Unreadable::Shape { field: "request", expected: "an AdmissionRequest" })),
        }
    }
}

impl<'a> Request<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Option<Self>> {
        if reader.null()? {
            return Ok(None);
        }
        fields!(reader, "request" => _, {
            kind: "kind" => Some(gvk(reader)?),
            sub_resource: "subResource" => reader.string("request.subResource")?,
            operation: "operation" => reader.string("request.operation")?,
            namespace: "namespace" => reader.string("request.namespace")?,
            requester: "userInfo" => user_info(reader)?,
            object: "object" => Some(Held::read(reader, kind.as_ref())?),
            old_object: "oldObject" => Some(Held::read(reader, kind.as_ref())?),
        });
        let Some(kind) = kind else {
            return Err(Box::new(Unreadable::Shape { field: "request.kind", expected: "a group, version and kind" }));
        };
        let read = |held: Option<Held<'a>>| held.map_or(Ok(None), |held| held.object(reader.text(), &kind));
        let (object, old_object) = (read(object), read(old_object));
        let (group, version, kind) = kind;
        Ok(Some(Self {
            group,
            version,
            kind,
            sub_resource: sub_resource.unwrap_or_default(),
            operation: operation.unwrap_or_default(),
            namespace: namespace.unwrap_or_default(),
            requester,
            object,
            old_object,
        }))
    }
}

fn gvk<'a>(reader: &mut Reader<'a>) -> Result<Gvk<'a>> {
    fields!(reader, "request.kind" => _, {
        group: "group" => reader.string("request.kind.group")?,
        version: "version" => reader.string("request.kind.version")?,
        kind: "kind" => reader.string("request.kind.kind")?,
    });
    Ok((group.unwrap_or_default(), version.unwrap_or_default(), kind.unwrap_or_default()))
}

fn user_info<'a>(reader: &mut Reader<'a>) -> Result<Requester<'a>> {
    if reader.null()? {
        return Ok(Requester::default());
    }
    fields!(reader, "request.userInfo" => _, {
        username: "username" => reader.string("request.userInfo.username")?,
        groups: "groups" => read_groups(reader)?,
    });
    Ok(Requester { username: username.unwrap_or_default(), groups, exempt: false })
}

fn read_groups<'a>(reader: &mut Reader<'a>) -> Result<Vec<Text<'a>>> {
    let mut groups = Vec::new();
    if reader.null()? {
        return Ok(groups);
    }
    let mut elements = reader.list("request.userInfo.groups")?;
    while reader.element(&mut elements)?.is_some() {
        groups.extend(reader.string("request.userInfo.groups")?);
    }
    Ok(groups)
}
