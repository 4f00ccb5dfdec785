//! Segments that a lenient decoder would take: then one token would have many spellings, and a
//! filter or a list of revoked tokens in front of this server could be passed by.

use crate::{
    support::split,
    target::{Attack, Attacks, CLAIMS, Target, exchange},
};

const PLACES: [&str; 3] = ["header", "payload", "signature"];

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    for place in 0..PLACES.len() {
        foreign_characters(&mut attacks, place);
        lengths(&mut attacks, place);
    }
    alphabets(&mut attacks);
    trailing_bits(&mut attacks);
    attacks.list
}

fn foreign_characters(attacks: &mut Attacks<'_>, place: usize) {
    let valid = attacks.target.valid();
    let segment = split(&valid)[place];
    let (first, rest) = segment.split_at(4);
    for (name, text) in [
        ("=", "="),
        ("==", "=="),
        ("====", "===="),
        ("a space", " "),
        ("a tab", "\t"),
        ("a line feed", "\n"),
        ("CRLF", "\r\n"),
        ("a zero byte", "\0"),
        ("a vertical tab", "\u{b}"),
        ("a no-break space", "\u{a0}"),
        ("a zero-width space", "\u{200b}"),
        ("a full-width A", "Ａ"),
        ("a percent sign", "%41"),
        ("a comma", ","),
        ("a quote", "\""),
        ("a tilde", "~"),
    ] {
        let place_name = PLACES[place];
        attacks.malformed(
            format!("{name} after the {place_name}"),
            exchange(&valid, place, &format!("{segment}{text}")),
        );
        attacks.malformed(
            format!("{name} before the {place_name}"),
            exchange(&valid, place, &format!("{text}{segment}")),
        );
        attacks.malformed(
            format!("{name} in the {place_name}"),
            exchange(&valid, place, &format!("{first}{text}{rest}")),
        );
    }
}

/// A group of four characters that has only one left holds no byte.
fn lengths(attacks: &mut Attacks<'_>, place: usize) {
    let valid = attacks.target.valid();
    let segment = split(&valid)[place];
    let whole = segment.len() / 4 * 4;
    attacks.malformed(
        format!("one character over in the {}", PLACES[place]),
        exchange(&valid, place, &format!("{}A", &segment[..whole])),
    );
    attacks.malformed(
        format!("one character as the {}", PLACES[place]),
        exchange(&valid, place, "A"),
    );
}

/// `+` and `/` of the other alphabet, and its padding.
fn alphabets(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    // `>>>` and `???` become `-` and `_`, which the other alphabet writes as `+` and `/`.
    let header = target.header_with(r#""x":">>>???>>>~~~""#);
    let payload = CLAIMS.replace(r#""sub":"1""#, r#""sub":">>>???>>>~~~""#);
    let valid = target.signer.sign(&header, &payload);
    let segments = split(&valid);
    for place in 0..2 {
        let other = segments[place].replace('-', "+").replace('_', "/");
        assert_ne!(other, segments[place]);
        attacks.malformed(
            format!("alphabet of plain base64 in the {}", PLACES[place]),
            exchange(&valid, place, &other),
        );
    }
    let signed = target.signer.sign_message(&format!(
        "{}.{}",
        segments[0].replace('-', "+").replace('_', "/"),
        segments[1].replace('-', "+").replace('_', "/")
    ));
    attacks.malformed("alphabet of plain base64, signed so", signed);
    let message = valid.rsplit_once('.').unwrap().0;
    let padded: Vec<_> = message
        .split('.')
        .map(|segment| format!("{segment:=<width$}", width = segment.len().div_ceil(4) * 4))
        .collect();
    if padded.join(".") != message {
        attacks.malformed(
            "padding, signed so",
            target.signer.sign_message(&padded.join(".")),
        );
    }
    let spaced = format!("{}\n.{}", segments[0], segments[1]);
    attacks.malformed(
        "an end of line, signed so",
        target.signer.sign_message(&spaced),
    );
}

/// The last character holds bits that belong to no byte, and they must be zero.
fn trailing_bits(attacks: &mut Attacks<'_>) {
    let target = attacks.target;
    for (place, name) in PLACES.into_iter().enumerate() {
        for spaces in 0..3 {
            let header = format!("{}{}", target.header(), " ".repeat(spaces));
            let payload = format!("{CLAIMS}{}", " ".repeat(spaces));
            let valid = target.signer.sign(header, payload);
            let segments = split(&valid);
            let spare = match segments[place].len() % 4 {
                2 => 4,
                3 => 2,
                _ => continue,
            };
            for bits in 1..1 << spare {
                let segment = with_trailing_bits(segments[place], bits);
                let token = exchange(&valid, place, &segment);
                attacks.malformed(format!("{name}, trailing bits {bits:0spare$b}"), token);
                if place < 2 {
                    let message = exchange(&valid, place, &segment);
                    let token = target
                        .signer
                        .sign_message(message.rsplit_once('.').unwrap().0);
                    attacks.malformed(
                        format!("{name}, trailing bits {bits:0spare$b}, signed so"),
                        token,
                    );
                }
            }
            if place == 2 {
                break;
            }
        }
    }
}

fn with_trailing_bits(segment: &str, bits: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = segment.as_bytes().to_vec();
    let last = bytes.last_mut().unwrap();
    let value = ALPHABET
        .iter()
        .position(|character| character == last)
        .unwrap();
    *last = ALPHABET[value | bits];
    String::from_utf8(bytes).unwrap()
}
