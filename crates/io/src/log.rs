//! The log: lines go to a bounded buffer, one thread writes them. A reader that is too slow loses lines, and learns how many; it
//! never stalls a query.
//!
//! Must not know what a line says.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use core_dns::log::Fields;

use crate::entry::{LogFormat, json_of};

/// Bytes that may wait for the reader.
const MOST_BYTES: usize = 1 << 20;
/// Lines that may wait for the reader.
const MOST_LINES: usize = 4096;

static STDOUT: OnceLock<Option<LogSink>> = OnceLock::new();

/// Starts the process's log on standard output, once. Lines before that are lost, and all are if the system gives no thread.
pub fn log_to_stdout(format: LogFormat) {
    STDOUT.get_or_init(|| LogSink::start(io::stdout(), format).ok());
}

/// Logs a line (without its end) on the process's log. Never blocks.
pub fn log_line(line: &str) {
    if let Some(sink) = stdout() {
        sink.line(line);
    }
}

/// Logs the line of a query on the process's log. Never blocks.
pub fn log_query(line: &str, query: impl FnOnce() -> Fields) {
    if let Some(sink) = stdout() {
        sink.query(line, query);
    }
}

/// Waits until everything logged so far is written, at most so long; before the process ends. False: it is not.
pub fn log_flush(longest: Duration) -> bool {
    stdout().is_none_or(|sink| sink.flush(longest))
}

/// Lines of the process's log that were lost since its start.
pub fn log_lines_lost() -> u64 {
    stdout().map_or(0, LogSink::lost)
}

fn stdout() -> Option<&'static LogSink> {
    STDOUT.get()?.as_ref()
}

/// A log with its own thread.
#[derive(Debug)]
pub struct LogSink {
    shared: Arc<Shared>,
    format: LogFormat,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    text: String,
    lines: usize,
    /// The writer is in the middle of writing.
    writing: bool,
    ended: bool,
}

impl LogSink {
    /// Starts a log that writes to `out`.
    pub fn start(out: impl Write + Send + 'static, format: LogFormat) -> io::Result<LogSink> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let writer = thread::Builder::new().name("log".to_owned()).spawn(move || its.write_forever(out, format))?;
        Ok(LogSink { shared, format, writer: Some(writer) })
    }

    /// Logs a line, or counts it as lost when too much waits already. Never blocks.
    pub fn line(&self, line: &str) {
        self.put(&formatted(line, self.format));
    }

    /// Logs the line of a query in the same way.
    pub fn query(&self, line: &str, query: impl FnOnce() -> Fields) {
        match self.format {
            LogFormat::Text => self.put(line),
            LogFormat::Json => self.put(&json_of(line, Some(query()), SystemTime::now())),
        }
    }

    fn put(&self, line: &str) {
        let mut waiting = self.shared.waiting();
        if waiting.lines >= MOST_LINES || waiting.text.len() + line.len() >= MOST_BYTES {
            self.shared.lost.fetch_add(1, Relaxed);
            return;
        }
        waiting.text.push_str(line);
        waiting.text.push('\n');
        waiting.lines += 1;
        // The writer looks again by itself while it writes.
        if waiting.lines == 1 && !waiting.writing {
            self.shared.changed.notify_all();
        }
    }

    /// Lines lost since the start.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Relaxed)
    }

    /// Waits until everything logged so far is written, at most so long. False: it is not.
    pub fn flush(&self, longest: Duration) -> bool {
        let until = Instant::now() + longest;
        let mut waiting = self.shared.waiting();
        while waiting.lines > 0 || waiting.writing {
            let Some(rest) = until.checked_duration_since(Instant::now()) else { return false };
            waiting = self.shared.changed.wait_timeout(waiting, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Drop for LogSink {
    /// Writes what waits, and ends the thread.
    fn drop(&mut self) {
        self.shared.waiting().ended = true;
        self.shared.changed.notify_all();
        // The writer does not panic; if it did, nothing is left to write.
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_forever(&self, mut out: impl Write, format: LogFormat) {
        let (mut text, mut told) = (String::new(), 0);
        loop {
            let mut waiting = self.waiting();
            waiting.writing = false;
            self.changed.notify_all();
            while waiting.lines == 0 && !waiting.ended {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if waiting.lines == 0 {
                return;
            }
            text.clear();
            std::mem::swap(&mut waiting.text, &mut text);
            let lines = std::mem::take(&mut waiting.lines);
            waiting.writing = true;
            drop(waiting);
            if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                self.lost.fetch_add(lines as u64, Relaxed);
            }
            let lost = self.lost.load(Relaxed);
            if lost > told {
                // Where even this cannot be written, the count still tells.
                let line = format!("[WARNING] {} lines of the log were lost: its reader is too slow", lost - told);
                let _ = writeln!(out, "{}", formatted(&line, format));
                told = lost;
            }
        }
    }
}

fn formatted(line: &str, format: LogFormat) -> Cow<'_, str> {
    match format {
        LogFormat::Text => line.into(),
        LogFormat::Json => json_of(line, None, SystemTime::now()).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that shows what it gets, and takes it only when it may.
    struct SlowReader {
        shown: Sender<String>,
        go: Receiver<()>,
    }

    impl Write for SlowReader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.shown.send(String::from_utf8_lossy(bytes).into_owned());
            let _ = self.go.recv_timeout(Duration::from_secs(20));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow_sink(format: LogFormat) -> (LogSink, Sender<()>, Receiver<String>) {
        let ((go, wait), (shown, read)) = (channel(), channel());
        (LogSink::start(SlowReader { shown, go: wait }, format).unwrap(), go, read)
    }

    #[test]
    fn a_slow_reader_loses_lines_and_is_told_how_many() {
        let (sink, go, read) = slow_sink(LogFormat::Text);
        sink.line("first");
        assert_eq!(read.recv().unwrap(), "first\n");
        for _ in 0..MOST_LINES + 7 {
            sink.line("more");
        }
        assert_eq!(sink.lost(), 7);
        assert!(!sink.flush(Duration::ZERO));
        drop(go);
        assert!(sink.flush(Duration::from_secs(20)));
        drop(sink);
        let rest: String = read.iter().collect();
        assert_eq!(rest.matches("more\n").count(), MOST_LINES);
        assert!(rest.contains("[WARNING] 7 lines of the log were lost"));
    }

    #[test]
    fn objects_are_lost_in_the_same_way() {
        let (sink, go, read) = slow_sink(LogFormat::Json);
        sink.line("[INFO] first");
        assert!(read.recv().unwrap().ends_with("\"level\":\"INFO\",\"msg\":\"first\"}\n"));
        for _ in 0..MOST_LINES + 7 {
            sink.line("more");
        }
        assert_eq!(sink.lost(), 7);
        drop(go);
        drop(sink);
        let rest: String = read.iter().collect();
        assert!(rest.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        assert!(rest.contains("\"level\":\"WARN\",\"msg\":\"7 lines of the log were lost"));
    }

    #[test]
    fn the_bytes_that_wait_are_bounded_too() {
        let (sink, go, read) = slow_sink(LogFormat::Text);
        sink.line("first");
        assert_eq!(read.recv().unwrap(), "first\n");
        let line = "x".repeat(MOST_BYTES / 4);
        for _ in 0..5 {
            sink.line(&line);
        }
        // The end of each line counts: a fourth one does not fit.
        assert_eq!(sink.lost(), 2);
        drop(go);
    }
}
