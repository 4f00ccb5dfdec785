//! What the operator is told when files of keys change.

use std::{fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use socketioxide_jwt_auth::{JwtAuthBuilder, Verifier};
use socketioxide_jwt_auth_tests::{
    Log, OTHER_SECRET, SECRET, authenticate, mint, seconds_from_now,
};
use tokio::time::advance;

const INTERVAL: Duration = Duration::from_secs(30);

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reloaded-{name}"))
}

async fn outcome(verifier: &Verifier, secret: &str) -> &'static str {
    let claims = json!({ "sub": "ada", "exp": seconds_from_now(3600) });
    let verified = verifier.verify::<Value>(&mint(&claims, secret)).await;
    verified.map_or_else(|error| error.code().as_str(), |_| "accepted")
}

#[tokio::test(start_paused = true)]
async fn each_bad_content_is_logged_once_and_never_shown() {
    const PROBLEM: &str = "the old keys are kept";
    let log = Log::capture();
    let path = file("bad");
    fs::write(&path, SECRET).unwrap();
    let verifier = Verifier::builder()
        .secret_file(path.to_str().unwrap())
        .reload_keys("30s")
        .build()
        .unwrap();

    for (number, bad) in ["too short a secret", "", "another that is too short"]
        .into_iter()
        .enumerate()
    {
        fs::write(&path, bad).unwrap();
        for _ in 0..3 {
            advance(INTERVAL).await;
            assert_eq!(outcome(&verifier, SECRET).await, "accepted");
            assert_eq!(log.lines_with(PROBLEM).len(), number + 1);
        }
    }

    fs::remove_file(&path).unwrap();
    for _ in 0..3 {
        advance(INTERVAL).await;
        assert_eq!(outcome(&verifier, SECRET).await, "accepted");
    }
    let lines = log.lines_with(PROBLEM);
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, part) in lines
        .iter()
        .zip(["144 bits", "is empty", "200 bits", "cannot be read"])
    {
        assert!(
            line.contains("ERROR") && line.contains(path.to_str().unwrap()) && line.contains(part),
            "{part}: {line}"
        );
    }
    assert_eq!(log.lines_with("loaded again"), [""; 0]);

    fs::write(&path, format!("{OTHER_SECRET} \n")).unwrap();
    for _ in 0..3 {
        advance(INTERVAL).await;
        assert_eq!(outcome(&verifier, SECRET).await, "token_signature_invalid");
    }
    let lines = log.lines_with("loaded again");
    assert!(
        lines.len() == 1 && lines[0].contains("INFO") && lines[0].contains("reloaded-bad"),
        "{lines:?}"
    );
    assert_eq!(log.lines_with("white space").len(), 1, "as at the start");
    assert_eq!(log.lines_with(PROBLEM).len(), 4);
    for shown in ["too short a secret", &OTHER_SECRET[..20], &SECRET[..20]] {
        assert!(!log.text().contains(shown), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_middleware_reloads_its_files() {
    let path = file("middleware");
    fs::write(&path, SECRET).unwrap();
    let builder: JwtAuthBuilder<authenticate> =
        authenticate::builder().secret_file(path.to_str().unwrap());
    let middleware = builder.reload_keys(INTERVAL).build().unwrap();
    let verifier = middleware.verifier();

    assert_eq!(outcome(verifier, SECRET).await, "accepted");
    fs::write(&path, OTHER_SECRET).unwrap();
    advance(INTERVAL).await;
    assert_eq!(outcome(verifier, SECRET).await, "token_signature_invalid");
    assert_eq!(outcome(verifier, OTHER_SECRET).await, "accepted");
}
