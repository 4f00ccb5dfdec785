//! Public keys and certificates in PEM.

use std::{fs, path::PathBuf};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use pem::Pem;
use pkcs1::{RsaPublicKeyRef, der::Encode};
use socketioxide_jwt_auth::{KeySet, Verifier, VerifierBuilder};
use spki::SubjectPublicKeyInfoRef;

use super::{
    claims, refuses,
    support::{ALGORITHMS, Algorithm, Signer, der, fixture, outcome, public_pem},
};

fn with_pem(pem: impl AsRef<[u8]>, algorithm: Algorithm) -> VerifierBuilder {
    Verifier::builder()
        .public_key(pem)
        .algorithm(format!("{algorithm:?}"))
}

fn verifies(pem: impl AsRef<[u8]>, algorithm: Algorithm) {
    let verifier = with_pem(pem, algorithm).build().unwrap();
    assert_eq!(
        outcome(&verifier, &Signer::new(algorithm).token(&claims())),
        "accepted"
    );
    assert_eq!(
        outcome(&verifier, &Signer::foreign(algorithm).token(&claims())),
        "token_signature_invalid"
    );
}

/// A file for one test, in the directory that Cargo gives to tests.
fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn every_form_of_a_public_key_verifies() {
    for (pem, algorithm) in [
        (fixture!("rsa.pem"), Algorithm::RS256),
        (fixture!("rsa.pkcs1.pem"), Algorithm::PS512),
        (fixture!("rsa.cert.pem"), Algorithm::RS384),
        (fixture!("p256.pem"), Algorithm::ES256),
        (fixture!("p256.cert.pem"), Algorithm::ES256),
        (fixture!("p384.pem"), Algorithm::ES384),
        (fixture!("p384.cert.pem"), Algorithm::ES384),
        (fixture!("ed25519.pem"), Algorithm::EdDSA),
        (fixture!("ed25519.cert.pem"), Algorithm::EdDSA),
        (fixture!("p521.pem"), Algorithm::ES512),
        (fixture!("p521.cert.pem"), Algorithm::ES512),
    ] {
        let needs_feature = pem.contains("CERTIFICATE") && !cfg!(feature = "certificates");
        if needs_feature || !ALGORITHMS.contains(&algorithm) {
            continue;
        }
        verifies(pem, algorithm);
        verifies(pem.replace('\n', "\r\n"), algorithm);
        verifies(pem.trim_end(), algorithm);
        verifies(
            format!("subject=CN = test-only\n\n{pem}\nissued for a test\n"),
            algorithm,
        );
    }
}

/// As it is left by variables, YAML and JSON, editors, and stores of secrets.
#[test]
fn a_pem_is_read_in_the_forms_that_deployments_give_it() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let pem = public_pem(algorithm);
        let escaped = pem.replace('\n', "\\n");
        let encoded = STANDARD.encode(pem);
        let wrapped: Vec<_> = encoded
            .as_bytes()
            .chunks(76)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();

        for form in [
            escaped.clone(),
            format!("\"{escaped}\""),
            format!("'{pem}'\n"),
            escaped.trim_end_matches("\\n").to_owned(),
            pem.replace('\n', "\\r\\n"),
            format!("{escaped}\n"),
            format!("\u{feff}{pem}"),
            format!("\u{feff}{escaped}"),
            encoded.clone(),
            format!("{encoded}\n"),
            format!(" {}\r\n", wrapped.join("\r\n")),
            format!("\u{feff}{encoded}"),
            STANDARD.encode(format!("\u{feff}{pem}")),
            STANDARD.encode(&escaped),
            STANDARD.encode(pem.replace('\n', "\r\n")),
            STANDARD_NO_PAD.encode(pem),
            URL_SAFE_NO_PAD.encode(pem),
        ] {
            verifies(&form, algorithm);
            assert!(KeySet::from_pem(&form).is_ok(), "{form}");

            let path = file("form.pem", &form);
            let verifier = Verifier::builder()
                .public_key_file(path.to_str().unwrap())
                .algorithm(format!("{algorithm:?}"))
                .build()
                .unwrap();
            let token = Signer::new(algorithm).token(&claims());
            assert_eq!(outcome(&verifier, &token), "accepted", "{form}");
        }
    }

    let both = [fixture!("p256-other.pem"), fixture!("p256.pem")].concat();
    for form in [both.replace('\n', "\\n"), STANDARD.encode(&both)] {
        let verifier = with_pem(form, Algorithm::ES256).build().unwrap();
        for signer in [
            Signer::new(Algorithm::ES256),
            Signer::foreign(Algorithm::ES256),
        ] {
            assert_eq!(outcome(&verifier, &signer.token(&claims())), "accepted");
        }
    }
}

