//! What `#[jwt_auth]` says about a mistake: one message for each, at its own place.
//!
//! `TRYBUILD=overwrite cargo test -p socketioxide-jwt-auth-ui-tests` writes the texts anew.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The compiler that worded the texts in `fail/*.stderr`. Another version words its own part of a
/// message in another way: with it the mistakes must be refused, but the texts are not compared.
const COMPILER: &str = "1.95.0";

#[test]
fn every_mistake_is_refused() {
    let compiler = compiler();
    if compiler == COMPILER {
        return refuse_all(Path::new("fail"));
    }

    println!("the texts are not compared: they are of Rust {COMPILER}, and this is {compiler}");
    // Environment variables cannot be set safely in a process with threads.
    let mut child = Command::new(env::current_exe().expect("a test is a program"));
    child.args([
        "every_mistake_is_refused_whatever_the_text",
        "--exact",
        "--ignored",
        "--nocapture",
    ]);
    let output = child
        .env("TRYBUILD", "overwrite")
        .output()
        .expect("a test can be run");

    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && report.contains("1 passed"),
        "{report}"
    );
}

#[test]
#[ignore = "every_mistake_is_refused runs it, in an environment of its own"]
fn every_mistake_is_refused_whatever_the_text() {
    refuse_all(&cases_without_texts());
}

fn refuse_all(cases: &Path) {
    trybuild::TestCases::new().compile_fail(cases.join("*.rs"));
}

/// Copies of the cases. With `TRYBUILD=overwrite` a case that has no text gets one, and passes if
/// it is refused.
fn cases_without_texts() -> PathBuf {
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fail");
    if copies.exists() {
        fs::remove_dir_all(&copies).expect("old copies can be removed");
    }
    fs::create_dir_all(&copies).expect("a directory can be made for the copies");

    for case in fs::read_dir("fail").expect("the cases can be listed") {
        let case = case.expect("the cases can be listed").path();
        if case.extension().is_some_and(|extension| extension == "rs") {
            fs::copy(
                &case,
                copies.join(case.file_name().expect("a case has a name")),
            )
            .expect("a case can be copied");
        }
    }
    copies
}

/// The version of the compiler, like `1.95.0` or `1.97.0-nightly`.
fn compiler() -> String {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .arg("--version")
        .output()
        .expect("the compiler can be run");
    let version = String::from_utf8(output.stdout).expect("the compiler's version is a string");
    version
        .split_whitespace()
        .nth(1)
        .expect("the compiler says its version after its name")
        .to_owned()
}
