//! The README shows the code of the quickstart, without its clients, its generated secret and its address option.

#[test]
fn the_readme_shows_the_quickstart() {
    let readme = include_str!("../../../README.md");
    let shown = readme.split("```rust,no_run\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();

    let own = include_str!("../../../examples/quickstart/src/main.rs");
    let server: Vec<_> = own.lines().skip_while(|line| !line.starts_with("use ")).collect();
    let server: Vec<_> = server.into_iter().filter(|line| !line.contains("clients")).collect();
    let server = server.join("\n");
    let server = server.replace("authenticate::builder().secret(&secret).build()?", "authenticate::middleware()?");
    let server = server.replace("bind(address)", r#"bind("127.0.0.1:3000")"#);
    assert_eq!(shown.trim(), server.trim());
}
