//! The demonstration prints what its README shows.

use std::{
    io::{self, BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// The process of the quickstart, which runs until it is ended.
struct Quickstart(Child);

impl Drop for Quickstart {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut quickstart = Quickstart(command.spawn().expect("it can be started"));

    // The clients have a time limit for each answer, so the demonstration ends.
    let stdout = BufReader::new(quickstart.0.stdout.take().expect("its output is a pipe"));
    let lines: io::Result<Vec<_>> = stdout
        .lines()
        .take_while(|line| !matches!(line, Ok(line) if line.is_empty()))
        .collect();
    let printed = lines.expect("it prints UTF-8").join("\n");

    let readme = include_str!("../README.md");
    let (_, shown) = readme
        .split_once("```text\n$ cargo run -p quickstart\n")
        .expect("the README shows it");
    let (shown, _) = shown.split_once("\n```").expect("the block ends");
    assert_eq!(printed, shown);
}