#[test]
fn a_private_key_is_refused_and_never_shown_in_any_form() {
    let pem = fixture!("test-only-private-rsa.pem");
    for form in [
        pem.replace('\n', "\\n"),
        format!("\u{feff}{pem}"),
        STANDARD.encode(pem),
        STANDARD.encode(pem.replace('\n', "\\n")),
        STANDARD.encode([fixture!("rsa.pem"), pem].concat()),
    ] {
        let shown = refuses(
            with_pem(&form, Algorithm::RS256),
            "public_key holds a private key",
            "openssl pkey",
        );
        for line in pem.lines().chain([&form[30..60]]) {
            assert!(
                line.starts_with("-----") || !shown.contains(line),
                "{shown}"
            );
        }
    }

    // Decoded once only.
    let twice = STANDARD.encode(STANDARD.encode(fixture!("rsa.pem")));
    refuses(
        with_pem(twice, Algorithm::RS256),
        "public_key holds no PEM public key",
        "BEGIN PUBLIC KEY",
    );
}

#[cfg(feature = "certificates")]
#[test]
fn only_the_leaf_of_a_chain_of_certificates_is_a_key() {
    // The authorities have keys of P-521, which one of the backends does not have, and Ed448, which
    // none has.
    verifies(fixture!("rsa.chain-of-p521.pem"), Algorithm::RS256);
    verifies(fixture!("rsa.chain-of-ed448.pem"), Algorithm::RS256);

    let chain = fixture!("p256.chain.pem");
    verifies(chain, Algorithm::ES256);
    refuses(
        with_pem(chain, Algorithm::ES256).algorithms(["ES256", "ES384"]),
        "algorithms: ES384 fits none of the keys",
        "add a key of its type",
    );
    refuses(
        with_pem(chain, Algorithm::ES256).algorithms(["ES256", "RS256"]),
        "algorithms: RS256 fits none of the keys",
        "add a key of its type",
    );

    // In the other order too, and without the root.
    let blocks = pem::parse_many(chain).unwrap();
    let [leaf, intermediate, root] = blocks.as_slice() else {
        panic!("a chain of three")
    };
    for blocks in [
        vec![root, intermediate, leaf],
        vec![leaf, intermediate],
        vec![leaf, root],
        vec![intermediate, leaf],
    ] {
        let chain: String = blocks.into_iter().map(pem::encode).collect();
        // Without the intermediate one, nothing tells that the root is of the same chain.
        let is_broken = !chain.contains(&pem::encode(intermediate));
        verifies(&chain, Algorithm::ES256);
        let with_root = with_pem(&chain, Algorithm::ES256).algorithms(["ES256", "RS256"]);
        assert_eq!(with_root.build().is_ok(), is_broken, "{chain}");
        let with_authority = with_pem(&chain, Algorithm::ES256).algorithms(["ES256", "ES384"]);
        assert!(with_authority.build().is_err(), "{chain}");
    }

    // The intermediate one is the leaf of what is left.
    let authorities = [intermediate, root].map(pem::encode).concat();
    with_pem(authorities, Algorithm::ES384).build().unwrap();

    // Each of these issued the other.
    refuses(
        with_pem(fixture!("refused/authorities.pem"), Algorithm::ES256),
        "public_key holds certificates of authorities only",
        "the key that signs the tokens",
    );

    // A broken certificate is an error, wherever it stands.
    let broken = pem::encode(&Pem::new("CERTIFICATE", &root.contents()[..200]));
    refuses(
        with_pem([chain, &broken].concat(), Algorithm::ES256),
        "public_key holds a broken CERTIFICATE block",
        "export the key again",
    );
}

