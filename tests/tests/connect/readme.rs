//! README, guides and architecture page show what is in the repository: the code of the quickstart
//! (without its clients, their issuer and its address option), every code, every guide and every
//! source file.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;
use socketioxide_jwt_auth::{AuthError, ErrorCode};
use socketioxide_jwt_auth_tests::refusal;

#[test]
fn the_readme_shows_the_quickstart() {
    let readme = include_str!("../../../README.md");
    let shown = readme
        .split("```rust,no_run\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();

    let own = include_str!("../../../examples/quickstart/src/main.rs");
    let server: Vec<_> = own
        .lines()
        .skip_while(|line| !line.starts_with("use "))
        .collect();
    let server: Vec<_> = server
        .into_iter()
        .filter(|line| !line.contains("clients"))
        .collect();
    let server = server.join("\n");
    let server = server.replace(
        "authenticate::builder().test_issuer(&issuer).build()?",
        "authenticate::middleware()?",
    );
    let server = server.replace("bind(address)", r#"bind("127.0.0.1:3000")"#);
    assert_eq!(shown.trim(), server.trim());
}

#[test]
fn the_readme_pages_show_refusals_as_they_are_sent() {
    // These clients print the members in the order of the alphabet.
    for (page, code) in [
        (
            include_str!("../../../examples/quickstart/README.md"),
            "login_required",
        ),
        (
            include_str!("../../../examples/cluster/README.md"),
            "forbidden",
        ),
    ] {
        let answer = json!({ "error": refusal(code) }).to_string();
        assert!(page.contains(&answer), "{answer}");
    }

    let refusal = serde_json::to_string(&AuthError::from(ErrorCode::LoginRequired)).unwrap();
    let answer = format!(r#"{{"error":{refusal}}}"#);
    assert!(
        include_str!("../../../README.md").contains(&answer),
        "{answer}"
    );
}

#[test]
fn the_guide_to_errors_lists_every_code_under_its_action() {
    let guide = include_str!("../../../docs/errors.md");
    for code in ErrorCode::ALL {
        let start = format!("| `{}` |", code.action());
        let row = guide.lines().find(|line| line.starts_with(&start));
        let named = format!("`{code}`");
        assert!(row.is_some_and(|row| row.contains(&named)), "{code}");
    }
}

/// The registry's page shows the README alone, so each of its links is a whole URL.
#[test]
fn the_readme_has_no_links_into_the_repository() {
    let readme = include_str!("../../../README.md");
    assert!(!readme.contains("]("), "no link but those at the end");
    let links: Vec<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.split_once("]: "))
        .collect();
    assert!(!links.is_empty());
    for (name, url) in links {
        assert!(url.starts_with("https://"), "{name}: {url}");
    }
}

#[test]
fn every_guide_is_a_page_and_is_on_both_front_pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let guides = include_str!("../../../runtime/src/guide.rs");
    let front = include_str!("../../../runtime/src/lib.rs");

    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let module = file.strip_suffix(".md").unwrap().replace('-', "_");
        assert!(guides.contains(&format!("/docs/{file}\"")), "{file}");
        assert!(guides.contains(&format!("]({module}) |")), "{file}");
        assert!(front.contains(&format!("(guide::{module})")), "{file}");
        assert!(root.join("runtime/docs").join(&file).exists(), "{file}");
    }
}

#[test]
fn the_architecture_lists_every_source_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = include_str!("../../../ARCHITECTURE.md");

    for folder in ["runtime/src", "macros/src"] {
        let (_, section) = text.split_once(&format!("## `{folder}`\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        // The names stand in the first column, in backticks.
        let columns = section.lines().filter_map(|line| line.split('|').nth(1));
        let names = columns.flat_map(|column| column.split('`').skip(1).step_by(2));
        let listed: BTreeSet<_> = names.map(str::to_owned).collect();

        let mut files = BTreeSet::new();
        collect_files(&root.join(folder), "", &mut files);
        assert_eq!(listed, files, "in {folder}");
    }
}

/// Collects the paths of the source files in a folder, without those that hold unit tests only.
fn collect_files(folder: &Path, prefix: &str, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if name.ends_with("tests") || name.ends_with("tests.rs") {
            continue;
        }

        if entry.file_type().unwrap().is_dir() {
            collect_files(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name);
        }
    }
}
