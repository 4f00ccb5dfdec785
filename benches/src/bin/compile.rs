//! What an attribute costs in an incremental build: the CPU time of `cargo check` after an edit of a
//! crate with many lookups, with the attribute, with the same calls written by hand, and with
//! neither.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin compile [lookups]`

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use procfs::{process::Process, ticks_per_second};
use socketioxide_jwt_auth_benches::{Result, median};

const ROUNDS: usize = 9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Neither,
    ByHand,
    Attribute,
}

const VARIANTS: [Variant; 3] = [Variant::Neither, Variant::ByHand, Variant::Attribute];

/// Where a line is added to a file: before everything, which moves everything, or behind it.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Above,
    Below,
}

fn main() -> Result<()> {
    let lookups = env::args().nth(1).map_or(Ok(200), |count| count.parse())?;
    let packages = Packages::create(lookups)?;
    for variant in VARIANTS {
        packages.check(variant)?;
    }

    println!("{lookups} lookups, CPU time of `cargo check` in ms");
    println!("edit    neither  by hand  attribute  per lookup by hand  per attribute");
    for edit in [Edit::Above, Edit::Below] {
        let mut times = [const { Vec::new() }; VARIANTS.len()];
        for round in 0..ROUNDS {
            for (variant, times) in VARIANTS.into_iter().zip(&mut times) {
                packages.write(variant, &edit.apply(&packages.source(variant), round))?;
                times.push(packages.check(variant)?);
            }
        }

        let [neither, by_hand, attribute] = times.map(median);
        let per_lookup = |time: f64| (time - neither) / f64::from(lookups);
        println!(
            "{:6} {neither:8.0} {by_hand:8.0} {attribute:10.0} {:19.2} {:14.2}",
            format!("{edit:?}").to_lowercase(),
            per_lookup(by_hand),
            per_lookup(attribute),
        );
    }
    Ok(())
}

impl Edit {
    fn apply(self, source: &str, round: usize) -> String {
        let line = format!("// edit {}\n", "x".repeat(round));
        match self {
            Self::Above => [line.repeat(round + 1).as_str(), source].concat(),
            Self::Below => [source, &line].concat(),
        }
    }
}

/// A workspace with a package for each variant.
struct Packages {
    directory: PathBuf,
    lookups: u32,
}

impl Packages {
    /// Replaces those of an earlier run, but for what was built.
    fn create(lookups: u32) -> Result<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()?;
        let target = env::var_os("CARGO_TARGET_DIR");
        let target = target.map_or_else(|| repository.join("target"), PathBuf::from);
        let directory = target.join("compile");
        fs::create_dir_all(&directory)?;
        let packages = Self { directory, lookups };

        fs::write(
            packages.directory.join("Cargo.toml"),
            "[workspace]\nmembers = [\"neither\", \"byhand\", \"attribute\"]\nresolver = \"3\"\n",
        )?;
        fs::copy(
            repository.join("Cargo.lock"),
            packages.directory.join("Cargo.lock"),
        )?;
        for variant in VARIANTS {
            let package = packages.directory.join(variant.name());
            fs::create_dir_all(package.join("src"))?;
            fs::write(package.join("Cargo.toml"), manifest(variant, &repository))?;
            packages.write(variant, &packages.source(variant))?;
        }
        Ok(packages)
    }

    fn write(&self, variant: Variant, source: &str) -> Result<()> {
        let file = self.directory.join(variant.name()).join("src/lib.rs");
        Ok(fs::write(file, source)?)
    }

    fn source(&self, variant: Variant) -> String {
        let lookups = (0..self.lookups).map(|number| variant.lookup(number));
        [TYPES.to_owned()].into_iter().chain(lookups).collect()
    }

    /// Returns the CPU time in milliseconds, of all processes.
    fn check(&self, variant: Variant) -> Result<f64> {
        let before = children_ms()?;
        let status = Command::new("cargo")
            .args(["check", "--quiet", "--offline", "--package", variant.name()])
            .env("CARGO_TARGET_DIR", self.directory.join("target"))
            .env("CARGO_INCREMENTAL", "1")
            .current_dir(&self.directory)
            .status()?;
        if !status.success() {
            return Err(format!("{variant:?} does not compile").into());
        }
        Ok(children_ms()? - before)
    }
}

/// Returns the CPU time of the processes that this one has waited for.
#[expect(
    clippy::cast_precision_loss,
    reason = "a measurement is not that exact"
)]
fn children_ms() -> Result<f64> {
    let stat = Process::myself()?.stat()?;
    Ok((stat.cutime + stat.cstime) as f64 * 1000.0 / ticks_per_second() as f64)
}

fn manifest(variant: Variant, repository: &Path) -> String {
    format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nserde = {{ version = \"1\", \
         features = [\"derive\"] }}\nsocketioxide = {{ version = \"0.18\", features = [\"state\"] \
         }}\nsocketioxide-jwt-auth = {{ path = \"{}/runtime\" }}\n",
        variant.name(),
        repository.display()
    )
}

const TYPES: &str = r#"//! Generated by the benchmark `compile`.
#![allow(dead_code, unused_imports, non_camel_case_types)]

use serde::Deserialize;
use socketioxide::extract::State;
use socketioxide_jwt_auth::{
    ConfigError, JwtAuth, JwtAuthBuilder, LookupContext, LookupOn, LookupRequest, LookupResult, UserLookup,
    FromLookupRequest, jwt_auth,
};

#[derive(Deserialize)]
pub struct Claims {
    sub: String,
}

pub struct User {
    id: String,
}

#[derive(Clone)]
pub struct Users;
"#;

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::Neither => "neither",
            Self::ByHand => "byhand",
            Self::Attribute => "attribute",
        }
    }

    fn lookup(self, number: u32) -> String {
        let attribute = r#"
#[jwt_auth(
    secret_env = "JWT_SECRET",
    issuer = "https://issuer.example",
    audience = ["chat", "admin"],
    authenticate_event = "authenticate",
    user_key = |user: &User| &user.id,
)]"#;
        let function = format!(
            "
pub async fn lookup_{number}(claims: Claims, State(_): State<Users>) -> Option<User> {{
    Some(User {{ id: claims.sub }})
}}
"
        );
        match self {
            Self::Neither => function,
            Self::Attribute => [attribute, &function].concat(),
            Self::ByHand => [&function, &BY_HAND.replace("NUMBER", &number.to_string())]
                .map(String::as_str)
                .concat(),
        }
    }
}

/// The least that does the same.
const BY_HAND: &str = r#"
pub struct Lookup_NUMBER;

impl Lookup_NUMBER {
    pub fn middleware() -> Result<JwtAuth<Self>, ConfigError> {
        Self::builder().build()
    }

    pub fn builder() -> JwtAuthBuilder<Self> {
        JwtAuthBuilder::new(Self)
            .secret_env("JWT_SECRET")
            .issuer("https://issuer.example")
            .audience(["chat", "admin"])
            .authenticate_event("authenticate")
            .user_key(|user: &User| user.id.clone())
    }
}

impl UserLookup for Lookup_NUMBER {
    type Claims = Claims;
    type User = User;
}

impl<C: LookupContext> LookupOn<C> for Lookup_NUMBER
where
    State<Users>: FromLookupRequest<C>,
{
    async fn look_up<'a>(&'a self, claims: Option<Claims>, request: LookupRequest<'a, C>) -> LookupResult<User> {
        let Some(claims) = claims else {
            return Ok(None);
        };
        Ok(lookup_NUMBER(claims, request.extract()?).await)
    }
}
"#;
