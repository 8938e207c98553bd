//! The admin socket: lines of JSON over a unix socket, one request a line, answered by whoever knows.
//!
//! Knows the socket's file and its clients. Must not know what a request means. Blocking, on threads of its own, without
//! Python's lock: it answers while everything else is stuck.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

/// Clients at a time.
const MOST_CLIENTS: usize = 16;
/// The longest request.
const LONGEST_LINE: u64 = 64 * 1024;
/// How long a client may send or take nothing.
const IDLE: Duration = Duration::from_secs(5);
/// How long nobody is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers the requests of the admin socket.
pub trait Admin: Send + Sync {
    /// Answers one request (a line without its end) with one or more lines.
    fn request(&self, line: &str, out: &mut dyn Write) -> io::Result<()>;
}

/// An open admin socket; dropping it closes it and removes its file.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode: the file is ours only while it is this one.
    identity: (u64, u64),
    acceptor: Option<JoinHandle<()>>,
}

impl AdminSocket {
    /// Opens the socket, for its owner only. A file that a dead process left there is replaced; a socket that somebody serves
    /// is not.
    pub fn open(path: &Path, admin: Arc<dyn Admin>) -> io::Result<AdminSocket> {
        let listener = listen(path)?;
        let identity = identity(path)?;
        let accepting = listener.try_clone()?;
        let accept = move || accept_until_shut(&accepting, &admin);
        let acceptor = thread::Builder::new().name("admin".to_owned()).spawn(accept)?;
        Ok(AdminSocket { listener, path: path.to_owned(), identity, acceptor: Some(acceptor) })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // Somebody else may have removed it just now.
            let _ = fs::remove_file(&self.path);
        }
        // It cannot fail on a listening socket; it ends the acceptor's wait.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
        let _ = self.acceptor.take().map(JoinHandle::join);
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is not a socket", path.display())));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{} is served by another process", path.display())));
        }
    }
    // Under another name until its mode is right: at no moment may others connect, or find no socket.
    let mut unready = path.as_os_str().to_owned();
    unready.push(format!(".{}", std::process::id()));
    let unready = PathBuf::from(unready);
    // Left by a process that had our id.
    let _ = fs::remove_file(&unready);
    let listener = UnixListener::bind(&unready)?;
    let renamed = fs::set_permissions(&unready, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&unready, path));
    renamed.inspect_err(|_| drop(fs::remove_file(&unready)))?;
    Ok(listener)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

fn accept_until_shut(listener: &UnixListener, admin: &Arc<dyn Admin>) {
    // Each client's thread has one; the strong count tells how many there are.
    let clients = Arc::new(());
    loop {
        match listener.accept() {
            Ok((stream, _)) => serve_on_a_thread(stream, admin, &clients),
            // The socket was shut: we are closing.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return,
            // Without a free descriptor the client stays queued: asking again at once would only spin.
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

fn serve_on_a_thread(mut stream: UnixStream, admin: &Arc<dyn Admin>, clients: &Arc<()>) {
    if stream.set_write_timeout(Some(IDLE)).and_then(|()| stream.set_read_timeout(Some(IDLE))).is_err() {
        return;
    }
    if Arc::strong_count(clients) > MOST_CLIENTS {
        let _ = writeln!(stream, r#"{{"error":"{MOST_CLIENTS} clients are connected already"}}"#);
        return;
    }
    let (admin, client) = (Arc::clone(admin), Arc::clone(clients));
    let serve = move || {
        // A client that goes, or says nothing for too long, is no error of ours.
        let _ = serve(&stream, admin.as_ref());
        drop(client);
    };
    // Without a thread the connection is closed, which says enough.
    let _ = thread::Builder::new().name("admin-client".to_owned()).spawn(serve);
}

fn serve(stream: &UnixStream, admin: &dyn Admin) -> io::Result<()> {
    let mut requests = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        requests.by_ref().take(LONGEST_LINE + 1).read_line(&mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        if line.len() as u64 > LONGEST_LINE {
            return writeln!(&*stream, r#"{{"error":"a request must be shorter than {LONGEST_LINE} bytes"}}"#);
        }
        let mut out = io::BufWriter::new(stream);
        admin.request(line.trim_end_matches(['\r', '\n']), &mut out)?;
        out.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::read_to_string;

    use super::*;

    struct Echo;

    impl Admin for Echo {
        fn request(&self, line: &str, out: &mut dyn Write) -> io::Result<()> {
            writeln!(out, "{line}")?;
            writeln!(out, "done")
        }
    }

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("clusterdns-admin-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn ask(path: &Path, requests: &str) -> String {
        let mut stream = UnixStream::connect(path).unwrap();
        stream.write_all(requests.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_to_string(stream).unwrap()
    }

    #[test]
    fn each_line_is_a_request_and_only_the_owner_may_ask() {
        let folder = folder("lines");
        let path = folder.join("run/serve.sock");
        let socket = AdminSocket::open(&path, Arc::new(Echo)).unwrap();
        assert_eq!(ask(&path, "one\r\ntwo"), "one\ndone\ntwo\ndone\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o755);
        drop(socket);
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_served_one_is_not() {
        let folder = folder("stale");
        let path = folder.join("serve.sock");
        fs::create_dir_all(&folder).unwrap();
        drop(UnixListener::bind(&path).unwrap());
        let socket = AdminSocket::open(&path, Arc::new(Echo)).unwrap();
        let error = AdminSocket::open(&path, Arc::new(Echo)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(ask(&path, "still here\n"), "still here\ndone\n");
        drop(socket);
        fs::write(&path, "").unwrap();
        assert_eq!(AdminSocket::open(&path, Arc::new(Echo)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn closing_leaves_the_socket_of_a_successor_alone() {
        let folder = folder("successor");
        let path = folder.join("serve.sock");
        let old = AdminSocket::open(&path, Arc::new(Echo)).unwrap();
        fs::remove_file(&path).unwrap();
        let new = AdminSocket::open(&path, Arc::new(Echo)).unwrap();
        drop(old);
        assert_eq!(ask(&path, "new\n"), "new\ndone\n");
        drop(new);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn requests_and_clients_are_limited() {
        let folder = folder("limits");
        let path = folder.join("serve.sock");
        let socket = AdminSocket::open(&path, Arc::new(Echo)).unwrap();
        assert!(ask(&path, &"x".repeat(LONGEST_LINE as usize + 1)).contains("must be shorter"));
        let mut clients = Vec::new();
        let refused = loop {
            let mut stream = UnixStream::connect(&path).unwrap();
            // One that is refused may be closed already.
            let _ = stream.write_all(b"hello\n");
            let mut reply = String::new();
            BufReader::new(&stream).read_line(&mut reply).unwrap();
            if reply.contains("error") {
                break reply;
            }
            clients.push(stream);
        };
        assert!(
            refused.contains("16 clients") && (MOST_CLIENTS - 1..=MOST_CLIENTS).contains(&clients.len()),
            "{refused} {}",
            clients.len()
        );
        drop(socket);
        fs::remove_dir_all(folder).unwrap();
    }
}