/// As in a rotation.
#[cfg(feature = "certificates")]
#[test]
fn each_of_several_certificates_that_did_not_issue_another_is_a_key() {
    // These are self-signed, all with the same name.
    let pem = [
        fixture!("rsa.cert.pem"),
        fixture!("p256.cert.pem"),
        fixture!("p384.cert.pem"),
        fixture!("ed25519.pem"),
    ]
    .concat();
    let algorithms = [
        Algorithm::RS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    let verifier = with_pem(pem, Algorithm::RS256)
        .algorithms(algorithms.map(|algorithm| format!("{algorithm:?}")))
        .build()
        .unwrap();
    for algorithm in algorithms {
        let token = Signer::new(algorithm).token(&claims());
        assert_eq!(outcome(&verifier, &token), "accepted", "{algorithm:?}");
    }
}

#[cfg(not(feature = "certificates"))]
#[test]
fn a_certificate_names_the_feature_that_it_needs() {
    let certificate = fixture!("rsa.cert.pem");

    for pem in [
        certificate,
        fixture!("p256.chain.pem"),
        fixture!("refused/authorities.pem"),
        &certificate.replace('\n', "\\n"),
        &STANDARD.encode(certificate),
        &[fixture!("rsa.pem"), certificate].concat(),
        &pem::encode(&Pem::new("CERTIFICATE", b"broken")),
    ] {
        let text = refuses(
            with_pem(pem, Algorithm::RS256),
            "public_key holds a certificate, which needs the feature `certificates`",
            "cargo add socketioxide-jwt-auth --features certificates",
        );
        assert!(
            text.contains("openssl x509 -in cert.pem -noout -pubkey"),
            "{text}"
        );

        let text = KeySet::from_pem(pem).unwrap_err().to_string();
        assert!(text.contains("--features certificates"), "{text}");
    }

    let path = file("certificate.pem", certificate);
    let path = path.to_str().unwrap();
    refuses(
        Verifier::builder().public_key_file(path).algorithm("RS256"),
        path,
        "--features certificates",
    );
}

#[test]
fn what_is_not_a_pem_is_named_with_its_repair() {
    let pem = fixture!("rsa.pem");
    let utf16 = |mark: [u8; 2]| [mark.as_slice(), b"-\0-\0-\0"].concat();
    let bare: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let json = super::support::jwk(Algorithm::RS256).to_string();

    for (content, found, repair) in [
        (Vec::new(), "it is empty", "must contain"),
        (b" \r\n".to_vec(), "it is empty", "must contain"),
        ("\u{feff}".into(), "it is empty", "must contain"),
        (json.clone().into(), "it is JSON", "jwks"),
        (format!("\u{feff} {json}").into(), "it is JSON", "jwks"),
        (
            b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ== test-only".to_vec(),
            "it is a key for SSH",
            "ssh-keygen -e -m PKCS8",
        ),
        (
            b"ecdsa-sha2-nistp256 AAAA".to_vec(),
            "it is a key for SSH",
            "ssh-keygen -e -m PKCS8",
        ),
        (der(pem), "it is DER", "openssl pkey -pubin -inform DER"),
        (
            der(fixture!("rsa.cert.pem")),
            "it is DER",
            "openssl x509 -inform DER",
        ),
        (
            bare.clone().into(),
            "it is the base64 of a key without",
            "put them around it",
        ),
        (
            format!("{bare}\n").into(),
            "it is the base64 of a key without",
            "put them around it",
        ),
        (utf16([0xff, 0xfe]), "it is UTF-16", "save it as UTF-8"),
        (utf16([0xfe, 0xff]), "it is UTF-16", "save it as UTF-8"),
        (
            b"/etc/keys/public.pem".to_vec(),
            "it is the path of a file",
            "public_key_file",
        ),
        (
            b"keys\\public.PEM\r\n".to_vec(),
            "it is the path of a file",
            "public_key_file",
        ),
        (
            pem.split("-----END").next().unwrap().into(),
            "a block is broken or cut off",
            "export the key again",
        ),
        (
            pem.replacen('M', "?", 1).into(),
            "a block is broken or cut off",
            "export the key again",
        ),
        (b"key".to_vec(), "", "BEGIN PUBLIC KEY"),
        (vec![0xff; 100], "", "BEGIN PUBLIC KEY"),
    ] {
        let text = refuses(
            with_pem(&content, Algorithm::RS256),
            "public_key holds no PEM public key",
            repair,
        );
        assert!(text.contains(found), "{found}: {text}");
        assert!(text.contains("BEGIN PUBLIC KEY"), "{text}");
        assert!(
            !text.contains(&bare[20..40]) && !text.contains("public.pem"),
            "{text}"
        );
    }
}

/// The second block would be lost without a word.
#[test]
fn a_block_that_is_cut_off_is_an_error_also_after_a_good_one() {
    let second = fixture!("p256.pem").split("-----END").next().unwrap();
    for pem in [
        [fixture!("rsa.pem"), second].concat(),
        [second, fixture!("rsa.pem")].concat(),
        [fixture!("rsa.pem"), "-----BEGIN PUBLIC KEY-----"].concat(),
    ] {
        refuses(
            with_pem(pem, Algorithm::RS256),
            "public_key holds no PEM public key: a block is broken or cut off",
            "export the key again",
        );
    }
}

#[test]
fn every_key_of_a_file_verifies() {
    let pem = [
        fixture!("rsa-other.pem"),
        if cfg!(feature = "certificates") {
            fixture!("p256.cert.pem")
        } else {
            fixture!("p256.pem")
        },
        fixture!("rsa.pkcs1.pem"),
    ]
    .concat();
    let verifier = Verifier::builder()
        .public_key(pem)
        .algorithms(["RS256", "PS256", "ES256"])
        .build()
        .unwrap();
    for signer in [
        Signer::new(Algorithm::RS256),
        Signer::foreign(Algorithm::RS256),
        Signer::foreign(Algorithm::PS256),
        Signer::new(Algorithm::ES256),
    ] {
        assert_eq!(
            outcome(&verifier, &signer.token(&claims())),
            "accepted",
            "{:?}",
            signer.algorithm
        );
    }
    assert_eq!(
        outcome(
            &verifier,
            &Signer::foreign(Algorithm::ES256).token(&claims())
        ),
        "token_signature_invalid"
    );
}

#[test]
fn keys_are_loaded_from_files_and_rotated() {
    let (old, new) = (
        file("old.pem", fixture!("p256-other.pem")),
        file("new.pem", fixture!("p256.pem")),
    );
    let files = [old.to_str().unwrap(), new.to_str().unwrap()];
    let verifier = Verifier::builder()
        .public_key_file(files)
        .algorithm("ES256")
        .build()
        .unwrap();
    for signer in [
        Signer::new(Algorithm::ES256),
        Signer::foreign(Algorithm::ES256),
    ] {
        assert_eq!(outcome(&verifier, &signer.token(&claims())), "accepted");
    }

    let with_files = |files: &[&str]| {
        Verifier::builder()
            .public_key_file(files)
            .algorithm("ES256")
    };
    refuses(
        with_files(&["/nowhere/key.pem"]),
        "/nowhere/key.pem",
        "check its path",
    );
    refuses(with_files(&[]), "public_key_file", "name at least one");
    let broken = file("broken.pem", "no key");
    let broken = broken.to_str().unwrap();
    refuses(with_files(&[files[1], broken]), broken, "BEGIN PUBLIC KEY");
    let binary = file("binary.pem", [0xff, 0xfe]);
    refuses(
        with_files(&[binary.to_str().unwrap()]),
        binary.to_str().unwrap(),
        "PEM",
    );
}

#[test]
fn a_private_key_is_refused_and_never_shown() {
    for pem in [
        fixture!("test-only-private-rsa.pem"),
        fixture!("refused/test-only-private-rsa.pkcs8.pem"),
        fixture!("refused/test-only-private-rsa.encrypted.pem"),
        fixture!("test-only-private-p256.pem"),
        fixture!("refused/test-only-private-p256.sec1.pem"),
        fixture!("test-only-private-ed25519.pem"),
        &fixture!("test-only-private-rsa.pem").replace("RSA", "OPENSSH"),
        &[fixture!("rsa.pem"), fixture!("test-only-private-rsa.pem")].concat(),
    ] {
        let shown = refuses(
            with_pem(pem, Algorithm::RS256),
            "public_key holds a private key",
            "openssl pkey",
        );
        for line in pem.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!shown.contains(line), "{shown}");
        }
    }

    let cut = fixture!("test-only-private-rsa.pem").split_at(800).0;
    let shown = refuses(
        with_pem(cut, Algorithm::RS256),
        "public_key",
        "BEGIN PUBLIC KEY",
    );
    assert!(
        cut.lines().skip(1).all(|line| !shown.contains(line)),
        "{shown}"
    );
}

