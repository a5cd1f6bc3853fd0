use serde_json::Value;

/// A test that runs natively and in Node.
macro_rules! table_test {
    ($name:ident, $body:block) => {
        #[cfg_attr(not(all(target_arch = "wasm32", not(target_os = "wasi"))), test)]
        #[cfg_attr(all(target_arch = "wasm32", not(target_os = "wasi")), wasm_bindgen_test::wasm_bindgen_test)]
        fn $name() $body
    };
}
pub(crate) use table_test;

/// The rows of a table, which must have some.
#[track_caller]
pub fn rows(table: &str) -> Vec<Value> {
    let rows: Vec<Value> = serde_json::from_str(table).unwrap();
    assert!(!rows.is_empty());
    rows
}

/// A row's text.
#[track_caller]
pub fn text<'r>(row: &'r Value, key: &str) -> &'r str {
    row[key].as_str().unwrap_or_else(|| panic!("`{key}` is no text in {row}"))
}
