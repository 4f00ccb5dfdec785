//! The table of log entries in `docs/logs.md` against the source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Level and fields.
type Entry = (String, BTreeSet<String>);

const REFUSAL: &str = "ERROR, INFO, DEBUG";

/// Returns the rows of the table by their messages.
fn table() -> BTreeMap<String, Entry> {
    let text = include_str!("../../../docs/logs.md");
    let (_, section) = text.split_once("## Entries\n").unwrap();
    let section = section.split("\n## ").next().unwrap();

    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", message, level, fields, _, ""] = columns.as_slice() else {
            panic!("not four columns: {line}")
        };
        let message = message.trim_matches('`');
        let fields = fields.split('`').skip(1).step_by(2).map(str::to_owned);
        let row = ((*level).to_owned(), fields.collect());
        assert!(rows.insert(message.to_owned(), row).is_none(), "{message}");
    }
    rows
}

/// Returns the sources, each with its path.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.display().to_string();
            found.push((name, fs::read_to_string(path).unwrap()));
        }
    }
}

/// Returns the arguments of each call that begins with `start`, which ends with a parenthesis.
fn calls<'a>(source: &'a str, start: &str) -> Vec<&'a str> {
    let after = source.split(start).skip(1);
    after.map(|rest| &rest[..end_of_call(rest)]).collect()
}

/// Returns where the parenthesis of a call is closed.
fn end_of_call(rest: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (1, false, false);

    for (index, character) in rest.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' if !in_string => depth += 1,
            ')' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }

    panic!("not closed: {rest}");
}

/// Splits arguments at the commas outside of strings and parentheses.
fn arguments(call: &str) -> Vec<String> {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut arguments = vec![String::new()];

    for character in call.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '(' | '[' if !in_string => depth += 1,
            ')' | ']' if !in_string => depth -= 1,
            ',' if !in_string && depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(character);
    }

    arguments
        .into_iter()
        .map(|argument| argument.trim().to_owned())
        .filter(|argument| !argument.is_empty())
        .collect()
}

/// Returns the content of a string literal, with `…` for what varies: placeholders, and what stands
/// in backticks, which would end the code in the table.
fn message(literal: &str) -> String {
    let text = literal.trim_matches('"');
    let mut lines = text.split("\\\n").map(str::trim_start);
    let joined: String = lines.by_ref().collect();

    let mut message = String::new();
    let mut until = None;
    for character in joined.chars() {
        match (until, character) {
            (Some(end), _) if character == end => until = None,
            (Some(_), _) => {}
            (None, '{' | '`') => {
                message.push('…');
                until = Some(if character == '{' { '}' } else { '`' });
            }
            (None, _) => message.push(character),
        }
    }
    message
}

fn is_literal(argument: &str) -> bool {
    argument.starts_with('"') && argument.ends_with('"')
}

/// Returns the name of a field: `name = value`, `%name`, `name`.
fn field(argument: &str) -> String {
    let name = argument.split('=').next().unwrap().trim();
    name.trim_start_matches(['%', '?'])
        .trim_matches('"')
        .to_owned()
}

fn fields<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// Returns the entries of the source by their messages.
fn entries() -> BTreeMap<String, Entry> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    sources(&root.join("runtime/src"), &mut files);
    assert!(files.len() > 100);

    let mut entries = BTreeMap::new();
    for (path, source) in &files {
        assert!(!source.contains("tracing::event!"), "{path}");
        assert!(!source.contains("use tracing"), "{path}");
        for level in ["error", "warn", "info", "debug", "trace"] {
            for call in calls(source, &format!("tracing::{level}!(")) {
                let arguments = arguments(call);
                let text = arguments.iter().position(|argument| is_literal(argument));
                let text = text.unwrap_or_else(|| panic!("no message: {call}"));
                let found: BTreeSet<_> = arguments[..text].iter().map(|one| field(one)).collect();
                let message = message(&arguments[text]);
                // The functions of `log.rs` get their message from a caller.
                if message != "…" {
                    add(&mut entries, message, &level.to_uppercase(), found);
                }
            }
        }

        let refusal = fields(["namespace", "socket", "code", "detail", "cause"]);
        let admitted = fields(["namespace", "socket", "as"]);
        let ended = fields(["namespace", "socket", "code", "detail"]);
        for (start, level, fields) in [
            ("log::refusal(", REFUSAL, &refusal),
            ("log::refused(", REFUSAL, &refusal),
            ("log::admitted(", "DEBUG", &admitted),
            ("log::ended(", "INFO", &ended),
        ] {
            for call in calls(source, start) {
                let last = arguments(call).pop().unwrap();
                if is_literal(&last) {
                    add(&mut entries, message(&last), level, fields.clone());
                } else {
                    assert_eq!(last, "refused", "{path}: log::…({call}) has no message");
                }
            }
        }
    }
    entries
}

/// Adds an entry, or the level and the fields that a second one with this message has.
fn add(
    entries: &mut BTreeMap<String, Entry>,
    message: String,
    level: &str,
    fields: BTreeSet<String>,
) {
    let entry = entries
        .entry(message)
        .or_insert_with(|| (level.to_owned(), BTreeSet::new()));

    if !entry.0.contains(level) {
        entry.0 = format!("{}, {level}", entry.0);
    }
    entry.1.extend(fields);
}

#[test]
fn the_table_of_log_entries_is_that_of_the_source() {
    let (table, entries) = (table(), entries());
    for (message, entry) in &entries {
        assert_eq!(table.get(message), Some(entry), "{message}");
    }
    for message in table.keys() {
        assert!(
            entries.contains_key(message),
            "not in the source: {message}"
        );
    }
}

#[test]
fn a_log_entry_is_parsed_with_level_fields_and_message() {
    let source = r#"
        tracing::info!(
            namespace = &*namespace(socket),
            %socket,
            "as" = kind,
            "it's {what}, (a) \
             `b`, c",
        );
    "#;
    let calls = calls(source, "tracing::info!(");
    let arguments = arguments(calls[0]);
    let names: Vec<_> = arguments[..3].iter().map(|one| field(one)).collect();
    assert_eq!(names, ["namespace", "socket", "as"]);
    assert!(!is_literal(&arguments[2]) && is_literal(&arguments[3]));
    assert_eq!(message(&arguments[3]), "it's …, (a) …, c");
}
