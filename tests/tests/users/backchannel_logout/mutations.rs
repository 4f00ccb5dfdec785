//! Every small change of a good token.

use futures_util::{StreamExt, stream};

use super::{Endpoint, claims, log_in, logout_token};

/// Encodes every byte, so that the form does not change the token.
fn percent_encoded(token: &[u8]) -> String {
    token.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn no_changed_token_is_accepted() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let token = logout_token(&claims()).into_bytes();
    let mut changed = Vec::new();

    for position in 0..token.len() {
        for bit in 0..8 {
            let mut flipped = token.clone();
            flipped[position] ^= 1 << bit;
            changed.push(flipped);
        }
        let mut shorter = token.clone();
        shorter.remove(position);
        changed.push(shorter);
        let mut longer = token.clone();
        longer.insert(position, b'A');
        changed.push(longer);
        changed.push(token[..position].to_vec());
        if position > 0 && token[position - 1] != token[position] {
            let mut swapped = token.clone();
            swapped.swap(position - 1, position);
            changed.push(swapped);
        }
    }
    // An `A` before another one is the same token with an `A` at its end.
    changed.retain(|changed| *changed != token);
    assert!(changed.len() > 4000, "{}", changed.len());

    let answers = stream::iter(changed).map(|token| {
        let (endpoint, token) = (&endpoint, percent_encoded(&token));
        async move { (endpoint.send(&token).await, token) }
    });
    let answers: Vec<_> = answers.buffer_unordered(16).collect().await;
    for (status, token) in answers {
        assert_eq!(status, 400, "{token}");
    }
    assert_eq!(endpoint.send(&percent_encoded(&token)).await, 200);
}
