//! What a benchmark measured, in a file that `charts` draws.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use procfs::{Current, LoadAverage};
use serde::{Deserialize, Serialize};

use crate::{Result, quartiles};

/// Variants that were measured in turns. Lower is better.
#[derive(Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The title of its chart.
    pub title: String,
    /// What a value is.
    pub measure: String,
    /// The unit of a value.
    pub unit: String,
    /// The arguments of `cargo run` that measured it.
    pub command: String,
    /// How often and with what, and what else the machine did.
    pub conditions: String,
    /// The variants. Those of a group are next to each other, the one to compare with first.
    pub rows: Vec<Row>,
}

/// A variant, and what was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// The rows that its ratio is about.
    pub group: String,
    /// What it is called.
    pub name: String,
    /// Its part in the comparison.
    pub role: Role,
    /// One value of each round.
    pub rounds: Vec<f64>,
}

/// The part of a variant in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The others are compared with it.
    Baseline,
    /// This crate.
    Ours,
    /// Something else.
    Other,
}

impl Comparison {
    /// Reads a file of [`write`](Self::write).
    ///
    /// # Errors
    ///
    /// There is no such file.
    pub fn read(file: &Path) -> Result<Self> {
        Ok(serde_json::from_slice(&fs::read(file)?)?)
    }

    /// Writes `<name>.json` into [`results_directory`], which is made if it is missing.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, name: &str) -> Result<()> {
        let directory = results_directory();
        fs::create_dir_all(&directory)?;
        let file = directory.join(name).with_extension("json");
        Ok(fs::write(file, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// The row that the ratio of this one is about: the first of its group.
    pub fn baseline(&self, row: &Row) -> &Row {
        self.rows
            .iter()
            .find(|first| first.group == row.group)
            .unwrap_or(&self.rows[0])
    }
}

impl Row {
    /// The quartiles of its values.
    pub fn quartiles(&self) -> [f64; 3] {
        quartiles(self.rounds.clone())
    }

    /// The quartiles of the ratios to another row in the same rounds, whose noise is shared.
    pub fn ratios(&self, other: &Self) -> [f64; 3] {
        let rounds = self.rounds.iter().zip(&other.rounds);
        quartiles(rounds.map(|(value, base)| value / base).collect())
    }
}

/// The variable `BENCH_RESULTS`, or `benches/results` without it.
pub fn results_directory() -> PathBuf {
    env::var_os("BENCH_RESULTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("results"),
        PathBuf::from,
    )
}

/// What the machine is and does now: how many processes want to run on how many cores.
///
/// # Errors
///
/// The operating system does not say.
pub fn machine_load() -> Result<String> {
    let cores = procfs::CpuInfo::current()?.num_cores();
    let load = LoadAverage::current()?.one;
    Ok(format!("{load:.1} on {cores} cores"))
}
