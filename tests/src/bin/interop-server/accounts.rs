//! Claims and users of a namespace that has nothing in common with the others.

use serde::Deserialize;
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide_jwt_auth::{AuthUser, jwt_auth};

use crate::handlers::whoami;

#[derive(Deserialize)]
pub(crate) struct AccountClaims {
    account: u64,
}

pub(crate) struct Account {
    number: u64,
}

// A client of protocol 4 sends the same query string to every namespace, so a second token needs a
// second name.
#[jwt_auth(secret_env = "INTEROP_OTHER_SECRET", token = [auth("token"), query("account_token")])]
pub(crate) async fn find_account(claims: AccountClaims) -> Option<Account> {
    (claims.account < 1000).then_some(Account {
        number: claims.account,
    })
}

pub(crate) async fn on_account(socket: SocketRef, account: AuthUser<Account>) {
    socket.on("account number", account_number);
    socket.on("whoami", whoami);
    socket.emit("session", &account.number).ok();
}

pub(crate) async fn account_number(ack: AckSender, account: AuthUser<Account>) {
    ack.send(&account.number).ok();
}
