//! The users that tokens name.

use std::{collections::HashMap, error::Error, sync::Arc};

use serde::Deserialize;
use socketioxide_jwt_auth::{AuthError, Policy};

#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
}

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    admin: bool,
    owner: bool,
}

pub(crate) struct Admins;

impl Policy<User> for Admins {
    fn allows(user: &User) -> bool {
        user.admin
    }
}

pub(crate) struct Owners;

impl Policy<User> for Owners {
    fn allows(user: &User) -> bool {
        user.owner
    }
}

#[derive(Clone)]
pub(crate) struct Directory(Arc<HashMap<&'static str, User>>);

impl Directory {
    pub(crate) fn new() -> Self {
        let user = |name: &str, admin, owner| User {
            name: name.to_owned(),
            admin,
            owner,
        };
        Self(Arc::new(HashMap::from([
            ("1", user("Ada", true, false)),
            ("2", user("Grace", false, false)),
            ("3", user("Joan", true, true)),
        ])))
    }

    pub(crate) fn find(&self, subject: &str) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
        match subject {
            "suspended" => Err(AuthError::denied("user does not exist").into()),
            "broken" => Err("the table of users is gone".into()),
            "panics" => panic!("the lookup panics"),
            // A test that needs its own user makes up a name.
            name if name.starts_with("visitor") => Ok(Some(User {
                name: name.to_owned(),
                admin: false,
                owner: false,
            })),
            id => Ok(self.0.get(id).cloned()),
        }
    }
}
