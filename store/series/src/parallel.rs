//! Work in pieces on several processors, its results taken in order: who takes them works too, and helpers that find nothing to do end. I/O: threads.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::{Condvar, Mutex};

/// So many pieces may be done before they are taken: more would only fill memory.
const AHEAD: usize = 4;

/// Helpers in the whole process: as many threads as there are processors, beside the one that asks.
static HELPERS: AtomicUsize = AtomicUsize::new(0);

/// How many there may be. Asked of the system once: it reads files of its own, and takes longer than most questions to the store.
static MOST: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(0, |n| n.get() - 1));

/// Helpers that were lent.
struct Lent(usize);

impl Lent {
    /// As many as are free, at most `wanted`.
    fn take(wanted: usize) -> Self {
        if wanted == 0 {
            return Self(0);
        }
        let all = *MOST;
        let free = HELPERS.fetch_update(Relaxed, Relaxed, |used| Some(used + all.saturating_sub(used).min(wanted)));
        let used = free.unwrap_or_default();
        Self(all.saturating_sub(used).min(wanted))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if self.0 > 0 {
            HELPERS.fetch_sub(self.0, Relaxed);
        }
    }
}

/// What is known of the pieces.
struct State<T> {
    /// The next piece that nobody works on.
    next: usize,
    /// The next piece to be taken.
    wanted: usize,
    done: HashMap<usize, T>,
    /// Nothing more is wanted, or a helper broke off.
    over: bool,
}

struct Board<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    pieces: usize,
}

impl<T> Board<T> {
    /// A piece that nobody works on, unless it lies too far ahead.
    fn claim(&self, state: &mut State<T>) -> Option<usize> {
        let free = !state.over && state.next < self.pieces && state.next < state.wanted + AHEAD;
        free.then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    fn help(&self, work: &(impl Fn(usize) -> T + Sync)) {
        let _ended = EndOnPanic(self);
        let mut state = self.state.lock();
        while !state.over && state.next < self.pieces {
            let Some(piece) = self.claim(&mut state) else {
                self.changed.wait(&mut state);
                continue;
            };
            drop(state);
            let result = work(piece);
            state = self.state.lock();
            state.done.insert(piece, result);
            self.changed.notify_all();
        }
    }

    fn end(&self) {
        self.state.lock().over = true;
        self.changed.notify_all();
    }
}

/// Whoever panics must not leave the others waiting for its piece.
struct EndOnPanic<'b, T>(&'b Board<T>);

impl<T> Drop for EndOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}

/// Does pieces `0..pieces` and hands their results on in order, until `take` breaks.
pub(crate) fn in_order<T: Send>(
    pieces: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) {
    let lent = Lent::take(pieces.saturating_sub(1));
    if lent.0 == 0 {
        let _ = (0..pieces).try_for_each(|piece| take(work(piece)));
        return;
    }
    let state = State { next: 0, wanted: 0, done: HashMap::new(), over: false };
    let board = Board { state: Mutex::new(state), changed: Condvar::new(), pieces };
    std::thread::scope(|scope| {
        let _ended = EndOnPanic(&board);
        for _ in 0..lent.0 {
            // A thread that cannot be made is not needed.
            let _ = std::thread::Builder::new().name("series".into()).spawn_scoped(scope, || board.help(&work));
        }
        for piece in 0..pieces {
            let Some(result) = taken(&board, piece, &work) else { break };
            if take(result).is_break() {
                break;
            }
        }
        board.end();
    });
}

/// The result of a piece, with work on this one or others while it is not there; `None` when a helper broke off.
fn taken<T>(board: &Board<T>, piece: usize, work: &(impl Fn(usize) -> T + Sync)) -> Option<T> {
    let mut state = board.state.lock();
    state.wanted = piece;
    board.changed.notify_all();
    loop {
        if let Some(result) = state.done.remove(&piece) {
            return Some(result);
        }
        if state.over {
            return None;
        }
        let Some(claimed) = board.claim(&mut state) else {
            board.changed.wait(&mut state);
            continue;
        };
        drop(state);
        let result = work(claimed);
        if claimed == piece {
            return Some(result);
        }
        state = board.state.lock();
        state.done.insert(claimed, result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_each_piece_is_done_once() {
        for pieces in [0, 1, 2, 100] {
            let (count, mut seen) = (AtomicUsize::new(0), Vec::new());
            let work = |piece: usize| {
                count.fetch_add(1, Relaxed);
                piece * 10
            };
            in_order(pieces, work, |n| {
                seen.push(n);
                ControlFlow::Continue(())
            });
            assert_eq!((seen, count.into_inner()), ((0..pieces).map(|n| n * 10).collect(), pieces));
        }
    }

    #[test]
    fn a_break_ends_the_work() {
        let (count, mut seen) = (AtomicUsize::new(0), 0);
        let work = |_| count.fetch_add(1, Relaxed);
        in_order(10_000, work, |_| {
            seen += 1;
            if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!((3..=3 + AHEAD + 8).contains(&count.into_inner()));
    }

    #[test]
    fn a_panic_of_a_piece_reaches_whoever_asked() {
        let broken = std::panic::catch_unwind(|| {
            in_order(50, |piece| assert_ne!(piece, 7), |()| ControlFlow::Continue(()));
        });
        assert!(broken.is_err());
    }
}
