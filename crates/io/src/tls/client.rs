//! How a server is asked over TLS.

use std::sync::Arc;

use core_dns::plan::TlsClient;
use rustls::client::{ClientConfig, ClientConnection};
use rustls::pki_types::ServerName;

use super::PROVIDER;
use super::files::{Files, unusable};
use super::trust::{ServerVerifier, Trusted};

/// What is needed to ask a server: its name, whom to trust, and who we are.
#[derive(Debug)]
pub struct ClientSide {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    fingerprint: u64,
}

impl ClientSide {
    /// From the files that the plan names; `running` is kept if they hold what they held then. The error says which file, and why.
    pub fn read(plan: &TlsClient, running: Option<&Arc<ClientSide>>) -> Result<Arc<ClientSide>, String> {
        let name = ServerName::try_from(plan.server_name.clone()).map_err(|_| format!("{} is no name of a server", plan.server_name))?;
        let mut files = Files::default();
        let trusted = if plan.ca.is_empty() {
            Trusted::of_the_system(files.of_the_system())
        } else {
            Trusted::new(files.certificates(&plan.ca)?).map_err(|why| format!("{}: {why}", plan.ca))?
        };
        let identity = if plan.cert.is_empty() { None } else { Some((files.certificates(&plan.cert)?, files.private_key(&plan.key)?)) };
        if let Some(running) = running.filter(|running| running.fingerprint == files.fingerprint()) {
            return Ok(Arc::clone(running));
        }
        let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|why| why.to_string())?;
        let verifier =
            ServerVerifier::new(trusted).map_err(|why| format!("no certificate of {} could be verified: {why}", plan.server_name))?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|why| unusable(&plan.cert, &plan.key, &why))?,
        };
        Ok(Arc::new(ClientSide { config: Arc::new(config), name, fingerprint: files.fingerprint() }))
    }

    /// A session that has not begun.
    pub fn begin(&self) -> Result<ClientConnection, rustls::Error> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
    }
}
