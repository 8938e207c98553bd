//! Whom to trust: the authorities of a file or of the system, and certificates that are themselves in the file.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme};

use super::PROVIDER;

/// Why nothing can be verified: a file that is named has a certificate, or it would be an error before.
const NO_AUTHORITIES: &str = "this machine knows no authorities (they come with the package ca-certificates)";

/// Certificates that are trusted, as authorities and as they are.
#[derive(Debug)]
pub struct Trusted {
    /// As authorities.
    pub roots: Arc<RootCertStore>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trusted {
    /// These. The error names the one that cannot be an authority.
    pub fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Trusted, String> {
        let mut roots = RootCertStore::empty();
        for (number, certificate) in certificates.iter().enumerate() {
            roots.add(certificate.clone()).map_err(|why| format!("certificate {} cannot be used: {why}", number + 1))?;
        }
        Ok(Trusted { roots: Arc::new(roots), certificates })
    }

    /// Those of the system: what cannot be used is left out, as there are always some.
    pub fn of_the_system(certificates: Vec<CertificateDer<'static>>) -> Trusted {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        // Whoever wants to trust a server as it is names it.
        Trusted { roots: Arc::new(roots), certificates: Vec::new() }
    }

    /// Whether a certificate that webpki refuses for this reason is good all the same, since it is in the file itself: it is signed
    /// by itself and says that it is an authority, or its authority is not there. Its dates were looked at before.
    pub fn forgives(&self, certificate: &CertificateDer<'_>, error: &Error) -> bool {
        let forgivable = is_authority(error) || *error == Error::InvalidCertificate(CertificateError::UnknownIssuer);
        forgivable && self.certificates.iter().any(|trusted| trusted == certificate)
    }
}

/// Whether a certificate was refused because it says that it is an authority.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(why))) = error else { return false };
    why.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// What the error means: a certificate that vouches for itself is from nobody whom we know.
fn explain(error: Error, certificate: &CertificateDer<'_>) -> Error {
    let vouches_for_itself = || webpki::EndEntityCert::try_from(certificate).is_ok_and(|it| it.issuer() == it.subject());
    if is_authority(&error) && vouches_for_itself() { CertificateError::UnknownIssuer.into() } else { error }
}

/// Looks at the certificates of servers.
#[derive(Debug)]
pub struct ServerVerifier {
    trusted: Trusted,
    webpki: Arc<WebPkiServerVerifier>,
}

impl ServerVerifier {
    /// Trusts these. The error says that there are none.
    pub fn new(trusted: Trusted) -> Result<ServerVerifier, String> {
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(&trusted.roots), Arc::clone(&PROVIDER));
        let webpki = builder.build().map_err(|_| NO_AUTHORITIES)?;
        Ok(ServerVerifier { trusted, webpki })
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if self.trusted.forgives(end_entity, &error) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict.map_err(|error| explain(error, end_entity)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Looks at the certificates of clients.
#[derive(Debug)]
pub struct ClientVerifier {
    mandatory: bool,
    /// Whom to trust; none: anybody who has the key to the certificate that is shown.
    verifies: Option<(Trusted, Arc<dyn ClientCertVerifier>)>,
}

impl ClientVerifier {
    /// Wants a certificate, whoever it is from.
    pub fn anybody(mandatory: bool) -> ClientVerifier {
        ClientVerifier { mandatory, verifies: None }
    }

    /// Wants a certificate from one of these. The error says that there are none.
    pub fn new(trusted: Trusted, mandatory: bool) -> Result<ClientVerifier, String> {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(&trusted.roots), Arc::clone(&PROVIDER));
        let webpki = builder.build().map_err(|_| format!("no certificate of a client could be verified: {NO_AUTHORITIES}"))?;
        Ok(ClientVerifier { mandatory, verifies: Some((trusted, webpki)) })
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifies.as_ref().map_or(&[], |(_, webpki)| webpki.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let Some((trusted, webpki)) = &self.verifies else { return Ok(ClientCertVerified::assertion()) };
        match webpki.verify_client_cert(end_entity, intermediates, now) {
            Err(error) if trusted.forgives(end_entity, &error) => Ok(ClientCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
