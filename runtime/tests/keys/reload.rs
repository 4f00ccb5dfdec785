//! Files of keys and secrets that change while the server runs, on a virtual clock.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    pin::pin,
    process::Command,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::join_all};
use serde_json::Value;
use socketioxide_jwt_auth::{ConfigErrorKind, Issuer, Verifier, VerifierBuilder};
use tokio::{
    runtime::{Builder, Handle},
    time::advance,
};

use super::{
    claims, refuses,
    support::{Algorithm, SECRET, Signer, fixture, jwk, jwk_of_pem, key_set, named},
};

const NEW: &str = "a new secret of the tests, also with more than the bytes that HS512 asks for";

const INTERVAL: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(1);

/// The directory of one test.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("reload-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }
}

fn with_secret(file: &str) -> Verifier {
    let builder = Verifier::builder().secret_file(file).reload_keys("30s");
    builder.build().unwrap()
}

fn token(secret: &str) -> String {
    Signer::hmac(Algorithm::HS256, secret.as_bytes()).token(&claims())
}

async fn outcome(verifier: &Verifier, token: &str) -> &'static str {
    let verified = verifier.verify::<Value>(token).await;
    verified.map_or_else(|error| error.code().as_str(), |_| "accepted")
}

const REFUSED: &str = "token_signature_invalid";

#[tokio::test(start_paused = true)]
async fn a_changed_file_replaces_its_keys_after_the_interval() {
    let directory = Directory::new("changed");
    let verifier = with_secret(&directory.write("secret", SECRET));
    let (old, new) = (token(SECRET), token(NEW));

    directory.write("secret", format!("{NEW}\n"));
    for wait in [Duration::ZERO, INTERVAL - MOMENT] {
        advance(wait).await;
        assert_eq!(outcome(&verifier, &old).await, "accepted");
        assert_eq!(outcome(&verifier, &new).await, REFUSED);
    }

    advance(MOMENT).await;
    assert_eq!(outcome(&verifier, &new).await, "accepted");
    assert_eq!(outcome(&verifier, &old).await, REFUSED);

    directory.write("secret", SECRET);
    advance(INTERVAL - MOMENT).await;
    assert_eq!(outcome(&verifier, &old).await, REFUSED);
    advance(MOMENT).await;
    assert_eq!(outcome(&verifier, &old).await, "accepted");
    assert_eq!(outcome(&verifier, &new).await, REFUSED);
}

/// Not even the first one, or those that come together, after hours without a token.
#[tokio::test(start_paused = true)]
async fn a_removed_key_verifies_no_token_after_the_interval() {
    let directory = Directory::new("removed");
    let verifier = with_secret(&directory.write("secret", SECRET));
    let old = token(SECRET);
    directory.write("secret", NEW);

    advance(Duration::from_hours(10)).await;
    let outcomes = join_all((0..100).map(|_| outcome(&verifier, &old))).await;
    assert_eq!(outcomes, [REFUSED; 100]);
}

