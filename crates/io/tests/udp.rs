//! UDP over loopback: batches, the address that replies leave from, drops, and queries that wait.

mod standin;

use io_dns::TcpLimits;
use standin::{Server, ask, listener, take, udp};

#[test]
fn a_burst_longer_than_a_batch_is_answered_whole() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let client = udp(address);
    let (blocked, open) = server.gate();
    client.send(b"block").unwrap();
    blocked.recv().unwrap();
    let words: Vec<String> = (0..100).map(|number| format!("echo {number}")).collect();
    for word in &words {
        client.send(word.as_bytes()).unwrap();
    }
    open.send(()).unwrap();
    assert_eq!(take(&client), "unblocked");
    let replies: Vec<String> = words.iter().map(|_| take(&client)).collect();
    assert_eq!(replies, words.iter().map(|word| word["echo ".len()..].to_owned()).collect::<Vec<_>>());
}

#[test]
fn a_reply_leaves_from_the_address_that_was_asked() {
    for host in ["", "0.0.0.0", "::"] {
        let (_server, bound) = Server::on(host, TcpLimits::default());
        for ip in ["127.0.0.1", "127.0.0.5", "::1"] {
            // A connected socket hears nobody else.
            let asked = std::net::SocketAddr::new(ip.parse().unwrap(), bound.port());
            let client = udp(asked);
            assert_eq!(ask(&client, "who"), format!("{} {asked} 0 udp", client.local_addr().unwrap()));
        }
    }
}

#[test]
fn a_query_that_waits_is_answered_from_the_address_that_was_asked_too() {
    let (_server, bound) = Server::on("", TcpLimits::default());
    let clients: Vec<_> = ["127.0.0.7:0", "[::1]:0"]
        .map(|asked| {
            let mut asked: std::net::SocketAddr = asked.parse().unwrap();
            asked.set_port(bound.port());
            udp(asked)
        })
        .into();
    for client in &clients {
        client.send(b"wait word").unwrap();
    }
    let other = udp(format!("127.0.0.1:{}", bound.port()).parse().unwrap());
    // Both have been read before this: one worker, one queue.
    assert_eq!(ask(&other, "release word"), "released");
    clients.iter().for_each(|client| assert_eq!(take(client), "word"));
    assert_eq!(ask(&clients[0], "tick later"), "later");
}

#[test]
fn a_datagram_longer_than_the_buffer_is_dropped_and_counted() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let client = udp(address);
    let fits = format!("echo {}", "x".repeat(4096 - "echo ".len()));
    assert_eq!(ask(&client, &fits).len(), 4096 - "echo ".len());
    client.send(format!("{fits}x").as_bytes()).unwrap();
    assert_eq!(ask(&client, "echo next"), "next");
    assert_eq!(server.workers.counts().truncated, 1);
}

#[test]
fn drops_and_panics_cost_only_their_own_answer() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let client = udp(address);
    client.send(b"drop").unwrap();
    assert_eq!(ask(&client, "panic"), "failed: panic");
    client.send(b"").unwrap();
    assert_eq!(ask(&client, "echo alive"), "alive");
    assert_eq!(server.workers.counts().panics, 1);
}

#[test]
fn a_reply_that_cannot_be_sent_is_counted_and_the_rest_is_sent() {
    let (server, address) = Server::on("127.0.0.1", TcpLimits::default());
    let client = udp(address);
    let (blocked, open) = server.gate();
    client.send(b"block").unwrap();
    blocked.recv().unwrap();
    // One batch; the second reply is longer than a datagram can be.
    for word in ["echo first", "big 70000", "echo third"] {
        client.send(word.as_bytes()).unwrap();
    }
    open.send(()).unwrap();
    assert_eq!([take(&client), take(&client), take(&client)], ["unblocked", "first", "third"]);
    // Counted after its batch was sent, and before the next one is read.
    assert_eq!(ask(&client, "echo next"), "next");
    assert_eq!(server.workers.counts().unsent, 1);
}

#[test]
fn all_workers_answer() {
    let server = Server::start(3, TcpLimits::default());
    let address = server.listen(&[listener(7, "127.0.0.1", 0)])[0];
    // The kernel spreads clients over the sockets by their ports.
    for _ in 0..64 {
        let client = udp(address);
        assert_eq!(ask(&client, "who"), format!("{} {address} 7 udp", client.local_addr().unwrap()));
    }
}
