//! Sockets that systemd opened for us (sd_listen_fds(3)).

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::net::UnixListener;

use rustix::io::FdFlags;

/// The first descriptor handed over, by that protocol.
const FIRST: RawFd = 3;

/// A listening socket handed over.
#[derive(Debug)]
pub(super) enum Inherited {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// How many descriptors are meant for this process; none when the variables are absent, or meant for another.
pub(super) fn count(env: impl Fn(&str) -> Option<OsString>, own_pid: u32) -> i32 {
    let number = |name| env(name)?.to_str()?.parse::<i64>().ok();
    match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        // More than a few hundred is no handover but a mistake.
        (Some(pid), Some(fds @ 1..=512)) if pid == i64::from(own_pid) => {
            i32::try_from(fds).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Takes the sockets over, as duplicates: systemd keeps the sockets open beyond us in any case, and a descriptor that
/// is not what it should be stays with whoever has it.
///
/// # Errors
/// A descriptor that is no listening stream socket.
pub(super) fn take(count: i32) -> io::Result<Vec<Inherited>> {
    (FIRST..FIRST + count).map(take_one).collect()
}

fn take_one(fd: RawFd) -> io::Result<Inherited> {
    #[expect(
        unsafe_code,
        reason = "descriptors handed over are known by number only (sd_listen_fds(3))"
    )]
    // SAFETY: borrowed for the lines of this function, at the start of the process, when nobody closes descriptors that
    // are not its own; if there is none of this number, the first call says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_setfd(borrowed, FdFlags::CLOEXEC)?;
    if !rustix::net::sockopt::socket_acceptconn(borrowed)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a socket handed over by systemd does not listen",
        ));
    }
    let family = rustix::net::getsockname(borrowed)?.address_family();
    let socket = borrowed.try_clone_to_owned()?;
    if family == rustix::net::AddressFamily::UNIX {
        let listener = UnixListener::from(socket);
        listener.set_nonblocking(true)?;
        return Ok(Inherited::Unix(listener));
    }
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(Inherited::Tcp(listener))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pid: &'static str, fds: &'static str) -> impl Fn(&str) -> Option<OsString> {
        move |name| match name {
            "LISTEN_PID" => Some(pid.into()),
            "LISTEN_FDS" => Some(fds.into()),
            _ => None,
        }
    }

    #[test]
    fn only_what_is_meant_for_this_process_is_taken() {
        assert_eq!(count(env("42", "2"), 42), 2);
        assert_eq!(
            count(env("41", "2"), 42),
            0,
            "a child of the one it was meant for"
        );
        assert_eq!(count(env("42", "-1"), 42), 0);
        assert_eq!(count(env("42", "x"), 42), 0);
        assert_eq!(count(|_| None, 42), 0);
    }

    #[test]
    fn a_listening_socket_is_taken_and_anything_else_is_left_alone() {
        use std::os::fd::AsRawFd;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        match take_one(listener.as_raw_fd()).unwrap() {
            Inherited::Tcp(taken) => assert_eq!(taken.local_addr().unwrap(), addr),
            Inherited::Unix(_) => panic!("it is TCP"),
        }
        let connected = std::net::TcpStream::connect(addr).unwrap();
        let error = take_one(connected.as_raw_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(take_one(std::fs::File::open("/").unwrap().as_raw_fd()).is_err());
        assert!(take_one(999_999).is_err(), "there is no such descriptor");
    }
}