#[tokio::test(start_paused = true)]
async fn a_bad_file_keeps_the_old_keys_until_there_is_a_good_one() {
    let directory = Directory::new("bad");
    let path = directory.write("secret", SECRET);
    let verifier = with_secret(&path);

    for bad in ["", "\n", "short", fixture!("rsa.pem")] {
        directory.write("secret", bad);
        advance(INTERVAL).await;
        assert_eq!(
            outcome(&verifier, &token(SECRET)).await,
            "accepted",
            "{bad}"
        );
    }

    fs::remove_file(&path).unwrap();
    advance(INTERVAL).await;
    assert_eq!(outcome(&verifier, &token(SECRET)).await, "accepted");

    directory.write("secret", NEW);
    advance(INTERVAL).await;
    assert_eq!(outcome(&verifier, &token(SECRET)).await, REFUSED);
    assert_eq!(outcome(&verifier, &token(NEW)).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn one_bad_file_of_a_list_keeps_all_old_keys() {
    let directory = Directory::new("list");
    let files = [
        directory.write("first", SECRET),
        directory.write("second", NEW),
    ];
    let builder = Verifier::builder()
        .secret_file(&files)
        .reload_keys(INTERVAL);
    let verifier = builder.build().unwrap();
    let other = "another secret of the tests, with the bytes that HS256 asks for";

    directory.write("first", other);
    directory.write("second", "");
    advance(INTERVAL).await;
    for (secret, expected) in [(SECRET, "accepted"), (NEW, "accepted"), (other, REFUSED)] {
        assert_eq!(outcome(&verifier, &token(secret)).await, expected);
    }

    directory.write("second", NEW);
    advance(INTERVAL).await;
    for (secret, expected) in [(SECRET, REFUSED), (NEW, "accepted"), (other, "accepted")] {
        assert_eq!(outcome(&verifier, &token(secret)).await, expected);
    }
}

/// The content has the same length and the same time of its last change.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_volume_of_kubernetes_is_replaced_by_moving_a_symbolic_link() {
    use std::os::unix::fs::symlink;

    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let directory = Directory::new("kubernetes");
    let (first, second) = ("a".repeat(40), "b".repeat(40));
    for (version, secret) in [("..1", &first), ("..2", &second)] {
        fs::create_dir(directory.0.join(version)).unwrap();
        let path = directory.write(&format!("{version}/secret"), secret);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(changed).unwrap();
    }
    let path = |name: &str| directory.0.join(name);
    symlink("..1", path("..data")).unwrap();
    symlink("..data/secret", path("secret")).unwrap();

    let verifier = with_secret(&directory.path("secret"));
    assert_eq!(outcome(&verifier, &token(&first)).await, "accepted");

    symlink("..2", path("..new")).unwrap();
    fs::rename(path("..new"), path("..data")).unwrap();
    advance(INTERVAL).await;
    assert_eq!(outcome(&verifier, &token(&first)).await, REFUSED);
    assert_eq!(outcome(&verifier, &token(&second)).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn public_keys_and_sets_are_reloaded_too() {
    let directory = Directory::new("public");
    let pem = directory.write("key.pem", fixture!("p256.pem"));
    let set = key_set(&[named(jwk(Algorithm::EdDSA), "a")]);
    let jwks = directory.write("jwks.json", set);
    let pem = Verifier::builder().public_key_file(pem).algorithm("ES256");
    let jwks = Verifier::builder().jwks_file(jwks).algorithm("EdDSA");
    let [pem, jwks] = [pem, jwks].map(|builder| builder.reload_keys("30s").build().unwrap());

    let token = |signer: Signer| signer.token(&claims());
    let es256 = [Signer::new, Signer::foreign].map(|signer| token(signer(Algorithm::ES256)));
    let ed25519 = [Signer::new, Signer::foreign].map(|signer| token(signer(Algorithm::EdDSA)));
    for (verifier, tokens) in [(&pem, &es256), (&jwks, &ed25519)] {
        assert_eq!(outcome(verifier, &tokens[0]).await, "accepted");
        assert_eq!(outcome(verifier, &tokens[1]).await, REFUSED);
    }

    directory.write("key.pem", fixture!("p256-other.pem"));
    let other = named(jwk_of_pem(fixture!("ed25519-other.pem")), "b");
    directory.write("jwks.json", key_set(&[other]));
    advance(INTERVAL).await;
    for (verifier, tokens) in [(&pem, &es256), (&jwks, &ed25519)] {
        assert_eq!(outcome(verifier, &tokens[0]).await, REFUSED);
        assert_eq!(outcome(verifier, &tokens[1]).await, "accepted");
    }

    // No key of theirs fits the algorithm.
    directory.write("key.pem", fixture!("rsa.pem"));
    directory.write("jwks.json", key_set(&[jwk(Algorithm::RS256)]));
    advance(INTERVAL).await;
    for (verifier, tokens) in [(&pem, &es256), (&jwks, &ed25519)] {
        assert_eq!(outcome(verifier, &tokens[1]).await, "accepted");
    }
}

#[test]
fn a_verifier_that_was_built_outside_of_a_runtime_reloads_in_one() {
    let directory = Directory::new("outside");
    let verifier = with_secret(&directory.write("secret", SECRET));
    directory.write("secret", NEW);

    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        advance(INTERVAL).await;
        assert_eq!(outcome(&verifier, &token(NEW)).await, "accepted");
    });
}

/// Lets go of a reader when it is dropped, so that a test that fails does not wait for it.
#[cfg(unix)]
struct Pipe<'a>(&'a str);

#[cfg(unix)]
impl Drop for Pipe<'_> {
    fn drop(&mut self) {
        let both = fs::File::options().read(true).write(true).open(self.0);
        drop(both);
    }
}

