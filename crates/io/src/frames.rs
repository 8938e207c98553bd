//! Messages out of a stream: two bytes of length, then the message (RFC 1035 4.2.2).
//!
//! Pure. Must not know sockets, nor what a message means.

/// What has been received and not yet been taken.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    start: usize,
}

/// An empty buffer larger than this is given back: thousands of idle connections shall cost nothing.
const KEPT: usize = 2048;

impl Frames {
    /// Appends what has been read.
    pub fn push(&mut self, read: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(read);
    }

    /// The next complete message. Frames of length zero are skipped.
    pub fn next(&mut self) -> Option<&[u8]> {
        loop {
            let rest = &self.bytes[self.start..];
            let length = rest.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length)));
            match length {
                Some(0) => self.start += 2,
                Some(length) if rest.len() >= 2 + length => {
                    let message = self.start + 2..self.start + 2 + length;
                    self.start = message.end;
                    return Some(&self.bytes[message]);
                }
                _ => {
                    if rest.is_empty() {
                        self.clear();
                    }
                    return None;
                }
            }
        }
    }

    /// Whether bytes are left: after `next` said `None`, a message has begun and is not complete.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_however_the_stream_was_cut() {
        let stream = [&[0, 3][..], b"one", &[0, 0], &[0, 3], b"two", &[0, 5], b"th"].concat();
        for cut in 1..stream.len() {
            let mut frames = Frames::default();
            let mut messages = Vec::new();
            for part in stream.chunks(cut) {
                frames.push(part);
                while let Some(message) = frames.next() {
                    messages.push(message.to_vec());
                }
            }
            assert_eq!(messages, [b"one", b"two"]);
            assert!(!frames.is_empty());
            frames.push(b"ree");
            assert_eq!(frames.next(), Some(&b"three"[..]));
            assert_eq!(frames.next(), None);
            assert!(frames.is_empty());
        }
    }

    #[test]
    fn the_longest_message_fits() {
        let mut frames = Frames::default();
        frames.push(&[0xff, 0xff]);
        frames.push(&[7; 65535]);
        assert_eq!(frames.next().map(<[u8]>::len), Some(65535));
        assert_eq!(frames.next(), None);
        assert!(frames.bytes.capacity() <= KEPT);
    }
}
