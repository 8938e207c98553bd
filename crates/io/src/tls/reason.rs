//! Why TLS has failed, in words; in Go's words where it has some, since people search logs for them.

use std::fmt;
use std::sync::Arc;
use std::{error, io};

use rustls::pki_types::ServerName;
use rustls::{CertificateError, Error};

/// What was wrong, inside an [`io::Error`].
#[derive(Debug)]
pub struct Failure(pub Arc<str>);

impl Failure {
    /// What is in an error, if it is one of these.
    pub fn of(error: &io::Error) -> Option<&Failure> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Failure {}

/// A failure as what a socket's operation gives.
pub fn failed(why: &Error) -> io::Error {
    io::Error::other(Failure(reason(why).into()))
}

fn reason(why: &Error) -> String {
    match why {
        Error::InvalidCertificate(why) => format!("tls: failed to verify certificate: x509: {}", of_certificate(why)),
        Error::AlertReceived(alert) => format!("remote error: tls: {}", in_words(&format!("{alert:?}"))),
        Error::InvalidMessage(_) => "tls: first record does not look like a TLS handshake".to_owned(),
        why => format!("tls: {why}"),
    }
}

fn of_certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => "certificate signed by unknown authority".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => wrong_name(expected, presented),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "certificate is not valid yet".to_owned(),
        why => why.to_string(),
    }
}

/// `presented` are names as rustls writes them: `DnsName("dns.example.test")`.
fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let (kind, what) = match expected {
        ServerName::IpAddress(_) => ("IpAddress(", "IP SANs"),
        _ => ("DnsName(", "names"),
    };
    let of_kind = |name: &String| Some(name.strip_prefix(kind)?.strip_suffix(')')?.trim_matches('"').to_owned());
    let names: Vec<String> = presented.iter().filter_map(of_kind).collect();
    let expected = expected.to_str();
    if names.is_empty() {
        return format!("cannot validate certificate for {expected} because it doesn't contain any {what}");
    }
    format!("certificate is valid for {}, not {expected}", names.join(", "))
}

/// `HandshakeFailure` as `handshake failure`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_valid_for(expected: &'static str, presented: &[&str]) -> String {
        let expected = ServerName::try_from(expected).unwrap();
        let presented = presented.iter().map(|name| (*name).to_owned()).collect();
        reason(&Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }))
    }

    #[test]
    fn a_wrong_name_is_told_with_the_right_ones() {
        let names = ["DnsName(\"a.test\")", "DnsName(\"b.test\")", "IpAddress(192.0.2.1)"];
        let prefix = "tls: failed to verify certificate: x509: ";
        assert_eq!(not_valid_for("c.test", &names), format!("{prefix}certificate is valid for a.test, b.test, not c.test"));
        assert_eq!(not_valid_for("192.0.2.2", &names), format!("{prefix}certificate is valid for 192.0.2.1, not 192.0.2.2"));
        let why = format!("{prefix}cannot validate certificate for 192.0.2.2 because it doesn't contain any IP SANs");
        assert_eq!(not_valid_for("192.0.2.2", &names[..2]), why);
    }

    #[test]
    fn alerts_are_told_in_words() {
        let alert = Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        assert_eq!(reason(&alert), "remote error: tls: certificate required");
    }
}
