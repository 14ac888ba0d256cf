//! Tests of schedules.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, oneshot};

use super::*;

#[tokio::test]
async fn it_calls_again_after_a_failure_and_ends_when_told() {
    let (stop, stopped) = oneshot::channel::<()>();
    let calls = Arc::new(AtomicUsize::new(0));
    let third = Arc::new(Notify::new());
    let handler = {
        let (calls, third) = (calls.clone(), third.clone());
        move || {
            let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
            if call == 3 {
                third.notify_one();
            }
            async move { if call == 1 { Err("injected") } else { Ok(()) } }
        }
    };
    let schedule = Schedule { name: "test".to_owned(), interval: Duration::from_millis(5) };
    let running = tokio::spawn(async move {
        schedule.run(async { drop(stopped.await) }, handler).await;
    });
    third.notified().await;
    drop(stop);
    running.await.unwrap();
}

#[tokio::test]
async fn a_call_that_takes_long_is_not_joined_by_another() {
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Arc::new(std::sync::Mutex::new(Some(stop)));
    let (running, calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handler = {
        let (running, calls, stop) = (running.clone(), calls.clone(), stop.clone());
        move || {
            let (running, calls, stop) = (running.clone(), calls.clone(), stop.clone());
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two calls at once");
                tokio::time::sleep(Duration::from_millis(10)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                if calls.fetch_add(1, Ordering::SeqCst) == 3 {
                    stop.lock().unwrap().take();
                }
                Ok::<(), Failure>(())
            }
        }
    };
    let schedule = Schedule { name: "test".to_owned(), interval: Duration::from_millis(1) };
    schedule.run(async { drop(stopped.await) }, handler).await;
    assert_eq!((running.load(Ordering::SeqCst), calls.load(Ordering::SeqCst)), (0, 4));
}
