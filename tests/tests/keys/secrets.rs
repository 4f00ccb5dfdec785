//! Secrets that probably hold what is not part of them: a warning says so when they are loaded.

use std::{
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use socketioxide_jwt_auth::Verifier;
use socketioxide_jwt_auth_tests::{Log, SECRET, outcome_of_child, report};

const WARNING: &str = "used as it is";

/// Writes a file, and returns its path.
fn file(name: &str, content: impl AsRef<[u8]>) -> String {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{name}-{}", FILES.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Builds a verifier with a secret from a file, and returns the warnings.
fn warnings(content: impl AsRef<[u8]>, encoding: &str) -> Vec<String> {
    let log = Log::capture();
    let path = file("secret", content);
    Verifier::builder()
        .secret_file(&path)
        .secret_encoding(encoding)
        .build()
        .unwrap();

    let text = log.text();
    for part in [SECRET, &SECRET[11..20], &SECRET[20..]] {
        assert!(!text.contains(part), "{text}");
    }
    let warnings = log.lines_with(WARNING);
    assert!(
        warnings
            .iter()
            .all(|line| line.contains("WARN") && line.contains(&path)),
        "{warnings:?}"
    );
    warnings
}

#[test]
fn a_secret_with_quotes_a_bom_or_white_space_is_warned_about() {
    for (content, problem) in [
        (format!("\"{SECRET}\""), "quotes"),
        (format!("'{SECRET}'"), "quotes"),
        (format!("\"{SECRET}\"\n"), "quotes"),
        (format!("\u{feff}{SECRET}"), "byte order mark"),
        (format!(" {SECRET}"), "white space"),
        (format!("{SECRET} "), "white space"),
        (format!("\t{SECRET}\n"), "white space"),
        (format!("{SECRET}\n\n"), "white space"),
        (format!("{SECRET}\r\n\r\n"), "white space"),
        (format!("{SECRET}\u{a0}"), "white space"),
        (format!("{SECRET}\\n"), "backslash"),
        (format!("{SECRET}\\r\\n\n"), "backslash"),
    ] {
        let warnings = warnings(&content, "utf8");
        assert_eq!(warnings.len(), 1, "{content:?}: {warnings:?}");
        assert!(warnings[0].contains(problem), "{content:?}: {warnings:?}");
        assert!(warnings[0].contains("remove"), "{warnings:?}");
    }
}

#[test]
fn one_warning_names_all_that_is_at_the_ends() {
    let warnings = warnings(format!("\u{feff} \"{SECRET}\" \n"), "utf8");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for problem in ["byte order mark", "white space", "quotes"] {
        assert!(warnings[0].contains(problem), "{warnings:?}");
    }
}

#[test]
fn a_file_in_utf16_is_warned_about() {
    let units = SECRET.encode_utf16().flat_map(u16::to_le_bytes);
    let bytes: Vec<_> = [0xff, 0xfe].into_iter().chain(units).collect();
    let warnings = warnings(&bytes, "utf8");
    assert!(
        warnings.len() == 1 && warnings[0].contains("UTF-16"),
        "{warnings:?}"
    );
}

#[test]
fn other_secrets_are_not_warned_about() {
    for content in [
        SECRET.to_owned(),
        format!("{SECRET}\n"),
        format!("{SECRET}\r\n"),
        format!("\"{SECRET}"),
        format!("{SECRET}'"),
        format!("\"{SECRET}'"),
        format!("a \"{SECRET}\" \u{feff} \\n b"),
    ] {
        assert_eq!(warnings(&content, "utf8"), [""; 0], "{content:?}");
    }

    let mut binary: Vec<u8> = (0xc0..=0xff).collect();
    binary.extend(b" ");
    assert_eq!(warnings(binary, "utf8"), [""; 0]);
}

/// The decoder ignores it.
#[test]
fn white_space_around_an_encoded_secret_is_not_warned_about() {
    let hex = format!(" {}\n\n", "0f".repeat(32));
    assert_eq!(warnings(hex, "hex"), [""; 0]);
}

#[test]
fn quotes_around_an_encoded_secret_are_named_although_it_is_refused() {
    let log = Log::capture();
    let path = file("quoted", format!("\"{}\"", "0f".repeat(32)));
    let verifier = Verifier::builder()
        .secret_file(&path)
        .secret_encoding("hex");
    assert!(verifier.build().is_err());
    let lines = log.lines_with("quotes");
    assert!(lines.len() == 1 && lines[0].contains(&path), "{lines:?}");
    assert!(!log.text().contains("0f0f"));
}

#[test]
fn each_secret_of_a_list_is_warned_about_once() {
    let log = Log::capture();
    let paths = [
        file("first", format!("{SECRET} ")),
        file("good", SECRET),
        file("third", format!("'{SECRET}'")),
    ];
    Verifier::builder().secret_file(&paths).build().unwrap();
    let lines = log.lines_with(WARNING);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(&paths[0]) && lines[1].contains(&paths[2]));
}

#[test]
#[ignore = "`a_secret_in_a_variable_is_warned_about` runs it in a process of its own"]
fn the_child_builds() {
    let log = Log::capture();
    let built = Verifier::builder().secret_env("SJA_SECRET").build();
    let lines = log.lines_with("SJA_SECRET");
    report(format!("{} {lines:?}", built.is_ok()));
}

#[test]
fn a_secret_in_a_variable_is_warned_about() {
    for (secret, problem) in [
        (format!("\"{SECRET}\""), "quotes"),
        (format!("{SECRET}\n"), "white space"),
        (format!("\u{feff}{SECRET}"), "byte order mark"),
        (SECRET.to_owned(), "true []"),
    ] {
        let outcome = outcome_of_child("secrets::the_child_builds", |child| {
            child.env("SJA_SECRET", &secret);
        });
        assert!(outcome.starts_with("true"), "{outcome}");
        assert!(outcome.contains(problem), "{secret:?}: {outcome}");
        assert!(!outcome.contains(SECRET), "{outcome}");
    }
}

/// What stands in the code is what its author wrote.
#[test]
fn a_secret_from_code_is_not_warned_about() {
    let log = Log::capture();
    Verifier::builder()
        .secret(format!(" \"{SECRET}\" "))
        .build()
        .unwrap();
    assert_eq!(log.lines_with(WARNING), [""; 0]);
}
