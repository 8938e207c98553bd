//! How clients are answered over TLS.

use std::sync::Arc;

use core_dns::plan::{ClientAuth, TlsServer};
use rustls::crypto::ring::Ticketer;
use rustls::server::{NoServerSessionStorage, ServerConfig, ServerConnection};

use super::PROVIDER;
use super::files::{Files, unusable};
use super::trust::{ClientVerifier, Trusted};

/// What is needed to answer clients: who we are, and what they must show.
#[derive(Debug)]
pub struct ServerSide {
    config: Arc<ServerConfig>,
    fingerprint: u64,
}

impl ServerSide {
    /// From the files that the plan names; `running` is kept if they hold what they held then. The error says which file, and why.
    pub fn read(plan: &TlsServer, running: Option<&Arc<ServerSide>>) -> Result<Arc<ServerSide>, String> {
        let mut files = Files::default();
        let (chain, key) = (files.certificates(&plan.cert)?, files.private_key(&plan.key)?);
        let mut trusted = || match plan.ca.as_str() {
            "" => Ok(Trusted::of_the_system(files.of_the_system())),
            ca => Trusted::new(files.certificates(ca)?).map_err(|why| format!("{ca}: {why}")),
        };
        let verifier = match plan.client_auth {
            ClientAuth::Nocert => None,
            ClientAuth::Request => Some(ClientVerifier::anybody(false)),
            ClientAuth::Require => Some(ClientVerifier::anybody(true)),
            ClientAuth::VerifyIfGiven => Some(ClientVerifier::new(trusted()?, false)?),
            ClientAuth::RequireAndVerify => Some(ClientVerifier::new(trusted()?, true)?),
        };
        if let Some(running) = running.filter(|running| running.fingerprint == files.fingerprint()) {
            return Ok(Arc::clone(running));
        }
        let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|why| why.to_string())?;
        let builder = match verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::new(verifier)),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|why| unusable(&plan.cert, &plan.key, &why))?;
        // Clients carry their sessions themselves: what we remember of them is one key.
        config.ticketer = Ticketer::new().map_err(|why| why.to_string())?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Arc::new(ServerSide { config: Arc::new(config), fingerprint: files.fingerprint() }))
    }

    /// The same for whoever begins sessions by himself.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// A session that has not begun.
    pub fn begin(&self) -> Result<ServerConnection, rustls::Error> {
        ServerConnection::new(Arc::clone(&self.config))
    }
}
