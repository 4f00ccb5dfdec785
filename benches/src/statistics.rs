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

/// The first quartile, the median and the third quartile, interpolated between measurements.
///
/// # Panics
///
/// If there are no measurements.
pub fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len() - 1;

    [1, 2, 3].map(|quarter| {
        let (below, fourths) = (last * quarter / 4, last * quarter % 4);
        let above = values[(below + 1).min(last)];
        let part = [0.0, 0.25, 0.5, 0.75][fourths];
        values[below] + (above - values[below]) * part
    })
}

#[cfg(test)]
mod tests {
    use super::quartiles;

    #[test]
    #[expect(clippy::float_cmp, reason = "the values can be written exactly")]
    fn quartiles_are_interpolated() {
        assert_eq!(quartiles(vec![7.0]), [7.0; 3]);
        assert_eq!(quartiles(vec![4.0, 1.0, 3.0, 2.0, 5.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(vec![2.0, 1.0]), [1.25, 1.5, 1.75]);
    }
}
