//! Certificates and keys out of PEM files. Errors name the file and say what is wrong with it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::{fs, io};

use rustls::Error;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate cannot be used with a key.
pub fn unusable(cert: &str, key: &str, why: &Error) -> String {
    match why {
        Error::InconsistentKeys(_) => format!("the private key in {key} does not belong to the certificate in {cert}"),
        why => format!("the certificate in {cert} cannot be used with the private key in {key}: {why}"),
    }
}

/// Reads files, and tells at the end whether they held the same as another time.
#[derive(Default)]
pub struct Files {
    hasher: DefaultHasher,
}

impl Files {
    /// All certificates of a file, in its order.
    pub fn certificates(&mut self, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
        let text = self.read(path)?;
        let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
        match found {
            Ok(found) if found.is_empty() => {
                Err(format!("there is no certificate in {path}; PEM is expected (-----BEGIN CERTIFICATE-----)"))
            }
            found => found.map_err(|why| format!("cannot read the certificates in {path}: {why}")),
        }
    }

    /// The first private key of a file.
    pub fn private_key(&mut self, path: &str) -> Result<PrivateKeyDer<'static>, String> {
        let text = self.read(path)?;
        PrivateKeyDer::from_pem_slice(&text).map_err(|why| match why {
            pem::Error::NoItemsFound => format!("there is no private key in {path}; PEM without a passphrase is expected"),
            why => format!("cannot read the private key in {path}: {why}"),
        })
    }

    /// The certificates of those whom this machine trusts (`SSL_CERT_FILE`, `SSL_CERT_DIR`, or where its system keeps them).
    pub fn of_the_system(&mut self) -> Vec<CertificateDer<'static>> {
        let found = rustls_native_certs::load_native_certs().certs;
        found.hash(&mut self.hasher);
        found
    }

    /// Tells what was read from anything else that might have been.
    pub fn fingerprint(&self) -> u64 {
        self.hasher.finish()
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let text = fs::read(path).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => format!("cannot read {path}: no such file"),
            io::ErrorKind::PermissionDenied => format!("cannot read {path}: permission denied"),
            _ => format!("cannot read {path}: {why}"),
        })?;
        text.hash(&mut self.hasher);
        Ok(text)
    }
}
