//! The section `nodeAccess`.

use super::Action;
use super::read::{section, text};
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

text! {
    /// A path of the node.
    HostPath, "an absolute path without `..`, empty steps or a slash at its end, and not the root", is_mount_path
}
