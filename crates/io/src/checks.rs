//! Our own questions to `/health`: a process that is too busy to answer them shows it here before others notice.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use core_dns::metrics::Buckets;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// An answer that takes longer is told.
const SLOW: Duration = Duration::from_secs(1);
/// Bounds for how long answers take, in seconds.
const BOUNDS: [f64; 5] = [0.000_25, 0.002_5, 0.025, 0.25, 2.5];
const REQUEST: &[u8] = b"GET /health HTTP/1.0\r\n\r\n";

/// How the questions were answered.
pub struct HealthChecks {
    counted: Mutex<Counted>,
}

struct Counted {
    durations: Buckets,
    failures: u64,
}

impl HealthChecks {
    /// Nothing was asked yet.
    pub fn new() -> HealthChecks {
        HealthChecks { counted: Mutex::new(Counted { durations: Buckets::new(&BOUNDS), failures: 0 }) }
    }

    /// Asks once. What the log should say of it, if anything.
    pub async fn check(&self, address: SocketAddr) -> Option<String> {
        let begun = Instant::now();
        let asked = timeout(PATIENCE, ask(address)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let took = begun.elapsed();
        let mut counted = self.counted();
        counted.durations.observe(took.as_secs_f64());
        match asked {
            Err(why) => {
                counted.failures += 1;
                Some(format!("[WARNING] plugin/health: Local health request to \"http://{address}/health\" failed: {why}"))
            }
            Ok(()) if took > SLOW => {
                Some(format!("[WARNING] plugin/health: Local health request to \"http://{address}/health\" took more than 1s: {took:?}"))
            }
            Ok(()) => None,
        }
    }

    /// How long the answers took.
    pub fn durations(&self) -> Buckets {
        self.counted().durations.clone()
    }

    /// How many were none.
    pub fn failures(&self) -> u64 {
        self.counted().failures
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(mut address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    match reply.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(io::Error::other("it did not say OK")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_where_nobody_answers_is_a_failure() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address");
        drop(taken);
        let checks = HealthChecks::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let told = runtime.block_on(checks.check(address)).expect("something to tell");
        assert!(
            told.starts_with(&format!("[WARNING] plugin/health: Local health request to \"http://{address}/health\" failed")),
            "{told}"
        );
        assert_eq!((checks.failures(), checks.durations().total()), (1, 1));
    }
}
