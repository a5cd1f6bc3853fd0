//! Who may do what: the answer to `can_i`, by the rules of RBAC.

use serde::Deserialize;
use serde_json::{Value, json};

/// One grant of a fixture. What no grant covers is denied.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    /// The user who has it; either this or `group` is given.
    pub user: Option<String>,
    /// The group whose members have it.
    pub group: Option<String>,
    /// The namespace where it holds; absent: everywhere.
    pub namespace: Option<String>,
    /// Verbs, or `*`.
    pub verbs: Vec<String>,
    /// The resources' API group, or `*`; absent: the core group.
    #[serde(default)]
    pub api_group: String,
    /// Resources as RBAC names them: `pods`, `pods/log`, `*`, `*/log`.
    pub resources: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CanI {
    subject_access_review: Review,
    #[serde(rename = "disable_cache")]
    _disable_cache: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    user: String,
    groups: Option<Vec<String>>,
    resource_attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    group: Option<String>,
    #[serde(rename = "name")]
    _name: Option<String>,
    namespace: Option<String>,
    resource: String,
    subresource: Option<String>,
    verb: String,
    #[serde(rename = "version")]
    _version: Option<String>,
}

/// Answers a `can_i` call from a list of grants.
pub(super) fn can_i(grants: &[Access], payload: &[u8]) -> Result<Value, String> {
    let question: CanI =
        serde_json::from_slice(payload).map_err(|error| format!("can_i: the request can't be read: {error}"))?;
    let review = question.subject_access_review;
    let allowed = grants.iter().any(|grant| {
        grant.is_held_by(&review.user, review.groups.as_deref().unwrap_or_default())
            && grant.covers(&review.resource_attributes)
    });
    Ok(json!({ "allowed": allowed }))
}

impl Access {
    fn is_held_by(&self, user: &str, groups: &[String]) -> bool {
        self.user.as_deref() == Some(user) || self.group.as_ref().is_some_and(|group| groups.contains(group))
    }

    fn covers(&self, wanted: &Attributes) -> bool {
        let listed = |list: &[String], name: &str| list.iter().any(|item| item == "*" || item == name);
        let group = wanted.group.as_deref().unwrap_or_default();
        let namespace = wanted.namespace.as_deref().unwrap_or_default();
        let resource = match wanted.subresource.as_deref() {
            None | Some("") => listed(&self.resources, &wanted.resource),
            Some(sub) => {
                listed(&self.resources, &format!("{}/{sub}", wanted.resource))
                    || self.resources.iter().any(|item| item.strip_prefix("*/") == Some(sub))
            }
        };
        resource
            && listed(&self.verbs, &wanted.verb)
            && (self.api_group == "*" || self.api_group == group)
            && self.namespace.as_deref().is_none_or(|only| only == namespace)
    }
}
