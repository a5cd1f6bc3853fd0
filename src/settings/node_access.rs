//! The section `nodeAccess`.

use super::Action;
use super::problems::{At, Problems};
use super::read::{Setting, checked, section};
use crate::json::{Reader, Result, Text};
use crate::names::is_mount_path;

section! {
    /// Rule `node-access`.
    pub struct NodeAccess<'a> {
        /// The rule's action; `Audit` when absent.
        "failureAction" failure_action: Option<Action> = None;
        /// Paths of the node that pods may mount, and what lies below them.
        "allowedHostPaths" allowed_host_paths: Vec<HostPath<'a>> = Vec::new();
    }
}

/// A path of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPath<'a>(pub Text<'a>);

impl<'a> Setting<'a> for HostPath<'a> {
    fn read(reader: &mut Reader<'a>, at: At<'_>, problems: &mut Problems) -> Result<Option<Self>> {
        let expected = "an absolute path without `..`, empty steps or a slash at its end, and not the root";
        Ok(checked(reader, at, problems, expected, is_mount_path)?.map(Self))
    }
}
