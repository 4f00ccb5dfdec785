//! What is accepted, compared with the crates `spki` and `pkcs1`.

use pkcs1::{
    RsaPublicKeyRef,
    der::{
        Decode, Encode,
        asn1::{Null, UintRef},
    },
};
use proptest::{collection::vec, prelude::*, sample::select};
use spki::SubjectPublicKeyInfoRef;

use super::{KeyInfo, ObjectIdentifier, Parameters, RsaKey, is_certificate, without_zeros};
use crate::keys::KeyProblem;

macro_rules! der {
    ($name:literal) => {
        pem::parse(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/",
            $name
        )))
        .unwrap()
        .into_contents()
    };
}

/// Keys of every supported type, and of some others.
fn keys() -> Vec<Vec<u8>> {
    vec![
        der!("rsa.pem"),
        der!("rsa.pkcs1.pem"),
        der!("p256.pem"),
        der!("p384.pem"),
        der!("p521.pem"),
        der!("ed25519.pem"),
        der!("refused/rsa-512.pem"),
        der!("refused/rsa-pss.pem"),
        der!("refused/secp256k1.pem"),
        der!("refused/p256-explicit.pem"),
        der!("refused/dsa.pem"),
        der!("refused/x25519.pem"),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Append(u8),
    Cut(usize),
}

impl Change {
    fn apply(&self, der: &mut Vec<u8>) {
        let length = der.len().max(1);
        match *self {
            Self::Set(place, byte) => {
                if let Some(old) = der.get_mut(place % length) {
                    *old = byte;
                }
            }
            Self::Insert(place, byte) => der.insert(place % (der.len() + 1), byte),
            Self::Remove(place) if !der.is_empty() => drop(der.remove(place % length)),
            Self::Remove(_) => {}
            Self::Append(byte) => der.push(byte),
            Self::Cut(place) => der.truncate(place % length),
        }
    }
}

/// Generates changes, with more of them where the key begins, and more of the bytes that mean
/// something there, than chance would give.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = || {
        let meaningful = vec![
            0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x83, 0xff,
        ];
        prop_oneof![select(meaningful), any::<u8>()]
    };
    let place = || prop_oneof![0..40_usize, 0..600_usize];
    let change = prop_oneof![
        4 => (place(), byte()).prop_map(|(place, byte)| Change::Set(place, byte)),
        1 => (place(), byte()).prop_map(|(place, byte)| Change::Insert(place, byte)),
        1 => place().prop_map(Change::Remove),
        1 => byte().prop_map(Change::Append),
        1 => place().prop_map(Change::Cut),
    ];
    vec(change, 0..4)
}

/// Returns what `spki` finds, for the parameters that are told apart here.
fn parse_with_spki(der: &[u8]) -> Option<(ObjectIdentifier, Parameters, &[u8])> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let parameters = match info.algorithm.parameters {
        None => Parameters::Absent,
        Some(any) if any.decode_as::<Null>().is_ok() => Parameters::Null,
        Some(any) => any
            .decode_as()
            .map_or(Parameters::Other, Parameters::Identifier),
    };

    Some((
        info.algorithm.oid,
        parameters,
        info.subject_public_key.as_bytes()?,
    ))
}

fn parse_with_pkcs1(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = RsaPublicKeyRef::from_der(der).ok()?;
    Some((key.modulus.as_bytes(), key.public_exponent.as_bytes()))
}

