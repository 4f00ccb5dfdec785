//! The `Authorization` header, which the bearer scheme shares with others.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Whether a value without the scheme `Bearer` was still meant as a token: it is a misspelled `Bearer`, or something
/// in it looks like a JWT, in plain sight or in base64 (the form of `Basic` credentials).
///
/// Such a client must not become a guest. Other credentials can be for somebody else, such as a proxy.
pub(super) fn hides_token(value: &str) -> bool {
    let decodes_to_token = |word: &str| {
        let word = word.trim_end_matches('=').replace('-', "+").replace('_', "/");
        STANDARD_NO_PAD.decode(word).is_ok_and(|bytes| contains_jwt(&String::from_utf8_lossy(&bytes)))
    };
    is_misspelled_bearer(value) || contains_jwt(value) || value.split([' ', '\t', ',']).any(decodes_to_token)
}

/// `Bearer:`, `Bearer=`, or `Bearer` and a tab; but not another scheme whose name begins so.
fn is_misspelled_bearer(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_at_checked("bearer".len()) else { return false };
    let other_scheme = |next: char| next.is_ascii_alphanumeric() || next == '-';
    scheme.eq_ignore_ascii_case("bearer") && rest.chars().next().is_some_and(|next| !other_scheme(next))
}

/// Whether something in a text looks like a JWT: three segments separated by dots, of which the first is the beginning
/// of a JSON object in base64url (`eyJ…`, mostly).
///
/// Two dots are asked for because the credentials of other schemes hold base64 too, but without them.
pub(crate) fn contains_jwt(text: &str) -> bool {
    let is_token_character = |character: char| character.is_ascii_alphanumeric() || "-_=.".contains(character);
    text.split(|character| !is_token_character(character)).any(|word| {
        let before_two_dots = word.rsplitn(3, '.').nth(2).unwrap_or_default();
        before_two_dots.as_bytes().windows(8).any(begins_object)
    })
}

/// Whether eight characters of base64url are the beginning of a JSON object that has a member, as
/// [RFC 7519 §7.2](https://www.rfc-editor.org/rfc/rfc7519#section-7.2) asks of a header.
fn begins_object(characters: &[u8]) -> bool {
    let mut bytes = [0; 6];
    URL_SAFE_NO_PAD.decode_slice(characters, &mut bytes).is_ok()
        && matches!(bytes.trim_ascii_start(), [b'{', b'"' | b' ' | b'\t' | b'\r' | b'\n', ..])
}
