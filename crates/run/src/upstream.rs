//! `dns-upstream ADDRESS:PORT`: answers every question with one address, over UDP and TCP: what forwarders are measured with. It knows no
//! names. Ends with the signals that end any process.

#[allow(dead_code, reason = "shared with the load client, which needs other parts of it")]
mod mmsg;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::{env, process, thread};

use mmsg::{Batch, With};

/// Octets of a message's header.
const HEADER: usize = 12;
/// A record for the question's name: A, Internet, 300 seconds, 192.0.2.1.
const RECORD: [u8; 16] = [0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1];

fn main() {
    let address = env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(address) = address else {
        eprintln!("usage: dns-upstream ADDRESS:PORT");
        process::exit(2);
    };
    if let Err(error) = serve(address) {
        eprintln!("dns-upstream {address}: {error}");
        process::exit(1);
    }
}

/// Serves until the process ends.
fn serve(address: SocketAddr) -> io::Result<()> {
    let streams = TcpListener::bind(address)?;
    let datagrams = UdpSocket::bind(streams.local_addr()?)?;
    println!("ready {}", datagrams.local_addr()?);
    thread::spawn(move || {
        for stream in streams.incoming().flatten() {
            // A client that goes, or says nonsense, ends its own thread.
            thread::spawn(move || answer_stream(stream));
        }
    });
    let mut batch = Batch::new(With::Sender);
    let mut answers: Vec<Vec<u8>> = Vec::new();
    loop {
        // The errors that a datagram socket tells here belong to clients that have gone.
        let Ok(count) = batch.receive(&datagrams, true) else { continue };
        answers.clear();
        answers.extend((0..count).map(|at| answer(batch.message(at)).unwrap_or_default()));
        let _ = batch.answer(&datagrams, &answers);
    }
}

fn answer_stream(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut output, mut buffer) = (Vec::new(), Vec::new(), vec![0; 1 << 16]);
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        input.extend_from_slice(&buffer[..count]);
        let mut rest = &input[..];
        while let Some((&[high, low], behind)) = rest.split_first_chunk()
            && let Some((message, next)) = behind.split_at_checked(u16::from_be_bytes([high, low]).into())
        {
            let answer = answer(message).ok_or(io::ErrorKind::InvalidData)?;
            // An answer is as long as its question and a record.
            output.extend_from_slice(&(answer.len() as u16).to_be_bytes());
            output.extend_from_slice(&answer);
            rest = next;
        }
        let taken = input.len() - rest.len();
        input.drain(..taken);
        stream.write_all(&output)?;
        output.clear();
    }
}

/// The answer to a message; none if it is not one question.
fn answer(message: &[u8]) -> Option<Vec<u8>> {
    let mut end = HEADER;
    while *message.get(end)? != 0 {
        end += 1 + message[end] as usize;
    }
    end += 5;
    let question = message.get(HEADER..end)?;
    let mut answer = Vec::with_capacity(end + RECORD.len());
    answer.extend_from_slice(&message[..2]);
    answer.extend_from_slice(&[0x80 | message[2] & 1, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend_from_slice(question);
    answer.extend_from_slice(&RECORD);
    Some(answer)
}
