//! The page shows the attributes that are tested, and names the tests.

use std::{fs, path::Path};

/// The page's blocks of code, without the lines that rustdoc hides.
fn blocks_of_the_page() -> Vec<String> {
    let page = include_str!("../../../../docs/providers.md");
    let blocks = page
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks.map(visible).collect()
}

fn visible(block: &str) -> String {
    let lines = block.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The modules of `attributes.rs`, by name, with the code as the page shows it.
fn modules() -> Vec<(String, String)> {
    let source = include_str!("attributes.rs");
    let modules = source.split("\npub mod ").skip(1).map(|module| {
        let (name, body) = module.split_once(" {\n    use super::*;\n\n").unwrap();
        let body = body.split("\n}\n").next().unwrap();
        let lines = body.lines().map(|line| {
            let line = line.strip_prefix("    ").unwrap_or(line);
            format!("{}\n", line.strip_prefix("pub ").unwrap_or(line))
        });
        (name.to_owned(), lines.collect())
    });
    modules.collect()
}

#[test]
fn the_page_shows_the_attributes_that_are_tested_here() {
    let (_, modules): (Vec<_>, Vec<_>) = modules().into_iter().unzip();
    assert_eq!(blocks_of_the_page(), modules);
}

/// The code of all tests of providers.
fn tests() -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let files = fs::read_dir(keys.join("providers")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .chain([keys.join("providers.rs")])
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

#[test]
fn the_table_of_the_page_names_a_test_for_each_attribute() {
    let page = include_str!("../../../../docs/providers.md");
    let (_, table) = page.split_once("\n## Tests\n").unwrap();
    let (_, rows) = table.split_once("|---|---|\n").unwrap();
    let cells = rows.lines().map(|row| row.split('|').nth(2).unwrap());
    let named: Vec<_> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();

    let tests = tests();
    for name in &named {
        assert!(
            tests.contains(&format!("#[tokio::test]\nasync fn {name}() {{")),
            "{name}"
        );
    }
    for (module, _) in modules() {
        assert!(named.contains(&module.as_str()), "{module}");
    }
}