#[test]
fn unsupported_and_weak_keys_are_refused() {
    for (pem, problem, repair) in [
        (
            fixture!("refused/p521-explicit.pem"),
            "unsupported curve",
            "P-521",
        ),
        (
            fixture!("refused/brainpool-p512.pem"),
            "unsupported curve",
            "P-521",
        ),
        (
            fixture!("refused/p521-compressed.pem"),
            "compressed",
            "uncompressed",
        ),
        (
            fixture!("refused/p521-hybrid.pem"),
            "compressed",
            "uncompressed",
        ),
        (
            fixture!("refused/secp256k1.pem"),
            "unsupported curve",
            "P-256",
        ),
        (
            fixture!("refused/p256-explicit.pem"),
            "unsupported curve",
            "P-256",
        ),
        (fixture!("refused/ed448.pem"), "unsupported type", "Ed25519"),
        (
            fixture!("refused/x25519.pem"),
            "unsupported type",
            "Ed25519",
        ),
        (
            fixture!("refused/dsa.pem"),
            "unsupported type",
            "RSA, EC or Ed25519",
        ),
        (
            fixture!("refused/rsa-pss.pem"),
            "unsupported type",
            "RSA, EC or Ed25519",
        ),
        (
            fixture!("refused/rsa-1024.pem"),
            "1024 bits",
            "rsa_keygen_bits:2048",
        ),
        (
            fixture!("refused/rsa-512.pem"),
            "512 bits",
            "rsa_keygen_bits:2048",
        ),
        (
            fixture!("refused/p256-compressed.pem"),
            "compressed",
            "uncompressed",
        ),
        (
            fixture!("refused/p384-compressed.pem"),
            "compressed",
            "uncompressed",
        ),
        (
            fixture!("refused/p256-hybrid.pem"),
            "compressed",
            "uncompressed",
        ),
        (
            fixture!("refused/request.pem"),
            "CERTIFICATE REQUEST",
            "use PUBLIC KEY",
        ),
    ] {
        let text = refuses(
            with_pem(pem, Algorithm::ES256),
            "public_key holds a",
            repair,
        );
        assert!(text.contains(problem), "{text}");
        let second = [fixture!("p256.pem"), pem].concat();
        refuses(with_pem(second, Algorithm::ES256), "public_key", repair);
        assert!(
            KeySet::from_pem(pem)
                .unwrap_err()
                .to_string()
                .contains(problem)
        );
    }
}

