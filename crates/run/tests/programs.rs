//! The programs as a user starts them: each says when it is ready, answers, and refuses what makes no sense.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs};

const RUN: &str = env!("CARGO_BIN_EXE_clusterdns-run");
const ECHO: &str = env!("CARGO_BIN_EXE_udp-echo");
const UPSTREAM: &str = env!("CARGO_BIN_EXE_dns-upstream");
const LOAD: &str = env!("CARGO_BIN_EXE_dns-load");

/// A server, and where it says that it listens. It ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(program: &str, arguments: &[&str]) -> Server {
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("ready ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Server { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn load(arguments: &[&str]) -> Output {
    Command::new(LOAD).args(arguments).output().unwrap()
}

fn results(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_echo_sends_all_questions_back() {
    let echo = Server::start(ECHO, &["127.0.0.1:0"]);
    let arguments = [&*echo.address, "--name", "a.example", "--name", "b.example/SRV", "--echo", "--seconds", "0.2", "--json"];
    for pace in [vec!["--saturate"], vec!["--rate", "2000"], vec!["--saturate", "--clients", "3", "--window", "10"]] {
        let results = results(&load(&[&arguments[..], &pace].concat()));
        assert!(results["answered"].as_u64().unwrap() > 10, "{results}");
        assert_eq!((results["lost"].as_u64(), results["wrong"].as_u64()), (Some(0), Some(0)), "{results}");
        assert!(results["latency_us"]["p50"].as_f64() <= results["latency_us"]["max"].as_f64());
    }
}

#[test]
fn the_upstream_has_an_address_for_every_name() {
    let upstream = Server::start(UPSTREAM, &["127.0.0.1:0"]);
    let results = results(&load(&[&upstream.address, "--name", "n####.a.example", "--rate", "2000", "--seconds", "0.2", "--json"]));
    assert!(results["rcodes"]["0"].as_u64().unwrap() > 100, "{results}");
    assert_eq!((results["lost"].as_u64(), results["wrong"].as_u64()), (Some(0), Some(0)), "{results}");
    let mut stream = TcpStream::connect(&upstream.address).unwrap();
    let question = b"\0\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01b\x00\x00\x01\x00\x01";
    let frame = [&[0, question.len() as u8][..], question].concat();
    stream.write_all(&frame.repeat(2)).unwrap();
    let mut answers = [0; 2 * (2 + 19 + 16)];
    stream.read_exact(&mut answers).unwrap();
    assert_eq!((&answers[2..4], &answers[33..37]), (&[0, 7][..], &[192, 0, 2, 1][..]));
}

#[test]
fn an_echo_is_no_answer() {
    let echo = Server::start(ECHO, &["[::]:0"]);
    let port = echo.address.rsplit(':').next().unwrap();
    let results = results(&load(&[&format!("127.0.0.1:{port}"), "--name", "a", "--rate", "200", "--seconds", "0.1", "--json"]));
    assert_eq!(results["answered"], 0, "{results}");
    assert_eq!(results["wrong"], results["sent"], "{results}");
    assert_eq!(results["lost"], results["sent"], "{results}");
}

#[test]
fn a_load_stays_on_this_machine() {
    for server in ["192.0.2.1:53", "[2001:db8::1]:53", "0.0.0.0:53"] {
        let output = load(&[server, "--name", "a"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("not on this machine"));
    }
}

#[test]
fn a_load_that_nobody_hears_ends() {
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let results = results(&load(&[&address, "--name", "a", "--saturate", "--seconds", "0.1", "--json"]));
    assert_eq!(results["answered"], 0, "{results}");
    assert_eq!(results["lost"], results["sent"], "{results}");
}

#[test]
fn a_plan_is_served_with_the_data_of_its_zones() {
    let folder = env::temp_dir().join(format!("clusterdns-run-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (plan, change) = (folder.join("plan.json"), folder.join("web.msgpack"));
    let soa = r#"{"mname": "ns", "rname": "hostmaster", "refresh": 1, "retry": 1, "expire": 1, "minimum": 5, "ttl": 5}"#;
    let op = format!(
        r#"{{"op": "zone", "zone": "example", "origins": [{{"name": "example.", "reverse": false}}], "primary": 0, "soa": {soa},
            "fallthrough": [], "exists": [], "soa_nodata": false, "bare_ports": true, "name": "kubernetes", "span": 0}}"#
    );
    let text = format!(
        r#"{{"version": {}, "listeners": [{{"id": "it", "host": "127.0.0.1", "port": 0, "server": "dns://:53"}}], "zones": ["example"],
            "blocks": [{{"zone": "example.", "listeners": ["it"], "program": [{op}], "span": 0}}], "spans": []}}"#,
        core_dns::plan::VERSION
    );
    fs::write(&plan, text).unwrap();
    // ((("web", 0, (("rrset", 1, 5, ("192.0.2.1",)),), ()),), 7, False, True) as MessagePack.
    fs::write(&change, b"\x94\x91\x94\xa3web\x00\x91\x94\xa5rrset\x01\x05\x91\xa9192.0.2.1\x90\x07\xc2\xc3").unwrap();
    let zone = format!("example={}", change.display());
    let server = Server::start(RUN, &[plan.to_str().unwrap(), "--zone", &zone, "--workers", "1"]);

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.send_to(b"\0\x07\0\0\0\x01\0\0\0\0\0\0\x03web\x07example\0\0\x01\0\x01", &server.address).unwrap();
    let mut answer = [0; 512];
    let length = client.recv(&mut answer).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(answer[..length].ends_with(&[192, 0, 2, 1]), "{:?}", &answer[..length]);
}

#[test]
fn what_makes_no_sense_is_said() {
    let said = |arguments: &[&str]| {
        let output = Command::new(RUN).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, usage) = said(&[]);
    assert!(code == Some(2) && usage.contains("which plan?"), "{usage}");
    let (code, missing) = said(&["/does/not/exist"]);
    assert!(code == Some(1) && missing.contains("/does/not/exist"), "{missing}");
}
