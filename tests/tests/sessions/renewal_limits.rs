//! The limits of logins and renewals of one connection.

use socketioxide_jwt_auth_tests::{Log, Received, join, ready, refused_ack, renew, token};

use crate::renewal_races::{authenticate, expect_who, serve, too_many_attempts};

#[tokio::test]
async fn a_successful_renewal_resets_refusals() {
    let (server, _records, _gate) = serve().await;

    let mut raw = server.raw().await;
    let namespaces = ["/", "/second", "/third"];

    for namespace in namespaces {
        // A successful connection resets them as well.
        join(&mut raw, namespace, None).await;
    }

    // Each has five refusals and a renewal: the twenty renewals of ten seconds are enough for them.
    for namespace in namespaces {
        for _ in 0..14 {
            raw.connect_with_token("/fourth", &token("nobody")).await;
            raw.expect("/fourth", Received::refused("user_not_found"))
                .await;
        }
        for _ in 0..5 {
            raw.emit_with_ack(namespace, 1, &authenticate(&token("nobody")))
                .await;
            raw.expect(namespace, refused_ack("user_not_found")).await;
        }
        raw.emit_with_ack(namespace, 2, &authenticate(&token("ada")))
            .await;
        let (_, received) = raw.next().await;
        assert!(
            matches!(&received, Received::Ack(answer) if answer[0]["expires_at"].is_i64()),
            "{received:?}"
        );
    }
}

#[tokio::test]
async fn a_flood_is_refused_with_a_code_and_costs_few_lookups() {
    let log = Log::capture();
    let (server, mut records, _gate) = serve().await;
    let token = token("ada");

    let mut raw = ready(&server, "/", Some(&token)).await;

    // All of the answers fit into the client's channel.
    for number in 0..100 {
        raw.emit_with_ack("/", number, &authenticate(&token)).await;
    }

    let mut refused = 0;
    for _ in 0..100 {
        match raw.next().await.1 {
            received if received == too_many_attempts() => refused += 1,
            received => {
                assert!(
                    matches!(&received, Received::Ack(answer) if answer[0]["expires_at"].is_i64()),
                    "{received:?}"
                )
            }
        }
    }

    assert!((80..100).contains(&refused), "{refused} refused");
    assert_eq!(log.lines_with("INFO").len(), 0, "the log is not flooded");
    assert!(
        records.unread().len() <= 21,
        "one for the connection, twenty for renewals"
    );
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn refused_attempts_count_for_the_connection_over_all_namespaces() {
    for (subject, code) in [("nobody", "user_not_found"), ("panics", "internal_error")] {
        let log = Log::capture();
        let (server, mut records, _gate) = serve().await;
        let mut raw = ready(&server, "/", None).await;
        join(&mut raw, "/second", None).await;
        for _ in 0..20 {
            assert_eq!(renew(&mut raw, &token(subject)).await, refused_ack(code));
        }
        assert_eq!(records.unread(), vec![format!("lookup {subject}"); 20]);
        raw.emit_with_ack("/second", 1, &authenticate(&token("ada")))
            .await;
        raw.expect("/second", too_many_attempts()).await;
        assert_eq!(
            records.unread(),
            [""; 0],
            "a good token is not verified either"
        );
        let mut lines = log.lines_with("renewal refused");
        lines.retain(|line| !line.contains("DEBUG"));
        assert_eq!(lines.len(), 20, "the log is not flooded");
    }
}