/// A key with another exponent or modulus, in the form of PKCS #1.
fn rsa(change: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) -> String {
    let der = der(fixture!("rsa.pkcs1.pem"));
    let key = RsaPublicKeyRef::try_from(der.as_slice()).unwrap();
    let (mut modulus, mut exponent) = (
        key.modulus.as_bytes().to_vec(),
        key.public_exponent.as_bytes().to_vec(),
    );
    change(&mut modulus, &mut exponent);
    let modulus = pkcs1::UintRef::new(&modulus).unwrap();
    let public_exponent = pkcs1::UintRef::new(&exponent).unwrap();
    pem::encode(&Pem::new(
        "RSA PUBLIC KEY",
        RsaPublicKeyRef {
            modulus,
            public_exponent,
        }
        .to_der()
        .unwrap(),
    ))
}

#[test]
fn exponents_and_sizes_have_bounds() {
    for exponent in [&[1][..], &[2], &[0], &[1, 0], &[1, 0, 0, 0, 1], &[255; 32]] {
        let pem = rsa(|_, own| *own = exponent.to_vec());
        refuses(
            with_pem(pem, Algorithm::RS256),
            "public_key holds an RSA key",
            "65537",
        );
    }
    with_pem(rsa(|_, own| *own = vec![3]), Algorithm::RS256)
        .build()
        .unwrap();
    let long = rsa(|own, _| *own = vec![0xff; 1025]);
    refuses(
        with_pem(long, Algorithm::RS256),
        "8200 bits",
        "8192 is the most",
    );
    let short = rsa(|own, _| own[0] = 0x7f);
    refuses(with_pem(short, Algorithm::RS256), "2047 bits", "2048");
}