/// A file system that does not answer: a pipe that nothing is written to.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_read_in_time_keeps_the_old_keys() {
    let directory = Directory::new("hanging");
    let path = directory.write("secret", SECRET);
    let verifier = with_secret(&path);
    let (old, new) = (token(SECRET), token(NEW));

    let pipe = directory.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    fs::rename(&pipe, &path).unwrap();
    let _pipe = Pipe(&path);
    advance(INTERVAL).await;

    let mut verification = pin!(outcome(&verifier, &old));
    assert_eq!(verification.as_mut().now_or_never(), None);
    advance(Duration::from_secs(2)).await;
    assert_eq!(verification.await, "accepted");
    assert_eq!(
        outcome(&verifier, &old).now_or_never(),
        Some("accepted"),
        "no other token waits"
    );

    // It answers at last.
    let mut pipe = fs::File::options().write(true).open(&path).unwrap();
    fs::rename(directory.write("new", NEW), &path).unwrap();
    pipe.write_all(NEW.as_bytes()).unwrap();
    drop(pipe);
    advance(INTERVAL).await;
    assert_eq!(outcome(&verifier, &new).await, "accepted");
    assert_eq!(outcome(&verifier, &old).await, REFUSED);
}

#[tokio::test(start_paused = true)]
async fn no_task_is_left() {
    let directory = Directory::new("tasks");
    let verifier = with_secret(&directory.write("secret", SECRET));
    let tasks = || Handle::current().metrics().num_alive_tasks();
    for _ in 0..3 {
        advance(INTERVAL).await;
        assert_eq!(outcome(&verifier, &token(SECRET)).await, "accepted");
        assert_eq!(tasks(), 0);
    }
    drop(verifier);
    advance(INTERVAL).await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_reloads_its_files() {
    let directory = Directory::new("issuer");
    let path = directory.write("secret", SECRET);
    let with_file = || Issuer::new("a").secret_file(&path);
    let without = || Issuer::new("b").secret(SECRET);
    let mut claims = claims();
    claims["iss"] = "a".into();
    let token = |secret: &str| Signer::hmac(Algorithm::HS256, secret.as_bytes()).token(&claims);

    for builder in [
        Verifier::builder().issuers([with_file().reload_keys("30s"), without()]),
        Verifier::builder()
            .issuers([without(), with_file()])
            .reload_keys("30s"),
        Verifier::builder()
            .issuers([with_file().reload_keys("30s")])
            .reload_keys("1day"),
    ] {
        directory.write("secret", SECRET);
        let verifier = builder.build().unwrap();
        directory.write("secret", NEW);
        advance(INTERVAL).await;
        assert_eq!(outcome(&verifier, &token(SECRET)).await, REFUSED);
        assert_eq!(outcome(&verifier, &token(NEW)).await, "accepted");
    }
}

#[test]
fn the_interval_is_a_second_at_least_and_needs_a_file() {
    let directory = Directory::new("settings");
    let path = directory.write("secret", SECRET);
    let with_file = || Verifier::builder().secret_file(&path);

    for time in ["1s", "30s", "1day"] {
        with_file().reload_keys(time).build().unwrap();
    }
    with_file()
        .reload_keys(Duration::MAX)
        .build()
        .expect("as good as never");
    for time in ["999ms", "0s", "1s30"] {
        refuses(with_file().reload_keys(time), "reload_keys", "30s");
    }

    let source = |builder: VerifierBuilder| builder.reload_keys("30s");
    for builder in [
        source(Verifier::builder().secret(SECRET)),
        source(Verifier::builder().jwks("{}").algorithm("RS256")),
        source(
            Verifier::builder()
                .public_key(fixture!("rsa.pem"))
                .algorithm("RS256"),
        ),
        source(Verifier::builder().issuers([Issuer::new("a").secret(SECRET)])),
        Verifier::builder().issuers([
            Issuer::new("a").secret(SECRET).reload_keys("30s"),
            Issuer::new("b").secret_file(&path),
        ]),
    ] {
        let error = builder.clone().build().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Contradiction);
        refuses(builder, "reload_keys", "secret_file");
    }

    let no_keys = source(Verifier::builder()).build().unwrap_err();
    assert!(!no_keys.to_string().contains("reload_keys"), "{no_keys}");
    assert!(Path::new(&path).exists());
}
