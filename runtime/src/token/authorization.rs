//! Tokens in an `Authorization` header of another scheme than that of the source.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Whether a value of another scheme seems to be meant as a token: it begins with a misspelled form
/// of this scheme, or it contains what looks like a JWT, as it is or in base64 (the form of `Basic`
/// credentials).
///
/// Its client must not become a guest. Other credentials count as absent, because they can be for a
/// proxy.
pub(super) fn hides_token(value: &str, scheme: &str) -> bool {
    let decodes_to_token = |word: &str| {
        let word = word
            .trim_end_matches('=')
            .replace('-', "+")
            .replace('_', "/");
        STANDARD_NO_PAD
            .decode(word)
            .is_ok_and(|bytes| contains_jwt(&String::from_utf8_lossy(&bytes)))
    };

    is_misspelled(value, scheme)
        || contains_jwt(value)
        || value.split([' ', '\t', ',']).any(decodes_to_token)
}

/// Whether a value begins with the scheme and something else than a space, such as `Bearer:`,
/// `Bearer=` or a tab, unless the scheme is only the beginning of another scheme's name.
fn is_misspelled(value: &str, scheme: &str) -> bool {
    let Some((found, rest)) = value.split_at_checked(scheme.len()) else {
        return false;
    };
    let other_scheme = |next: char| next.is_ascii_alphanumeric() || next == '-';
    found.eq_ignore_ascii_case(scheme)
        && rest.chars().next().is_some_and(|next| !other_scheme(next))
}

/// Whether a string contains what looks like a JWT: three segments separated by dots, of which the
/// first is the beginning of a JSON object in base64url (usually `eyJ…`).
///
/// The two dots are required because credentials of other schemes are base64 too, but without dots.
pub(crate) fn contains_jwt(text: &str) -> bool {
    let is_token_character =
        |character: char| character.is_ascii_alphanumeric() || "-_=.".contains(character);
    text.split(|character| !is_token_character(character))
        .any(|word| {
            let before_two_dots = word.rsplitn(3, '.').nth(2).unwrap_or_default();
            before_two_dots.as_bytes().windows(8).any(begins_object)
        })
}

/// Whether eight characters of base64url are the beginning of a JSON object that has a member, as
/// [RFC 7519 §7.2](https://www.rfc-editor.org/rfc/rfc7519#section-7.2) requires of a header.
pub(super) fn begins_object(characters: &[u8]) -> bool {
    let mut bytes = [0; 6];
    URL_SAFE_NO_PAD.decode_slice(characters, &mut bytes).is_ok()
        && matches!(
            bytes.trim_ascii_start(),
            [b'{', b'"' | b' ' | b'\t' | b'\r' | b'\n', ..]
        )
}