#[test]
fn malformed_keys_are_refused() {
    let pem = fixture!("rsa.pem");
    let unfinished = pem.split("-----END").next().unwrap();
    let spoilt = pem.replacen('M', "?", 1);
    let exchanged = pem.replace("PUBLIC KEY", "CERTIFICATE");
    let relabelled = pem.replace("PUBLIC KEY", "RSA PUBLIC KEY");
    let empty = "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n";
    let long = pem::encode(&Pem::new("PUBLIC KEY", [der(pem), vec![0]].concat()));
    let cut = pem::encode(&Pem::new("PUBLIC KEY", &der(pem)[..200]));
    let jwk = super::support::jwk(Algorithm::RS256).to_string();

    for (text, repair) in [
        ("", "BEGIN PUBLIC KEY"),
        (" \n", "BEGIN PUBLIC KEY"),
        ("key", "BEGIN PUBLIC KEY"),
        (
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ== test-only",
            "BEGIN PUBLIC KEY",
        ),
        ("-----BEGIN PUBLIC KEY-----", "BEGIN PUBLIC KEY"),
        (jwk.as_str(), "BEGIN PUBLIC KEY"),
        (unfinished, "BEGIN PUBLIC KEY"),
        (spoilt.as_str(), "BEGIN PUBLIC KEY"),
        (empty, "export the key again"),
        (
            exchanged.as_str(),
            if cfg!(feature = "certificates") {
                "export the key again"
            } else {
                "--features certificates"
            },
        ),
        (relabelled.as_str(), "export it again"),
        (long.as_str(), "export the key again"),
        (cut.as_str(), "export the key again"),
    ] {
        refuses(with_pem(text, Algorithm::RS256), "public_key", repair);
    }

    refuses(
        with_pem(der(pem), Algorithm::RS256),
        "public_key",
        "BEGIN PUBLIC KEY",
    );
    refuses(
        with_pem([0xff; 100], Algorithm::RS256),
        "public_key",
        "BEGIN PUBLIC KEY",
    );
}

/// An element of DER with a length in its shortest form, as DER demands, or in a longer one.
fn element(tag: u8, parts: &[&[u8]], shortest: bool) -> Vec<u8> {
    let content = parts.concat();
    let length = match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short @ ..=0x7f] if shortest => vec![short],
        [0, long] if shortest => vec![0x81, long],
        [high, low] if shortest => vec![0x82, high, low],
        [high, low] => vec![0x83, 0, high, low],
    };
    [&[tag], length.as_slice(), &content].concat()
}

/// A key, apart from the algorithm that it is for.
#[derive(Clone)]
struct KeyInfo {
    identifier: Vec<u8>,
    parameters: Vec<u8>,
    after_parameters: Vec<u8>,
    unused_bits: u8,
    key: Vec<u8>,
    after_bits: Vec<u8>,
    after_all: Vec<u8>,
    with_shortest_lengths: bool,
}

impl KeyInfo {
    fn of(pem: &str) -> Self {
        let der = der(pem);
        let info = SubjectPublicKeyInfoRef::try_from(der.as_slice()).unwrap();
        let parameters = info.algorithm.parameters.map(|any| any.to_der().unwrap());
        Self {
            identifier: info.algorithm.oid.to_der().unwrap(),
            parameters: parameters.unwrap_or_default(),
            after_parameters: Vec::new(),
            unused_bits: 0,
            key: info.subject_public_key.as_bytes().unwrap().to_vec(),
            after_bits: Vec::new(),
            after_all: Vec::new(),
            with_shortest_lengths: true,
        }
    }

    fn pem(&self) -> String {
        let shortest = self.with_shortest_lengths;
        let algorithm =
            [&self.identifier, &self.parameters, &self.after_parameters].map(Vec::as_slice);
        let algorithm = element(0x30, &algorithm, shortest);
        let bits = element(0x03, &[&[self.unused_bits], &self.key], shortest);
        let mut der = element(0x30, &[&algorithm, &bits, &self.after_bits], shortest);
        der.extend(&self.after_all);
        pem::encode(&Pem::new("PUBLIC KEY", der))
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut changed = self.clone();
        change(&mut changed);
        changed.pem()
    }
}