/// Checks that nothing is accepted that the others refuse, that the same is found, and that nothing
/// is refused that they accept, apart from parameters that no supported type has.
fn compare(der: &[u8]) {
    let theirs = parse_with_spki(der);
    match KeyInfo::parse(der) {
        Ok(own) if own.parameters == Parameters::Other => {}
        Ok(own) => assert_eq!(Some((own.algorithm, own.parameters, own.key)), theirs),
        Err(_) => assert!(
            theirs.is_none_or(|(_, parameters, _)| parameters == Parameters::Other),
            "{der:02x?}"
        ),
    }

    let own = RsaKey::parse(der).map(|key| (key.modulus, key.exponent));
    assert_eq!(own, parse_with_pkcs1(der), "{der:02x?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_key_is_parsed_as_by_other_parsers(
        key in select(keys()),
        changes in changes(),
    ) {
        let mut der = key;
        for change in changes {
            change.apply(&mut der);
        }

        compare(&der);
        let _ = is_certificate(&der);
        if let Ok(info) = KeyInfo::parse(&der) {
            compare(info.key);
        }
    }

    #[test]
    fn any_bytes_are_parsed_as_by_other_parsers(bytes in vec(any::<u8>(), 0..60)) {
        compare(&bytes);
        let _ = is_certificate(&bytes);
    }

    #[test]
    fn an_rsa_key_is_written_as_by_another_crate(
        modulus in vec(any::<u8>(), 1..300),
        exponent in vec(any::<u8>(), 1..6),
        zeros in 0..3_usize,
    ) {
        let padded = |number: &[u8]| [vec![0; zeros].as_slice(), number].concat();
        let theirs = RsaPublicKeyRef {
            modulus: UintRef::new(&modulus).unwrap(),
            public_exponent: UintRef::new(&exponent).unwrap(),
        };

        let written = RsaKey::new(&padded(&modulus), &padded(&exponent)).to_der().unwrap();
        prop_assert_eq!(&written, &theirs.to_der().unwrap());
        if without_zeros(&modulus).len() * without_zeros(&exponent).len() > 0 {
            let read = RsaKey::parse(&written).unwrap();
            prop_assert_eq!(read, RsaKey::new(&modulus, &exponent));
        }
    }
}

#[test]
fn a_changed_bit_of_a_key_is_parsed_as_by_other_parsers() {
    for key in keys() {
        for bit in 0..key.len() * 8 {
            let mut der = key.clone();
            der[bit / 8] ^= 1 << (bit % 8);
            compare(&der);
        }
    }
}

#[test]
fn every_length_of_an_element_is_written_and_parsed() {
    for length in [1, 125, 126, 127, 128, 250, 255, 256, 257, 1024, 60_000] {
        let modulus = vec![0x55; length];
        let der = RsaKey::new(&modulus, &[3]).to_der().unwrap();
        compare(&der);
        assert_eq!(RsaKey::parse(&der).unwrap().modulus, modulus);
    }

    assert_eq!(RsaKey::new(&vec![0x55; 65_536], &[3]).to_der(), None);
}

#[test]
fn a_length_in_a_longer_form_is_refused() {
    // The number `3`, in each form of BER.
    for (length, accepted) in [
        (vec![0x01], true),
        (vec![0x81, 0x01], false),
        (vec![0x82, 0x00, 0x01], false),
        (vec![0x83, 0x00, 0x00, 0x01], false),
        (vec![0x80], false),
        (vec![0xff], false),
    ] {
        let number = [&[0x02], length.as_slice(), &[0x03]].concat();
        let content = [&[0x02, 0x01, 0x03], number.as_slice()].concat();
        let der = [
            &[0x30, u8::try_from(content.len()).unwrap()],
            content.as_slice(),
        ]
        .concat();
        assert_eq!(RsaKey::parse(&der).is_some(), accepted, "{length:02x?}");
        compare(&der);
    }
}

#[test]
fn a_key_of_incomplete_bytes_is_a_broken_bit_string() {
    let mut der = der!("ed25519.pem");
    let unused = der.len() - 33;
    for bits in 1..=8 {
        der[unused] = bits;
        assert!(matches!(
            KeyInfo::parse(&der),
            Err(KeyProblem::BrokenBitString)
        ));
    }
}

#[test]
fn certificates_are_told_from_keys() {
    for der in [der!("rsa.cert.pem"), der!("ed25519.cert.pem")] {
        assert!(is_certificate(&der));
    }
    for der in keys() {
        assert!(!is_certificate(&der));
    }
    assert!(!is_certificate(&der!("test-only-private-p256.pem")));
}
