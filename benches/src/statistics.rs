/// The middle of measurements that were taken in turns.
///
/// # Panics
///
/// If there are none.
pub fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable_by(|a, b| a.partial_cmp(b).expect("a measurement is a number"));
    values[values.len() / 2]
}

/// A part of a whole, for whatever is measured in whole numbers below 2^52.
#[expect(
    clippy::cast_precision_loss,
    reason = "a measurement is not that exact"
)]
pub fn per(total: i64, count: usize) -> f64 {
    total as f64 / count as f64
}