/// aws-lc-rs takes some of them.
#[test]
fn every_key_has_one_encoding() {
    let asn1_null = || vec![0x05, 0x00];

    for algorithm in [
        Algorithm::RS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::ES512,
        Algorithm::EdDSA,
    ] {
        if !ALGORITHMS.contains(&algorithm) {
            continue;
        }
        let info = KeyInfo::of(public_pem(algorithm));
        verifies(info.pem(), algorithm);

        for (what, pem) in [
            (
                "a byte after all",
                info.changed(|info| info.after_all = vec![0]),
            ),
            (
                "a NULL after all",
                info.changed(|info| info.after_all = asn1_null()),
            ),
            (
                "the key twice",
                info.changed(|info| info.after_all = der(public_pem(algorithm))),
            ),
            (
                "a NULL after the key",
                info.changed(|info| info.after_bits = asn1_null()),
            ),
            ("a byte in the key", info.changed(|info| info.key.push(0))),
            (
                "a byte less in the key",
                info.changed(|info| info.key.truncate(info.key.len() - 1)),
            ),
            ("no key", info.changed(|info| info.key.clear())),
            ("an unused bit", info.changed(|info| info.unused_bits = 1)),
            (
                "eight unused bits",
                info.changed(|info| info.unused_bits = 8),
            ),
            (
                "two parameters",
                info.changed(|info| info.after_parameters = asn1_null()),
            ),
            (
                "other parameters",
                info.changed(|info| info.parameters = vec![0x02, 0x01, 0x01]),
            ),
            (
                "broken parameters",
                info.changed(|info| info.parameters = vec![0x05, 0x01]),
            ),
            ("no algorithm", info.changed(|info| info.identifier.clear())),
            (
                "an empty algorithm",
                info.changed(|info| info.identifier = vec![0x06, 0x00]),
            ),
            (
                "another algorithm",
                info.changed(|info| info.identifier = vec![0x06, 0x01, 0x2a]),
            ),
            (
                "long lengths",
                info.changed(|info| info.with_shortest_lengths = false),
            ),
        ] {
            let builder = with_pem(&pem, algorithm);
            // RSA with one NULL is as it should be; with two it is not.
            let text = builder.build().expect_err(what).to_string();
            assert!(
                text.contains("public_key holds a"),
                "{algorithm:?}, {what}: {text}"
            );
            KeySet::from_pem(&pem).expect_err(what);
        }
    }
}

#[test]
fn a_key_under_another_algorithm_or_curve_is_refused() {
    let named = |pem: &str| {
        let info = KeyInfo::of(pem);
        (info.identifier, info.parameters)
    };
    let supported = [
        fixture!("rsa.pem"),
        fixture!("p256.pem"),
        fixture!("p384.pem"),
        fixture!("p521.pem"),
        fixture!("ed25519.pem"),
    ];
    let unsupported = [
        fixture!("refused/rsa-pss.pem"),
        fixture!("refused/secp256k1.pem"),
        fixture!("refused/x25519.pem"),
        fixture!("refused/ed448.pem"),
    ];

    for key in supported {
        let others = supported.into_iter().chain(unsupported);
        for other in others.filter(|other| *other != key) {
            let pem = KeyInfo::of(key).changed(|info| {
                (info.identifier, info.parameters) = named(other);
            });
            let error = KeySet::from_pem(&pem).expect_err(&pem).to_string();
            assert!(error.contains("holds a"), "{error}");
        }
    }
}

/// [RFC 4055 §1.2](https://www.rfc-editor.org/rfc/rfc4055#section-1.2) asks for NULL, and some tools
/// leave it out.
#[test]
fn an_rsa_key_may_be_without_parameters_and_no_other_may() {
    let without = |pem| KeyInfo::of(pem).changed(|info| info.parameters.clear());
    verifies(without(fixture!("rsa.pem")), Algorithm::RS256);
    refuses(
        with_pem(without(fixture!("p256.pem")), Algorithm::ES256),
        "public_key holds an EC key on an unsupported curve",
        "use P-256",
    );

    let with_null =
        KeyInfo::of(fixture!("ed25519.pem")).changed(|info| info.parameters = vec![0x05, 0x00]);
    refuses(
        with_pem(with_null, Algorithm::EdDSA),
        "public_key holds a broken PUBLIC KEY block",
        "export the key again",
    );
}

