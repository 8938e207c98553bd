//! Questions for whoever steers the engine: a bounded queue that is pulled from the other side, so nothing here ever calls out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Tasks that may be unanswered at the same time, taken or not.
const CAPACITY: usize = 1024;

/// A question with its deadline; dropping it without a reply is a reply as well: none.
pub struct Task {
    /// What is asked for.
    pub kind: &'static str,
    /// The question.
    pub body: Vec<u8>,
    deadline: Instant,
    reply: Box<dyn FnOnce(Vec<u8>) + Send>,
    _place: Place,
}

/// One of the places of unanswered tasks; it is free again when this is gone.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Task {
    /// Answers; too late an answer is forgotten.
    pub fn reply(self, body: Vec<u8>) {
        (self.reply)(body);
    }

    /// The time that is left to answer.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The queue.
#[derive(Default)]
pub struct Tasks {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Task>,
    unanswered: Arc<AtomicUsize>,
    closed: bool,
}

impl Tasks {
    /// Asks and waits for the answer. None: the queue is full or closed, or nobody answered in time.
    pub fn ask(&self, kind: &'static str, body: Vec<u8>, patience: Duration) -> Option<Vec<u8>> {
        let (sender, answer): (_, Receiver<Vec<u8>>) = sync_channel(1);
        let reply = move |body| drop(sender.try_send(body));
        if !self.push(kind, body, patience, reply) {
            return None;
        }
        answer.recv_timeout(patience).ok()
    }

    /// Asks; the answer is told to `reply`, unless nobody gives one. False: the queue is full or closed.
    pub fn push(&self, kind: &'static str, body: Vec<u8>, patience: Duration, reply: impl FnOnce(Vec<u8>) + Send + 'static) -> bool {
        let mut queue = self.lock();
        if queue.closed || queue.unanswered.load(Relaxed) >= CAPACITY {
            return false;
        }
        queue.unanswered.fetch_add(1, Relaxed);
        let place = Place(Arc::clone(&queue.unanswered));
        queue.waiting.push_back(Task { kind, body, deadline: Instant::now() + patience, reply: Box::new(reply), _place: place });
        drop(queue);
        self.arrived.notify_one();
        true
    }

    /// The next task that still has time; None after `patience`, or at once when the queue is closed.
    pub fn next(&self, patience: Duration) -> Option<Task> {
        let until = Instant::now() + patience;
        let mut queue = self.lock();
        loop {
            while let Some(task) = queue.waiting.pop_front() {
                if task.deadline > Instant::now() {
                    return Some(task);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if queue.closed || left.is_zero() {
                return None;
            }
            queue = self.arrived.wait_timeout(queue, left).unwrap_or_else(|poison| poison.into_inner()).0;
        }
    }

    /// Ends all waiting, on both sides.
    pub fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.waiting.clear();
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_task_is_answered_by_who_pulls_it() {
        let tasks = Arc::new(Tasks::default());
        let puller = Arc::clone(&tasks);
        let thread = std::thread::spawn(move || {
            let task = puller.next(LONG).unwrap();
            let body = [b"re: ", &task.body[..]].concat();
            task.reply(body);
        });
        assert_eq!(tasks.ask("describe", b"1".to_vec(), LONG).unwrap(), b"re: 1");
        thread.join().unwrap();
    }

    #[test]
    fn tasks_that_are_taken_and_not_answered_count() {
        let tasks = Tasks::default();
        let push = || tasks.push("ask", Vec::new(), LONG, |_| {});
        assert!((0..CAPACITY).all(|_| push()));
        assert!(!push());
        let taken = tasks.next(LONG).unwrap();
        assert!(!push(), "its answer is still to come");
        drop(taken);
        assert!(push() && !push());
    }

    #[test]
    fn nobody_waits_for_ever() {
        let tasks = Tasks::default();
        assert!(tasks.ask("describe", Vec::new(), Duration::ZERO).is_none());
        assert!(tasks.next(Duration::ZERO).is_none(), "a task past its deadline is not handed out");
        tasks.close();
        assert!(tasks.next(LONG).is_none());
        assert!(tasks.ask("describe", Vec::new(), LONG).is_none());
    }
}
