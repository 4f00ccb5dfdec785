//! Certificates (feature `certificates`): the key in one, and which of a chain is the leaf.

#[cfg(feature = "certificates")]
use x509_cert::der::{Decode, Encode};

use crate::keys::KeyProblem;

/// A certificate in DER. Without the feature there is none.
#[cfg(feature = "certificates")]
pub(super) struct Certificate(Box<x509_cert::Certificate>);
#[cfg(not(feature = "certificates"))]
pub(super) enum Certificate {}

#[cfg(feature = "certificates")]
impl Certificate {
    /// # Errors
    ///
    /// The bytes are not a certificate.
    pub(super) fn parse(der: &[u8]) -> Result<Self, KeyProblem> {
        x509_cert::Certificate::from_der(der)
            .map(|certificate| Self(Box::new(certificate)))
            .map_err(|_| broken())
    }

    /// Returns the `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    ///
    /// It cannot be encoded again.
    pub(super) fn key_info(&self) -> Result<Vec<u8>, KeyProblem> {
        let info = self.0.tbs_certificate().subject_public_key_info();
        info.to_der().map_err(|_| broken())
    }

    /// Returns whether this is the certificate of the authority that issued the other one. A
    /// self-signed certificate has no authority.
    pub(super) fn is_issuer_of(&self, other: &Self) -> bool {
        let (own, other) = (self.0.tbs_certificate(), other.0.tbs_certificate());
        other.issuer() == own.subject() && other.issuer() != other.subject()
    }
}

#[cfg(feature = "certificates")]
fn broken() -> KeyProblem {
    KeyProblem::BrokenBlock("CERTIFICATE".to_owned())
}

#[cfg(not(feature = "certificates"))]
impl Certificate {
    /// # Errors
    ///
    /// Always: the feature is off.
    pub(super) fn parse(_: &[u8]) -> Result<Self, KeyProblem> {
        Err(KeyProblem::CertificatesUnavailable)
    }

    pub(super) fn key_info(&self) -> Result<Vec<u8>, KeyProblem> {
        match *self {}
    }

    pub(super) fn is_issuer_of(&self, _: &Self) -> bool {
        match *self {}
    }
}
