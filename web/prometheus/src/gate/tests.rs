//! Tests of the gate: who waits, who is told, who is refused.

use super::*;

fn spins(turn: &Turn, until: impl Fn() -> bool) -> Result<(), ApiError> {
    while !until() {
        if !turn.goes_on() {
            return Err(ApiError::internal("stopped"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

#[tokio::test]
async fn work_is_told_when_nobody_waits_any_more() {
    let gate = Gate::new(1);
    let (tell, told) = std::sync::mpsc::channel();
    let late = gate.run(Duration::from_millis(20), move |turn| {
        let done = spins(turn, || false);
        let _ = tell.send(());
        done
    });
    assert_eq!(late.await.unwrap_err().message(), "query timed out in expression evaluation");
    told.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(gate.run(Duration::from_secs(5), |_| Ok(7)).await, Ok(7));
    assert_eq!(gate.counts().cancelled.load(Relaxed), 1);
}

#[tokio::test]
async fn what_waits_for_its_turn_too_long_is_refused() {
    let gate = Gate::of(Arc::new(Semaphore::new(0)));
    let late = gate.run(Duration::from_millis(10), |_| Ok(()));
    assert_eq!(late.await.unwrap_err().message(), "query timed out in query queue");
}

#[tokio::test]
async fn an_answer_counts_until_it_is_sent_and_queries_that_hold_too_much_together_are_refused() {
    let gate = Gate::new(2);
    let body = gate.run(Duration::from_secs(5), |turn| Ok(turn.sent(vec![7; 8_000]))).await.unwrap();
    let held = || gate.counts().held.load(Relaxed);
    let part = body.slice(10..20);
    drop(body);
    assert_eq!(held(), 1_000, "a part of it is on its way still");
    drop(part);
    assert_eq!(held(), 0);
    let full = gate.run(Duration::from_secs(5), |turn| {
        let first = turn.holds(HELD_POINTS);
        Ok((first, turn.holds(1)))
    });
    assert_eq!(full.await, Ok((true, false)));
    assert_eq!((held(), gate.counts().crowded.load(Relaxed)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_makes_room_for_short_work_and_takes_turns() {
    let gate = Gate::new(1);
    let over = Arc::new(AtomicBool::new(false));
    let long = |_| {
        let (gate, over) = (gate.clone(), over.clone());
        tokio::spawn(
            async move { gate.run(Duration::from_secs(60), move |turn| spins(turn, || over.load(Relaxed))).await },
        )
    };
    let all: Vec<_> = (0..LONG_WAITING).map(long).collect();
    while gate.counts().long.load(Relaxed) < LONG_WAITING as u64 {
        // The one permit is free again and again: each of these is answered while long ones go on.
        assert_eq!(gate.run(Duration::from_secs(60), |_| Ok(1)).await, Ok(1));
    }
    let one_more = gate.run(Duration::from_secs(60), |turn| spins(turn, || false)).await;
    assert!(one_more.unwrap_err().message().contains("long queries are going on already"));
    assert_eq!(gate.counts().refused.load(Relaxed), 1);
    over.store(true, Relaxed);
    for one in all {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(gate.counts().held.load(Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_all_queries_together_are_bounded_and_given_back() {
    let gate = Gate::new(2);
    let asked = |points| {
        let gate = gate.clone();
        async move { gate.run(Duration::from_secs(5), move |turn| Ok(turn.holds(points))).await }
    };
    assert_eq!(asked(HELD_POINTS).await, Ok(true));
    assert_eq!(asked(HELD_POINTS + 1).await, Ok(false));
    assert_eq!(asked(HELD_POINTS).await, Ok(true));
    let full = gate.run(Duration::from_secs(5), {
        let gate = gate.clone();
        move |turn| {
            assert!(turn.holds(HELD_POINTS));
            // Beside it there is room for little, and not for much.
            let other = |points| {
                tokio::runtime::Handle::current()
                    .block_on(gate.run(Duration::from_secs(5), move |turn| Ok(turn.holds(points))))
            };
            Ok((other(FREE_POINTS), other(FREE_POINTS + 1)))
        }
    });
    assert_eq!(full.await, Ok((Ok(true), Ok(false))));
}

#[tokio::test(flavor = "multi_thread")]
async fn small_work_needs_no_permit() {
    let gate = Gate::of(Arc::new(Semaphore::new(0)));
    assert_eq!(gate.small(|_| Some(3)), Some(3));
    assert_eq!(gate.small(|_| None::<u8>), None);
    assert_eq!(gate.counts().small.load(Relaxed), 1);
}
