//! Suggestions for a misspelled name.

/// Returns the candidate nearest to `written`, if it is near enough to be worth suggesting.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= written.len().max(candidate.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the number of letters to insert, remove, replace or swap with their neighbour that turns
/// one name into the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.to_lowercase().chars().collect();
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut distances = vec![vec![0; to.len() + 1]; from.len() + 1];

    for row in 0..=from.len() {
        for column in 0..=to.len() {
            distances[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let replaced = usize::from(from[row - 1] != to[column - 1]);
                let mut least = (distances[row - 1][column] + 1)
                    .min(distances[row][column - 1] + 1)
                    .min(distances[row - 1][column - 1] + replaced);
                let swapped = row > 1
                    && column > 1
                    && from[row - 1] == to[column - 2]
                    && from[row - 2] == to[column - 1];
                if swapped {
                    least = least.min(distances[row - 2][column - 2] + 1);
                }
                least
            };
        }
    }

    distances[from.len()][to.len()]
}

/// Joins names to `` `a`, `b` and `c` ``.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{distance, listed, nearest};

    #[test]
    fn a_swap_of_neighbours_is_one_step() {
        assert_eq!(distance("secert_env", "secret_env"), 1);
        assert_eq!(distance("gest", "guest"), 1);
        assert_eq!(distance("", "jwks"), 4);
        assert_eq!(distance("hs256", "HS256"), 0);
    }

    #[test]
    fn a_name_is_suggested_if_it_is_near() {
        let names = ["secret", "secret_env", "guest"];
        assert_eq!(nearest("secert_env", names), Some("secret_env"));
        assert_eq!(nearest("secrets", names), Some("secret"));
        assert_eq!(nearest("database", names), None);
        assert_eq!(nearest("x", names), None);
    }

    #[test]
    fn names_are_listed_with_commas_and_an_and() {
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
