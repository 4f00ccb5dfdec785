//! Public keys in DER: takes the key out of what is around it, and writes an RSA key.
//!
//! Only one encoding of a key is accepted, as DER demands ([X.690
//! §10](https://www.itu.int/rec/T-REC-X.690)): the shortest lengths and numbers, and not one byte
//! more. The backends check the key itself; aws-lc-rs would take one with more bytes behind it.

#[cfg(test)]
mod tests;

use const_oid::ObjectIdentifier;

use super::KeyProblem;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The tag of a certificate's version, `[0]`.
const VERSION: u8 = 0xa0;

/// A `SubjectPublicKeyInfo` ([RFC 5280
/// §4.1.2.7](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7)).
#[derive(Debug)]
pub(super) struct KeyInfo<'a> {
    pub(super) algorithm: ObjectIdentifier,
    pub(super) parameters: Parameters,
    pub(super) key: &'a [u8],
}

/// The parameters of an algorithm.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parameters {
    Absent,
    Null,
    /// The name of a curve.
    Identifier(ObjectIdentifier),
    Other,
}

impl<'a> KeyInfo<'a> {
    /// # Errors
    ///
    /// The bytes are not a `SubjectPublicKeyInfo` and nothing else.
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, KeyProblem> {
        let broken = || KeyProblem::BrokenBlock("PUBLIC KEY".to_owned());
        let (algorithm, parameters, bits) = Self::split(der).ok_or_else(broken)?;

        // The first byte counts the bits that are not used, and keys are whole bytes.
        match bits.split_first().ok_or_else(broken)? {
            (0, key) => Ok(Self {
                algorithm,
                parameters,
                key,
            }),
            _ => Err(KeyProblem::BrokenBitString),
        }
    }

    fn split(der: &'a [u8]) -> Option<(ObjectIdentifier, Parameters, &'a [u8])> {
        let (identifier, bits) = first(only(der, SEQUENCE)?, SEQUENCE)?;
        let (algorithm, parameters) = first(identifier, OBJECT_IDENTIFIER)?;
        Some((
            parse_identifier(algorithm)?,
            Parameters::parse(parameters)?,
            only(bits, BIT_STRING)?,
        ))
    }
}

impl Parameters {
    fn parse(der: &[u8]) -> Option<Self> {
        let Some(tag) = der.first() else {
            return Some(Self::Absent);
        };
        let value = only(der, *tag)?;

        match *tag {
            NULL => value.is_empty().then_some(Self::Null),
            OBJECT_IDENTIFIER => parse_identifier(value).map(Self::Identifier),
            _ => Some(Self::Other),
        }
    }
}

/// An `RSAPublicKey` ([RFC 8017
/// §A.1.1](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.1)): two numbers without leading
/// zeros.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RsaKey<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) exponent: &'a [u8],
}

impl<'a> RsaKey<'a> {
    /// Makes a key of numbers that may have leading zeros.
    pub(super) fn new(modulus: &'a [u8], exponent: &'a [u8]) -> Self {
        Self {
            modulus: without_zeros(modulus),
            exponent: without_zeros(exponent),
        }
    }

    /// Returns `None` if the bytes are not an `RSAPublicKey` and nothing else.
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        let (modulus, exponent) = first(only(der, SEQUENCE)?, INTEGER)?;
        Some(Self {
            modulus: parse_number(modulus)?,
            exponent: parse_number(only(exponent, INTEGER)?)?,
        })
    }

    /// Returns `None` if the key is too long for a length of two bytes.
    pub(super) fn to_der(&self) -> Option<Vec<u8>> {
        let numbers = [write_number(self.modulus)?, write_number(self.exponent)?];
        write(SEQUENCE, &numbers.concat())
    }
}

/// Returns whether the bytes begin as a certificate does, and no key: with a version, or, in the
/// oldest version, with a serial number.
pub(super) fn is_certificate(der: &[u8]) -> bool {
    let content = only(der, SEQUENCE).and_then(|content| first(content, SEQUENCE));
    content.is_some_and(|(signed, _)| matches!(signed.first(), Some(&(VERSION | INTEGER))))
}

/// Returns the value of an element, if there is nothing behind it.
fn only(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (value, rest) = first(der, tag)?;
    rest.is_empty().then_some(value)
}

/// Returns the value of the first element, and what follows it. Returns `None` for an element of
/// another tag, for one that is cut off or has 64 KiB or more, and for a length in a form that DER
/// forbids ([X.690 §10.1](https://www.itu.int/rec/T-REC-X.690)).
fn first(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [short @ ..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x81, long @ 0x80..=0xff, rest @ ..] => (usize::from(*long), rest),
        [0x82, high @ 1..=0xff, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn write(tag: u8, value: &[u8]) -> Option<Vec<u8>> {
    let length = match u16::try_from(value.len()).ok()?.to_be_bytes() {
        [0, short @ ..=0x7f] => vec![short],
        [0, long] => vec![0x81, long],
        [high, low] => vec![0x82, high, low],
    };
    Some([&[tag], length.as_slice(), value].concat())
}

fn parse_identifier(value: &[u8]) -> Option<ObjectIdentifier> {
    // `from_bytes` asserts that there are bytes.
    let value = (!value.is_empty()).then_some(value)?;
    ObjectIdentifier::from_bytes(value).ok()
}

/// Returns the digits of a number, which is not negative and has no needless zero at its beginning
/// ([X.690 §8.3.2](https://www.itu.int/rec/T-REC-X.690)).
fn parse_number(value: &[u8]) -> Option<&[u8]> {
    match value {
        [] | [0x80..=0xff, ..] => None,
        [0, digits @ ..] if !digits.is_empty() => (digits[0] >= 0x80).then_some(digits),
        _ => Some(value),
    }
}

fn write_number(digits: &[u8]) -> Option<Vec<u8>> {
    match digits {
        // A first bit of 1 would make it negative.
        [] | [0x80..=0xff, ..] => write(INTEGER, &[&[0], digits].concat()),
        _ => write(INTEGER, digits),
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
