//! Tests that run in a process of their own.

use std::{env, fmt::Display, process::Command};

/// The outcome of the child follows this.
const OUTCOME: &str = "OUTCOME: ";

/// Runs one test of this binary in a process of its own, with the environment that the caller gives
/// it, and returns what it [reports](report). Such a test is `#[ignore]`d, because it needs that
/// environment.
///
/// A process with threads cannot set its own environment variables safely.
///
/// # Panics
///
/// If the child reports nothing.
pub fn outcome_of_child(test: &str, prepare: impl FnOnce(&mut Command)) -> String {
    let mut child = Command::new(env::current_exe().expect("a test is a program"));
    child.args([test, "--exact", "--ignored", "--nocapture"]);
    prepare(&mut child);
    let output = child.output().expect("a test can be run");
    let output = String::from_utf8(output.stdout).expect("a test prints text");
    let outcome = output.lines().find_map(|line| line.split_once(OUTCOME));
    outcome
        .unwrap_or_else(|| panic!("no outcome: {output}"))
        .1
        .to_owned()
}

/// Reports the outcome of the child to its parent.
pub fn report(outcome: impl Display) {
    println!("{OUTCOME}{outcome}");
}
