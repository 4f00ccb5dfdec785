//! The demonstration prints what the README says: two processes, a real Redis, real clients.

use std::{
    env,
    io::{self, Write},
    process::{Command, Stdio},
};

#[test]
fn the_readme_shows_what_is_printed() {
    if !redis_is_installed() {
        return;
    }
    let run = Command::new(env!("CARGO_BIN_EXE_cluster"))
        .output()
        .expect("it can be started");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");

    let printed = String::from_utf8(run.stdout).expect("it prints UTF-8");
    let readme = include_str!("../README.md");
    let (_, shown) = readme
        .split_once("$ cargo run -p cluster\n")
        .expect("the README shows it");
    let (shown, _) = shown.split_once("```").expect("the block ends");
    assert_eq!(without_time(&printed), without_time(shown), "{errors}");
}

/// Replaces the time of expiry, and the seconds until then, which are different in each run.
fn without_time(printed: &str) -> String {
    let is_time =
        |part: &&str| part.len() == 10 || (3590..=3600).contains(&part.parse().unwrap_or(0));
    let numbers = printed.split(|c: char| !c.is_ascii_digit()).filter(is_time);
    numbers.fold(printed.to_owned(), |text, time| text.replace(time, "TIME"))
}

/// Whether `redis-server` is installed. It must be in CI, so that the test is not skipped there.
fn redis_is_installed() -> bool {
    let installed = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();

    if !installed {
        assert!(
            env::var_os("CI").is_none(),
            "redis-server is not installed, and CI must not skip this test"
        );
        // Written to stderr directly, because the test harness shows the output of failed tests
        // only.
        writeln!(
            io::stderr(),
            "SKIPPED: redis-server is not installed (Debian: apt-get install redis-server)"
        )
        .ok();
    }

    installed
}
