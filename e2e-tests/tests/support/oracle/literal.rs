//! Tokens that are written out.

/// Whether a text holds the JWT of a Kubernetes ServiceAccount: three parts, the second of which says so.
pub fn holds_token(text: &str) -> bool {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter))).any(|word| {
        let parts: Vec<&str> = word.split('.').collect();
        let payload = parts.get(1).and_then(|part| decode(part)).unwrap_or_default();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
        let subject = claims["sub"].as_str().unwrap_or_default();
        parts.len() == 3 && subject.starts_with("system:serviceaccount:")
    })
}

/// Base64 of URLs, without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = String::new();
    for letter in text.chars() {
        bits.push_str(&format!("{:06b}", LETTERS.find(letter)?));
    }
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).ok()?, 2).ok()).collect()
}
