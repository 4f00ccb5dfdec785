//! Finds the PEM in what an operator wrote: undoes what deployments do to it, and names what is not
//! a PEM.

use std::borrow::Cow;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use crate::keys::{KeyProblem, der};

const BEGIN: &str = "-----BEGIN ";

const BYTE_ORDER_MARK: &str = "\u{feff}";

const UTF_16_MARKS: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// The first byte of a key and of a certificate in DER: a SEQUENCE.
const DER_SEQUENCE: u8 = 0x30;

/// Returns the PEM that `written` holds.
///
/// It may be in base64 as a whole, as stores of secrets keep it, and its line breaks may be written
/// as `\n`, as in variables and in JSON: no PEM has a backslash.
///
/// # Errors
///
/// Returns what `written` is instead, and how to repair it.
pub(super) fn find_pem(written: &[u8]) -> Result<String, KeyProblem> {
    let text = String::from_utf8_lossy(written);
    if let Some(pem) = unescape(&text) {
        return Ok(pem);
    }

    let decoded = decode_base64(&text);
    let decoded_text = decoded.as_deref().map(String::from_utf8_lossy);
    decoded_text
        .and_then(|text| unescape(&text))
        .ok_or_else(|| KeyProblem::NotPem(describe(written, decoded.as_deref())))
}

/// Returns how many blocks a PEM has, also those that are cut off.
pub(super) fn count_blocks(pem: &str) -> usize {
    pem.matches(BEGIN).count()
}

/// Returns `None` if the text has no block.
fn unescape(text: &str) -> Option<String> {
    let has_block = text.contains(BEGIN);
    has_block.then(|| text.replace("\\r", "").replace("\\n", "\n"))
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = without_mark(text).split_ascii_whitespace().collect();
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .ok()
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Returns what is there instead of a PEM, and how to repair it. `decoded` is what it is in base64.
fn describe(written: &[u8], decoded: Option<&[u8]>) -> &'static str {
    let text: Cow<'_, str> = String::from_utf8_lossy(written);
    let text = without_mark(&text).trim();

    if text.is_empty() {
        ": it is empty"
    } else if UTF_16_MARKS.iter().any(|mark| written.starts_with(mark)) {
        ": it is UTF-16, save it as UTF-8"
    } else if text.starts_with(['{', '[']) {
        ": it is JSON, give a JWK Set to jwks or jwks_file"
    } else if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") {
        ": it is a key for SSH, convert it with `ssh-keygen -e -m PKCS8 -f key.pub`"
    } else if der::is_certificate(written) {
        ": it is DER, convert it with `openssl x509 -inform DER -in cert.der -out cert.pem`"
    } else if written.first() == Some(&DER_SEQUENCE) && !written.is_ascii() {
        ": it is DER, convert it with `openssl pkey -pubin -inform DER -in key.der -out key.pem`"
    } else if decoded.is_some_and(|der| der.first() == Some(&DER_SEQUENCE)) {
        ": it is the base64 of a key without the lines that begin and end a PEM, put them around it"
    } else if is_path(text) {
        ": it is the path of a file, give that to public_key_file"
    } else {
        ""
    }
}

fn is_path(text: &str) -> bool {
    const ENDINGS: [&str; 6] = [".pem", ".crt", ".cer", ".key", ".pub", ".der"];
    let name = text.to_ascii_lowercase();
    let is_one_word = !name.contains(|character: char| character.is_whitespace());
    is_one_word && ENDINGS.iter().any(|ending| name.ends_with(ending))
}
