//! Scopes: what the client may do with the token.

use std::{borrow::Cow, collections::BTreeSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::policy::Policy;

/// The scopes of a token: what the user, or the client for itself, was granted.
///
/// As a field of the claims it parses the forms in which issuers write them: a string with spaces
/// between the scopes ([RFC 8693 §4.2](https://www.rfc-editor.org/rfc/rfc8693#section-4.2)), or a list
/// of strings. A claim that is `null` has no scopes. Anything else is refused with
/// `token_claims_invalid`.
///
/// ```
/// use socketioxide_jwt_auth::Scopes;
///
/// #[derive(serde::Deserialize)]
/// struct Claims {
///     sub: String,
///     // Without `default`, a token without the claim is refused.
///     #[serde(default, alias = "scp")]
///     scope: Scopes,
/// }
///
/// let claims: Claims = serde_json::from_str(r#"{ "sub": "1", "scope": "openid boards:write" }"#)?;
/// assert!(claims.scope.contains("boards:write"));
/// assert!(!claims.scope.contains("boards"));
///
/// let claims: Claims = serde_json::from_str(r#"{ "sub": "1", "scp": ["boards:write"] }"#)?;
/// assert!(claims.scope.contains("boards:write"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// With `#[serde(flatten)]`, or as the type of the claims themselves, it parses the claim `scope`, or
/// `scp` if there is no `scope`. A token that has both is refused if they differ.
///
/// Names are compared letter by letter. Scopes do not contain each other: `boards` is not
/// `boards:write`. See [`HasScope`] for a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Returns whether this scope was granted.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Returns whether no scope was granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the scopes, sorted and each once.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl AsRef<Self> for Scopes {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Parses scopes with spaces between them.
impl From<&str> for Scopes {
    fn from(text: &str) -> Self {
        text.split(' ').collect()
    }
}

/// Collects scopes, and leaves out empty strings.
impl<T: Into<String>> FromIterator<T> for Scopes {
    fn from_iter<I: IntoIterator<Item = T>>(scopes: I) -> Self {
        let scopes = scopes.into_iter().map(Into::into);
        Self(scopes.filter(|scope| !scope.is_empty()).collect())
    }
}

/// Writes the scopes with spaces between them.
impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            write!(formatter, "{space}{scope}")?;
        }
        Ok(())
    }
}

/// Serializes to a string with spaces between the scopes.
impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClaimsVisitor)
    }
}

/// The value of a claim, which is not an object.
struct Claim(Option<Scopes>);

impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClaimVisitor)
    }
}

struct ClaimVisitor;

impl<'de> Visitor<'de> for ClaimVisitor {
    type Value = Claim;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or a list of strings")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Claim, E> {
        Ok(Claim(None))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Claim, E> {
        Ok(Claim(Some(Scopes::from(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Claim, A::Error> {
        let mut scopes = Vec::new();
        while let Some(scope) = list.next_element::<String>()? {
            scopes.push(scope);
        }
        Ok(Claim(Some(scopes.into_iter().collect())))
    }
}

/// Parses the value of a claim, or the claims themselves.
struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Scopes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        ClaimVisitor.expecting(formatter)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scopes, E> {
        Ok(Scopes::default())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scopes, E> {
        Ok(Scopes::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Scopes, A::Error> {
        let Claim(scopes) = ClaimVisitor.visit_seq(list)?;
        Ok(scopes.unwrap_or_default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Scopes, A::Error> {
        let (mut scope, mut scp) = (None, None);
        while let Some(name) = claims.next_key::<Cow<'de, str>>()? {
            let (name, claim) = match &*name {
                "scope" => ("scope", &mut scope),
                "scp" => ("scp", &mut scp),
                _ => {
                    claims.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if claim.is_some() {
                return Err(de::Error::duplicate_field(name));
            }
            *claim = Some(claims.next_value::<Claim>()?);
        }

        let claim = |claim: Option<Claim>| claim.and_then(|Claim(scopes)| scopes);
        match (claim(scope), claim(scp)) {
            (Some(scope), Some(scp)) if scope != scp => {
                Err(de::Error::custom("`scope` and `scp` differ"))
            }
            (Some(scopes), _) | (None, Some(scopes)) => Ok(scopes),
            (None, None) => Ok(Scopes::default()),
        }
    }
}

/// The name of a scope, for the policy [`HasScope`].
pub trait Scope {
    /// The scope, as it is in the token.
    const NAME: &'static str;
}

/// A policy that allows users with the scope `S`.
///
/// The type of the user implements `AsRef<Scopes>`, and the lookup gives it the scopes of the token.
///
/// ```
/// use socketioxide::extract::Data;
/// use socketioxide_jwt_auth::{All, AuthUser, HasScope, Scope, Scopes, jwt_auth};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String, #[serde(default)] scope: Scopes }
/// struct User { id: String, scopes: Scopes }
///
/// impl AsRef<Scopes> for User {
///     fn as_ref(&self) -> &Scopes {
///         &self.scopes
///     }
/// }
///
/// struct WriteBoards;
///
/// impl Scope for WriteBoards {
///     const NAME: &'static str = "boards:write";
/// }
///
/// #[jwt_auth(secret_env = "JWT_SECRET")]
/// async fn authenticate(claims: Claims) -> Option<User> {
///     Some(User { id: claims.sub, scopes: claims.scope })
/// }
///
/// async fn add_card(user: AuthUser<User, HasScope<WriteBoards>>, Data(text): Data<String>) {}
/// ```
pub struct HasScope<S>(PhantomData<fn() -> S>);

impl<S> fmt::Debug for HasScope<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HasScope")
    }
}

impl<T: AsRef<Scopes>, S: Scope> Policy<T> for HasScope<S> {
    fn allows(user: &T) -> bool {
        user.as_ref().contains(S::NAME)
    }
}

#[cfg(test)]
mod tests;
