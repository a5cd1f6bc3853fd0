//! Rule `pod-operator`: a KubernetesPodOperator's or KubernetesJobOperator's pod names its ServiceAccount.
//!
//! The one called `default` has no rights, and the task meets a 403 when it calls the API. Nothing is set for the user:
//! another ServiceAccount would hand its cloud role to the task.

use super::Rule;
use crate::finding::{Finding, Place, Problem};
use crate::plan::Demands;
use crate::pod::Outline;
use crate::settings::PodOperator;
use crate::who::OPERATOR_LABEL;

/// What the rule demands of a pod or a template.
pub fn demand<'a>(pod: &Outline<'a>, settings: &PodOperator, demands: &mut Demands<'a>) {
    let concerned = settings.deny_default && pod.metadata.label(OPERATOR_LABEL).is_some() && pod.spec.present;
    if concerned && pod.service_account() == "default" {
        let place = Place::Spec("serviceAccountName");
        demands.findings.push(Finding { rule: Rule::PodOperator, place, problem: Problem::DefaultAccount });
    }
}
