//! Where a module's bytes and a call's instructions go, by function: of a module that names its functions.

use std::collections::BTreeMap;
use std::fmt;

use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::fuel::{FuelError, Meter};

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The bytes are no module.
    #[error("not a WebAssembly module: {0}")]
    Module(#[from] wasmparser::BinaryReaderError),
    /// A call could not be measured.
    #[error(transparent)]
    Fuel(#[from] FuelError),
}

/// Amounts by function, as its name is written.
#[derive(Debug, Default)]
pub struct Profile {
    by_function: BTreeMap<String, u64>,
}

impl Profile {
    /// The bytes of a module: of each function's code, of its data, and of the rest but for the names themselves.
    ///
    /// # Errors
    /// When the bytes are no module.
    pub fn of_bytes(module: &[u8]) -> Result<Self, ProfileError> {
        let mut profile = Self::default();
        let (mut imported, mut names, mut bodies) = (0_usize, BTreeMap::new(), Vec::new());
        let mut named = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        imported += usize::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(body.range().len() as u64),
                Payload::DataSection(data) => profile.add("constants and tables", data.range().len() as u64),
                Payload::CustomSection(section) => {
                    named += section.range().len() as u64;
                    if let KnownCustom::Name(sections) = section.as_known() {
                        for section in sections {
                            if let Name::Function(functions) = section? {
                                for function in functions {
                                    let function = function?;
                                    names.insert(function.index as usize, function.name.to_owned());
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        for (index, bytes) in bodies.into_iter().enumerate() {
            let index = imported + index;
            profile.add(names.get(&index).unwrap_or(&format!("function {index}")), bytes);
        }
        let rest = (module.len() as u64).saturating_sub(named + profile.total());
        profile.add("types, imports, headers", rest);
        Ok(profile)
    }

    /// The instructions of a call, from a sample every `step` of them. A sample falls where the engine looks at its fuel:
    /// at a function's entry and a loop's head. What lies before a function's entry is its caller's.
    ///
    /// # Errors
    /// When the call fails.
    pub fn of_call(meter: &Meter, payload: &[u8], step: u64) -> Result<Self, ProfileError> {
        let mut profile = Self::default();
        let all = meter.measure(payload)?.fuel;
        let mut before = Vec::new();
        for at in (0..all).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            let Some(stack) = meter.stack_at(payload, at)? else { break };
            // A function that was just entered has not run yet.
            let entered = stack.len() > before.len() && stack.ends_with(&before);
            let at = if entered { stack.len().saturating_sub(before.len()).min(1) } else { 0 };
            profile.add(stack.get(at).map_or("the host", String::as_str), step.min(all));
            before = stack;
        }
        Ok(profile)
    }

    fn add(&mut self, function: &str, amount: u64) {
        *self.by_function.entry(format!("{:#}", rustc_demangle::demangle(function))).or_default() += amount;
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_function.values().sum()
    }

    /// The functions, the greatest amount first.
    #[must_use]
    pub fn functions(&self) -> Vec<(&str, u64)> {
        sorted(self.by_function.iter().map(|(name, amount)| (name.as_str(), *amount)))
    }

    /// The same by crate, and within the policy by module, the greatest amount first.
    #[must_use]
    pub fn parts(&self) -> Vec<(&str, u64)> {
        let mut parts: BTreeMap<&str, u64> = BTreeMap::new();
        for (function, amount) in &self.by_function {
            *parts.entry(part_of(function)).or_default() += amount;
        }
        sorted(parts.into_iter())
    }
}

fn sorted<'p>(amounts: impl Iterator<Item = (&'p str, u64)>) -> Vec<(&'p str, u64)> {
    let mut list: Vec<(&str, u64)> = amounts.collect();
    list.sort_by_key(|(name, amount)| (std::cmp::Reverse(*amount), *name));
    list
}

/// The crate of a function, or the module of the policy: of a trait's method those of the type.
fn part_of(function: &str) -> &str {
    const POLICY: &str = "airflow_pod_identity::";
    let at = function.find(POLICY).map(|at| at + POLICY.len());
    if let Some(path) = at.and_then(|at| function.get(at..)) {
        let end = path.find("::").unwrap_or(path.len());
        return path.get(..end).unwrap_or(path);
    }
    let path = function.trim_start_matches(['<', '&', '[', '(', '*']);
    match path.split_once("::") {
        Some((first, _)) if !first.contains(' ') => first,
        _ if function.contains(' ') => function,
        _ => "wasi-libc",
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total().max(1);
        let percent = |amount: u64| amount as f64 * 100.0 / total as f64;
        for (name, amount) in self.parts() {
            writeln!(f, "{amount:>9} {:>5.1} %  {name}", percent(amount))?;
        }
        writeln!(f)?;
        for (name, amount) in self.functions().into_iter().take(40) {
            writeln!(f, "{amount:>9} {:>5.1} %  {name}", percent(amount))?;
        }
        Ok(())
    }
}
