//! DNS messages and frames as the tests write them, and a server whose one block does what a test says.

#![allow(dead_code)] // each test file uses its part

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_dns::engine::{Engine, Observation, Sink};
use io_dns::{TcpLimits, Workers, prepare_plan, start_engine};
use serde_json::{Value, json};

/// Longer than any test takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The reply to a query: `192.0.2.1`.
pub fn answer(query: &[u8]) -> Vec<u8> {
    let end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
    let mut reply = query[..end].to_vec();
    reply[2] |= 0x80;
    reply[3] = 0x80;
    reply[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    reply.extend_from_slice(b"\xc0\x0c\0\x01\0\x01\0\0\x01\0\0\x04\xc0\0\x02\x01");
    reply
}

/// Whether a message is that reply.
pub fn is_answer(reply: &[u8]) -> bool {
    reply[3] & 0x0f == 0 && reply.ends_with(&[192, 0, 2, 1])
}

/// A query for an address.
pub fn query(id: u8, name: &str) -> Vec<u8> {
    let mut message = [&[0, id][..], b"\x01\0\0\x01\0\0\0\0\0\0"].concat();
    message.extend(core_dns::name::labels_of_text(name).unwrap().0);
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// The next message of a stream; none at its end.
pub fn read_frame(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

/// Gives a message to a stream.
pub fn write_frame(stream: &mut impl Write, message: &[u8]) {
    stream.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat()).unwrap();
}

/// A socket of a client that asks this server.
pub fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(server).unwrap();
    socket
}

/// The next datagram.
pub fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// An op that forwards to these.
pub fn forward(upstreams: &[Value]) -> Value {
    json!({"op": "forward", "id": "f", "from_zone": ".", "except_zones": [], "upstreams": upstreams, "policy": "sequential", "max_fails": 2,
        "expire_ms": 10000, "max_age_ms": 0, "max_concurrent": 0, "force_tcp": false, "prefer_udp": false, "read_timeout_ms": 2000,
        "max_connect_attempts": 2 * upstreams.len(), "health_check": {"interval_ms": 500, "domain": ".", "recursion_desired": true},
        "failover": [], "next": [], "next_on_nodata": false, "failfast_all_unhealthy": false, "span": 0})
}

/// A server.
pub struct Server {
    pub engine: Arc<Engine>,
    pub workers: Workers,
    pub lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// So many workers, and this program on one listener.
    pub fn start(workers: usize, program: &Value) -> Server {
        let engine = Engine::new();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        engine.set_sink(Box::new(Lines(Arc::clone(&lines))));
        let workers = start_engine(&engine, workers, TcpLimits::default()).unwrap();
        let server = Server { engine, workers, lines };
        server.run(program).unwrap();
        server
    }

    /// Makes this the program, or says why not.
    pub fn run(&self, program: &Value) -> Result<(), Vec<String>> {
        self.take_up(&json!({"id": "l", "host": "127.0.0.1", "port": 0, "server": "dns://"}), program)
    }

    /// Makes this the listener and the program, or says why not.
    pub fn take_up(&self, listener: &Value, program: &Value) -> Result<(), Vec<String>> {
        let mut plan = serde_json::to_value(self.engine.plan().as_ref()).unwrap();
        plan["listeners"] = json!([listener]);
        plan["blocks"] = json!([{"zone": ".", "listeners": [listener["id"]], "program": program, "span": 0}]);
        plan["spans"] = json!([{"file": "Corefile", "line": 1, "column": 1, "text": "forward"}]);
        let prepared = self.engine.prepare(&serde_json::to_vec(&plan).unwrap()).unwrap();
        let listeners = prepare_plan(&self.workers, &self.engine, prepared.plan())?;
        self.workers.commit(listeners, || self.engine.commit(prepared)).unwrap();
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.workers.bound()[0].1
    }

    /// Its reply to a question over UDP.
    pub fn ask(&self, name: &str) -> Vec<u8> {
        let client = client(self.address());
        client.send(&query(7, name)).unwrap();
        receive(&client)
    }

    /// What it has logged.
    pub fn logged(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

/// Keeps what is logged.
struct Lines(Arc<Mutex<Vec<String>>>);

impl Sink for Lines {
    fn log(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }

    fn observe(&self, _: Observation) {}
}
