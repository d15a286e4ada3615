// SPDX-License-Identifier: MIT
// Everything that Rust's std has for threads.  What it prints does not depend
// on who comes first.
// usage: sync ROUNDS
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel, RecvTimeoutError};
use std::sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::Duration;

fn mutexes(rounds: usize) -> usize {
    let sum = Mutex::new(0);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                for _ in 0..rounds {
                    *sum.lock().unwrap() += 1;
                }
            });
        }
    });
    let poisoned = thread::scope(|s| {
        s.spawn(|| {
            let _held = sum.lock().unwrap();
            std::panic::resume_unwind(Box::new("holding it"));
        })
        .join()
        .is_err()
    });
    assert!(poisoned && sum.is_poisoned());
    let n = *sum.lock().unwrap_or_else(|e| e.into_inner());
    n
}

fn conditions(rounds: usize) -> usize {
    let turn = Mutex::new(0);
    let changed = Condvar::new();
    thread::scope(|s| {
        for me in 0..3 {
            let (turn, changed) = (&turn, &changed);
            s.spawn(move || {
                for _ in 0..rounds {
                    let mut t = changed
                        .wait_while(turn.lock().unwrap(), |t| *t % 3 != me)
                        .unwrap();
                    *t += 1;
                    changed.notify_all();
                }
            });
        }
    });
    let (_guard, result) = changed
        .wait_timeout(turn.lock().unwrap(), Duration::from_millis(20))
        .unwrap();
    assert!(result.timed_out());
    *_guard
}

fn rwlocks(rounds: usize) -> (usize, bool) {
    let pair = RwLock::new((0usize, 0usize));
    let torn = AtomicBool::new(false);
    thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                for _ in 0..rounds {
                    let mut p = pair.write().unwrap();
                    p.0 += 1;
                    thread::yield_now();
                    p.1 += 1;
                }
            });
            s.spawn(|| {
                for _ in 0..rounds {
                    let p = pair.read().unwrap();
                    if p.0 != p.1 {
                        torn.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let held = pair.read().unwrap();
    assert!(pair.try_write().is_err() && pair.try_read().is_ok());
    (held.0, torn.load(Ordering::Relaxed))
}

fn barriers(rounds: usize) -> usize {
    let barrier = Barrier::new(4);
    let leaders = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                for _ in 0..rounds {
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    leaders.load(Ordering::Relaxed)
}

fn onces() -> usize {
    static ONCE: Once = Once::new();
    static RAN: AtomicUsize = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                ONCE.call_once(|| {
                    (0..1000).for_each(|_| thread::yield_now());
                    RAN.fetch_add(1, Ordering::Relaxed);
                });
                assert!(ONCE.is_completed());
            });
        }
    });
    RAN.load(Ordering::Relaxed)
}

fn channels(rounds: usize) -> (usize, usize) {
    let (send, receive) = channel();
    let (narrow, other) = sync_channel(1);
    let senders: Vec<_> = (0..3)
        .map(|n| {
            let (send, narrow) = (send.clone(), narrow.clone());
            thread::spawn(move || {
                for i in 0..rounds {
                    send.send(n * rounds + i).unwrap();
                    narrow.send(1).unwrap();
                }
            })
        })
        .collect();
    drop((send, narrow));
    let counted: usize = other.iter().sum();
    for sender in senders {
        sender.join().unwrap();
    }
    let sum = receive.iter().sum();
    let (kept, silent) = channel::<()>();
    let wait = Duration::from_millis(10);
    assert_eq!(silent.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
    drop(kept);
    assert!(silent.recv().is_err());
    (sum, counted)
}

fn parking(rounds: usize) -> usize {
    let said = Arc::new(AtomicUsize::new(0));
    let heard = said.clone();
    let main = thread::current();
    let other = thread::spawn(move || {
        for n in 0..rounds {
            while heard.load(Ordering::Acquire) <= n {
                thread::park();
            }
            main.unpark();
        }
        rounds
    });
    for n in 0..rounds {
        said.store(n + 1, Ordering::Release);
        other.thread().unpark();
        thread::park();
    }
    thread::park_timeout(Duration::from_millis(10));
    other.join().unwrap()
}

struct Farewell;
static GONE: AtomicUsize = AtomicUsize::new(0);
impl Drop for Farewell {
    fn drop(&mut self) {
        GONE.fetch_add(1, Ordering::Relaxed);
    }
}
thread_local! {
    static LEFT: Cell<Option<Farewell>> = Cell::new(None);
}

fn locals() -> usize {
    let all: Vec<_> = (0..5)
        .map(|n| {
            thread::Builder::new()
                .name(format!("local.{n}"))
                .stack_size(128 * 1024)
                .spawn(|| LEFT.with(|l| l.set(Some(Farewell))))
                .unwrap()
        })
        .collect();
    for one in all {
        one.join().unwrap();
    }
    GONE.load(Ordering::Relaxed)
}

fn main() {
    let rounds = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut said = BTreeMap::new();
    said.insert("mutex", format!("{}", mutexes(rounds)));
    said.insert("condition", format!("{}", conditions(rounds / 10)));
    said.insert("rwlock", format!("{:?}", rwlocks(rounds)));
    said.insert("barrier", format!("{}", barriers(rounds / 10)));
    said.insert("once", format!("{}", onces()));
    said.insert("channel", format!("{:?}", channels(rounds / 10)));
    said.insert("park", format!("{}", parking(rounds / 10)));
    said.insert("local", format!("{}", locals()));
    println!("{said:#?}");
    std::process::exit(thread::spawn(|| 7).join().unwrap());
}
