//! The signature algorithms that a token may be signed with.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::{error::ConfigError, settings::OneOrMany};

macro_rules! algorithms {
    ($($(#[doc = $doc:literal])+ $name:ident $(, alias = $alias:literal)?;)+) => {
        /// A signature algorithm ([RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)).
        ///
        /// It stands wherever a name of an algorithm does, such as in
        /// [`algorithms`](crate::VerifierBuilder::algorithms).
        ///
        /// ```
        /// use socketioxide_jwt_auth::{Algorithm, Verifier};
        ///
        /// let verifier = Verifier::builder()
        ///     .secret("a secret of sixty-four bytes or more, as HS512 needs it in RFC 7518")
        ///     .algorithms([Algorithm::HS256, Algorithm::HS512])
        ///     .build()?;
        ///
        /// // Both names of the same algorithm (RFC 9864).
        /// assert_eq!("EdDSA".parse::<Algorithm>()?, Algorithm::Ed25519);
        /// assert_eq!("Ed25519".parse::<Algorithm>()?, Algorithm::Ed25519);
        /// assert_eq!(Algorithm::Ed25519.to_string(), "Ed25519");
        /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Algorithm {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Algorithm {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the name of the algorithm, as a token's header has it. That of
            /// [`Ed25519`](Self::Ed25519) is the one of RFC 9864.
            ///
            /// ```
            /// use socketioxide_jwt_auth::Algorithm;
            ///
            /// assert_eq!(Algorithm::ES256.as_str(), "ES256");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// Returns the algorithm of this exact name, which is case-sensitive. Returns `None` for
            /// an unknown name and for `none`.
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) $(| $alias)? => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

algorithms! {
    /// HMAC with SHA-256.
    HS256;
    /// HMAC with SHA-384.
    HS384;
    /// HMAC with SHA-512.
    HS512;
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256;
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384;
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512;
    /// RSASSA-PSS with SHA-256.
    PS256;
    /// RSASSA-PSS with SHA-384.
    PS384;
    /// RSASSA-PSS with SHA-512.
    PS512;
    /// ECDSA on P-256 with SHA-256.
    ES256;
    /// ECDSA on P-384 with SHA-384.
    ES384;
    /// ECDSA on P-521 with SHA-512. Needs the feature `aws_lc_rs`, which is a default one, and no
    /// other cryptography provider for jsonwebtoken.
    ES512;
    /// Ed25519: `"EdDSA"` ([RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)) or `"Ed25519"` ([RFC
    /// 9864](https://www.rfc-editor.org/rfc/rfc9864)) in a token.
    Ed25519, alias = "EdDSA";
}

impl Algorithm {
    pub(crate) const fn is_hmac(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }

    pub(crate) const fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512
        )
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = ConfigError;

    /// # Errors
    ///
    /// The name is not one of a supported algorithm. Names are case-sensitive.
    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::from_name(name).ok_or_else(|| {
            ConfigError::invalid(format!(
                "{name:?} is unknown; the known ones are HS256, HS384, HS512, RS256, RS384, RS512, \
                 PS256, PS384, PS512, ES256, ES384, ES512 and Ed25519 (or EdDSA)"
            ))
        })
    }
}

impl AsRef<str> for Algorithm {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl OneOrMany for Algorithm {
    fn into_strings(self) -> Vec<String> {
        vec![self.as_str().to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn every_algorithm_has_its_name_in_every_form() {
        assert_eq!(Algorithm::ALL.len(), 13);
        for algorithm in Algorithm::ALL {
            let name = algorithm.as_str();
            assert_eq!(name, format!("{algorithm:?}"));
            assert_eq!(name, algorithm.to_string());
            assert_eq!(name, <Algorithm as AsRef<str>>::as_ref(algorithm));
            assert_eq!(
                *algorithm,
                serde_json::to_value(algorithm)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .parse()
                    .unwrap()
            );
            assert_eq!(name.parse::<Algorithm>().unwrap(), *algorithm);
        }
        assert_eq!("EdDSA".parse::<Algorithm>().unwrap(), Algorithm::Ed25519);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_all_names() {
        for name in [
            "", "none", "hs256", " HS256", "HS256 ", "ES256K", "Ed448", "EDDSA", "ed25519",
        ] {
            let error = name.parse::<Algorithm>().unwrap_err().to_string();
            for algorithm in Algorithm::ALL {
                assert!(error.contains(algorithm.as_str()), "{name}: {error}");
            }
        }
    }

    #[test]
    fn every_algorithm_is_of_one_family() {
        for algorithm in Algorithm::ALL {
            let name = algorithm.as_str();
            assert_eq!(algorithm.is_hmac(), name.starts_with("HS"), "{name}");
            assert_eq!(
                algorithm.is_rsa(),
                name.starts_with("RS") || name.starts_with("PS"),
                "{name}"
            );
        }
    }
}
