//! Tries that meet each other at different moments.

use std::fmt::Debug;

use futures_util::{StreamExt, stream};

/// How often [`race`] tries.
pub const TRIES: usize = 300;

/// Lets other tasks run this number of times.
pub async fn let_run(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// Runs [`TRIES`] tries, a few at a time, and counts the two ends that are possible.
///
/// # Panics
///
/// If a try has another end, or if one of the two does not occur: then the tries were not at
/// different moments.
pub async fn race<E, F>(possible: [E; 2], attempt: impl Fn(usize) -> F)
where
    E: Debug + PartialEq,
    F: Future<Output = E>,
{
    let tries: Vec<_> = (0..TRIES).map(&attempt).collect();
    let ends: Vec<_> = stream::iter(tries).buffer_unordered(8).collect().await;
    let counts = [0, 1].map(|end| ends.iter().filter(|found| **found == possible[end]).count());
    println!("{possible:?}: {counts:?}");
    assert_eq!(counts[0] + counts[1], TRIES, "{ends:?}");
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}
