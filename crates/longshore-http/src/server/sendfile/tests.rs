//! The sender against real sockets.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::task::Waker;
use std::thread;

use bytes::Bytes;
use longshore_region::Region;

use super::super::window;
use super::*;

const MIB: u64 = 1 << 20;

fn region(len: u64) -> Arc<Region> {
    let file: File = tempfile::tempfile().unwrap();
    file.set_len(len).unwrap();
    Region::map(Arc::new(file), len).unwrap()
}

/// A sender and the client's end of its connection.
async fn connected() -> (SendFile, std::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    let stats = Arc::new(ServerStats::default());
    (SendFile::new(Socket::Tcp(stream), stats), client)
}

fn is_corked(sender: &SendFile) -> bool {
    let Socket::Tcp(stream) = &sender.socket else {
        panic!("it is TCP");
    };
    rustix::net::sockopt::tcp_cork(stream.as_fd()).unwrap()
}

async fn write(sender: &mut SendFile, bufs: &[&[u8]]) -> usize {
    let slices: Vec<_> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
    std::future::poll_fn(|cx| Pin::new(&mut *sender).poll_write_vectored(cx, &slices))
        .await
        .unwrap()
}

async fn flush(sender: &mut SendFile) {
    std::future::poll_fn(|cx| Pin::new(&mut *sender).poll_flush(cx))
        .await
        .unwrap();
}

#[tokio::test]
async fn each_long_stretch_is_corked_until_it_is_flushed_and_a_short_one_is_not() {
    let (mut sender, mut client) = connected().await;
    let drain = thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()).unwrap());
    let region = region(4 * MIB);
    let (long, short) = (region.bytes(0..4 * MIB), region.bytes(0..64 << 10));
    let head = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();

    let sent = write(&mut sender, &[head, &long]).await;
    assert!(sent <= head.len() && is_corked(&sender));
    flush(&mut sender).await;
    assert!(!is_corked(&sender));
    // What follows of the same body has no head before it.
    write(&mut sender, &[&long]).await;
    assert!(is_corked(&sender));
    flush(&mut sender).await;
    write(&mut sender, &[head, &short]).await;
    write(&mut sender, &[&short]).await;
    assert!(!is_corked(&sender));
    // Also where all of it goes through a pipe at once: the kernel sends 64 KiB of a pipe at a time.
    let one = region.bytes(0..MIB);
    write(&mut sender, &[head, &one]).await;
    assert!(is_corked(&sender));
    write(&mut sender, &[&one]).await;
    flush(&mut sender).await;
    assert!(!is_corked(&sender));
    drop(sender);
    drain.join().unwrap();
}

#[tokio::test]
async fn who_never_has_to_wait_lets_others_go_first_all_the_same() {
    let (mut sender, mut client) = connected().await;
    let drain = thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()).unwrap());
    let region = region(MIB);
    let frame: Bytes = region.bytes(0..MIB);
    let (mut sent, mut cx) = (0, Context::from_waker(Waker::noop()));
    // A body comes in frames, and each is flushed.
    loop {
        let slices = [IoSlice::new(&frame)];
        match Pin::new(&mut sender).poll_write_vectored(&mut cx, &slices) {
            Poll::Ready(len) => sent += len.unwrap() as u64,
            Poll::Pending => break,
        }
        flush(&mut sender).await;
        assert!(sent < TURN + window::SIZE, "{sent} bytes in one turn");
    }
    drop(sender);
    drain.join().unwrap();
}

/// Writes of `from` until the socket is full; how much that was.
fn fill(sender: &mut SendFile, from: &Bytes) -> usize {
    let (mut sent, mut in_vain, mut cx) = (0, 0, Context::from_waker(Waker::noop()));
    // In vain once may be the end of a turn.
    while in_vain < 2 {
        let slices = [IoSlice::new(&from[sent..])];
        match Pin::new(&mut *sender).poll_write_vectored(&mut cx, &slices) {
            Poll::Ready(len) => (sent, in_vain) = (sent + len.unwrap(), 0),
            Poll::Pending => in_vain += 1,
        }
    }
    sent
}

#[tokio::test]
async fn what_is_left_in_a_pipe_is_sent_next_and_never_in_place_of_something_else() {
    let content: Vec<u8> = (0..24 * MIB)
        .map(|at| (at / 4096 % 251).to_le_bytes()[0])
        .collect();
    let mut file: File = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &content).unwrap();
    let region = Region::map(Arc::new(file), 24 * MIB).unwrap();
    let frame = region.bytes(0..24 * MIB);
    for skips in [0, 5 * MIB] {
        let skips = usize::try_from(skips).unwrap();
        let (mut sender, mut client) = connected().await;
        sender.pipes = Box::leak(Box::new(Pipes::new(1)));
        let sent = fill(&mut sender, &frame);
        assert!(sender.piped.is_some(), "nothing is left after {sent}");
        let on = sent + skips;
        let read = thread::spawn(move || {
            let mut got = Vec::new();
            client.read_to_end(&mut got).unwrap();
            got
        });
        let mut at = on;
        while at < frame.len() {
            at += write(&mut sender, &[&frame[at..]]).await;
        }
        flush(&mut sender).await;
        drop(sender);
        let got = read.join().unwrap();
        assert!(got[..sent] == content[..sent]);
        assert!(got[sent..] == content[on..], "{sent} and {skips} left out");
    }
}

#[tokio::test]
async fn who_gets_no_pipe_sends_without() {
    let (mut sender, mut client) = connected().await;
    sender.pipes = Box::leak(Box::new(Pipes::new(0)));
    let drain = thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()).unwrap());
    let region = region(3 * MIB);
    let mut sent = 0;
    while sent < 3 * MIB {
        sent += write(&mut sender, &[&region.bytes(sent..3 * MIB)]).await as u64;
    }
    assert_eq!(sender.stats.sendfile_bytes(), sent);
    drop(sender);
    assert_eq!(drain.join().unwrap(), sent);
}

#[tokio::test]
async fn a_turn_that_is_over_goes_on_when_the_network_was_looked_at() {
    let (mut sender, mut client) = connected().await;
    let drain = thread::spawn(move || {
        let mut got = 0;
        let mut buffer = vec![0; 1 << 16];
        while let Ok(len @ 1..) = client.read(&mut buffer) {
            got += len as u64;
        }
        got
    });
    let region = region(4 * MIB);
    let mut sent = 0;
    while sent < 64 * MIB {
        let frame = region.bytes(sent % (4 * MIB)..4 * MIB);
        sent += write(&mut sender, &[&frame]).await as u64;
    }
    flush(&mut sender).await;
    drop(sender);
    assert_eq!(drain.join().unwrap(), sent);
}
