//! Rule `service-accounts`: a ServiceAccount says whether the API server mounts its token into pods, and what it says is
//! what the operator wants.

use super::Rule;
use crate::finding::{Finding, Place, Problem};
use crate::plan::{Demands, Repair};
use crate::pod::Outline;
use crate::requirement::Requirement;
use crate::settings::ServiceAccounts;

/// What messages call it.
const ORIGIN: &str = "`serviceAccounts.automountServiceAccountToken`";

/// What the rule demands of a ServiceAccount.
pub fn demand<'a>(account: &Outline<'a>, settings: &ServiceAccounts<'_>, demands: &mut Demands<'a>) {
    let Some(wanted) = settings.automount.0.filter(|_| settings.matches.concerns(&account.metadata)) else { return };
    // The API server mounts the token where nothing is said.
    if account.automount().unwrap_or(true) == wanted {
        return;
    }
    let place = Place::Field("automountServiceAccountToken");
    let problem = Problem::AccountAutomount(account.automount(), wanted);
    let finding = Finding { rule: Rule::ServiceAccounts, place, problem };
    if settings.repair {
        let requirements = vec![Requirement::Automount(wanted)];
        demands.repairs.push(Repair { finding, origin: ORIGIN.to_owned(), requirements });
    } else {
        demands.findings.push(finding);
    }
}
