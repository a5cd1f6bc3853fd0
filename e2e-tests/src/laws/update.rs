//! Law 6: what holds for updates, whatever the findings.

use serde_json::Value;

use super::{Court, Trial, Violation, rule, told};

impl Court<'_> {
    /// Makes updates of a trial, and holds them against law 6.
    pub(super) fn updates(&mut self, trial: &Trial) -> Result<(), Violation> {
        self.unchanged(trial)?;
        let Ok(object) = serde_json::from_str::<Value>(&trial.object) else { return Ok(()) };
        if !object["metadata"].is_object() {
            return Ok(());
        }
        let mut deleted = object.clone();
        deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        for mode in ["mutate", "validate"] {
            let verdict = self.answer(&update(trial, &trial.object, &deleted.to_string()), mode)?;
            let untouched = verdict.raw == br#"{"accepted":true}"#;
            rule(6, untouched, || format!("{mode} touches a pod that is being deleted: {}", told(&verdict)))?;
        }
        if trial.request["kind"]["kind"] != "Pod" {
            return Ok(());
        }
        let mut mirror = object;
        if mirror["metadata"]["annotations"].is_object() || mirror["metadata"]["annotations"].is_null() {
            mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "6f1b".into();
            let verdict = self.answer(&trial.with_object(mirror.to_string()), "mutate")?;
            let changed = verdict.mutated_object.is_some();
            rule(6, !changed, || format!("a mirror pod is changed: {}", told(&verdict)))?;
        }
        Ok(())
    }

    /// An update that changes nothing passes, unless an ephemeral container has a finding.
    fn unchanged(&mut self, trial: &Trial) -> Result<(), Violation> {
        for mode in ["mutate", "validate"] {
            let verdict = self.answer(&update(trial, &trial.object, &trial.object), mode)?;
            let message = verdict.message.as_deref().unwrap_or_default();
            // One line for each finding, and one on who the pod is.
            let findings: Vec<&str> = match message.lines().filter(|line| line.starts_with("- ")).collect::<Vec<_>>() {
                many if many.is_empty() => message.lines().take(1).collect(),
                many => many,
            };
            let excused = findings.iter().all(|line| line.contains("(ephemeral container `"));
            let holds = verdict.accepted || (excused && !findings.is_empty());
            rule(6, holds, || format!("{mode} denies an update that changes nothing: {}", told(&verdict)))?;
        }
        Ok(())
    }
}

fn update(trial: &Trial, object: &str, old: &str) -> Trial {
    let mut update = Trial { object: object.to_owned(), old: Some(old.to_owned()), ..trial.clone() };
    update.request["operation"] = "UPDATE".into();
    update
}
