//! Bodies of HTTP replies: a text, or a page that is written piece by piece while the client takes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use core_dns::metrics::Page;
use hyper::body::{Body, Bytes, Frame, SizeHint};

/// What a reply says.
pub enum Said {
    /// All of it; nothing once it has been said.
    Text(Option<String>),
    /// Metrics, a family at a time.
    Page(Page),
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.get_mut() {
            Said::Text(text) => text.take(),
            Said::Page(page) => page.next(),
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Said::Text(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Said::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, String::len) as u64),
            Said::Page(_) => SizeHint::default(),
        }
    }
}