#[test]
fn a_number_of_an_rsa_key_has_one_encoding() {
    let der = der(fixture!("rsa.pkcs1.pem"));
    let key = RsaPublicKeyRef::try_from(der.as_slice()).unwrap();
    let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
    let encoded = |modulus: &[&[u8]], exponent: &[&[u8]], after: &[u8], shortest| {
        let numbers = [
            element(0x02, modulus, shortest),
            element(0x02, exponent, shortest),
        ];
        let key = element(0x30, &[&numbers[0], &numbers[1], after], shortest);
        let info = KeyInfo::of(fixture!("rsa.pem")).changed(|info| info.key = key.clone());
        [pem::encode(&Pem::new("RSA PUBLIC KEY", key)), info]
    };

    for pem in encoded(&[&[0], modulus], &[exponent], &[], true) {
        verifies(pem, Algorithm::RS256);
    }
    for pems in [
        // Negative, with needless zeros, empty, with more behind it, with long lengths.
        encoded(&[modulus], &[exponent], &[], true),
        encoded(&[&[0, 0], modulus], &[exponent], &[], true),
        encoded(&[&[0], modulus], &[&[0], exponent], &[], true),
        encoded(&[], &[exponent], &[], true),
        encoded(&[&[0], modulus], &[], &[], true),
        encoded(&[&[0], modulus], &[exponent], &[0], true),
        encoded(&[&[0], modulus], &[exponent], &[0x02, 0x01, 0x03], true),
        encoded(&[&[0], modulus], &[exponent], &[], false),
    ] {
        for pem in pems {
            refuses(
                with_pem(pem, Algorithm::RS256),
                "public_key holds a broken RSA key",
                "export it again",
            );
        }
    }
}

/// aws-lc-rs refuses such a point when the key is loaded, the other backend when it verifies a
/// signature.
#[test]
fn a_point_that_is_not_on_its_curve_verifies_nothing() {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512] {
        if !ALGORITHMS.contains(&algorithm) {
            continue;
        }
        let mut info = der(public_pem(algorithm));
        *info.last_mut().unwrap() ^= 1;
        let builder = with_pem(pem::encode(&Pem::new("PUBLIC KEY", info)), algorithm);
        match builder.build() {
            Err(error) => assert!(error.to_string().ends_with("export it again"), "{error}"),
            Ok(verifier) => {
                assert_eq!(
                    outcome(&verifier, &Signer::new(algorithm).token(&claims())),
                    "token_signature_invalid"
                );
            }
        }
    }
}

#[cfg(not(feature = "aws_lc_rs"))]
#[test]
fn es512_needs_another_backend() {
    let reason = "ES512 needs the feature aws_lc_rs";
    let p521 = || with_pem(fixture!("p521.pem"), Algorithm::ES384);
    refuses(p521(), "public_key holds a P-521 key", reason);
    refuses(p521().algorithm("ES512"), "algorithms", reason);
    let p384 = with_pem(fixture!("p384.pem"), Algorithm::ES384);
    refuses(p384.algorithms(["ES384", "ES512"]), "algorithms", reason);
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_refused() {
    for (pem, fits, other) in [
        (fixture!("rsa.pem"), "PS384", "ES256"),
        (fixture!("p256.pem"), "ES256", "ES384"),
        (fixture!("p384.pem"), "ES384", "ES256"),
        (fixture!("ed25519.pem"), "EdDSA", "RS256"),
        #[cfg(feature = "aws_lc_rs")]
        (fixture!("p256.pem"), "ES256", "ES512"),
        #[cfg(feature = "aws_lc_rs")]
        (fixture!("p521.pem"), "ES512", "ES256"),
        #[cfg(feature = "aws_lc_rs")]
        (fixture!("p521.pem"), "ES512", "ES384"),
    ] {
        Verifier::builder()
            .public_key(pem)
            .algorithm(fits)
            .build()
            .unwrap();
        refuses(
            Verifier::builder().public_key(pem).algorithm(other),
            "algorithms",
            "add a key of its type",
        );
        refuses(
            Verifier::builder()
                .public_key(pem)
                .algorithms([fits, other]),
            other,
            "take it off the list",
        );
        refuses(
            Verifier::builder()
                .public_key(pem)
                .algorithms([fits, "HS256"]),
            "HS256",
            "like RS256",
        );
        refuses(
            Verifier::builder().public_key(pem),
            "algorithms is required",
            "[\"RS256\"]",
        );
    }
}
