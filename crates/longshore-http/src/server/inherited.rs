//! Sockets that systemd opened for us (sd_listen_fds(3)).

use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
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

/// Takes the sockets over. Call once: they are closed when dropped.
///
/// # Errors
/// A descriptor that is no listening stream socket.
pub(super) fn take(count: i32) -> io::Result<Vec<Inherited>> {
    (FIRST..FIRST + count).map(take_one).collect()
}

fn take_one(fd: RawFd) -> io::Result<Inherited> {
    #[expect(
        unsafe_code,
        reason = "sd_listen_fds(3) makes this process the owner of the descriptors it names"
    )]
    // SAFETY: `count` has seen that the descriptors are meant for this very process, and `take` is called once, by
    // the one server that inherits; nothing else in the process owns them.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    if !rustix::net::sockopt::socket_acceptconn(&fd)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a socket handed over by systemd does not listen",
        ));
    }
    if rustix::net::getsockname(&fd)?.address_family() == rustix::net::AddressFamily::UNIX {
        let listener = UnixListener::from(fd);
        listener.set_nonblocking(true)?;
        return Ok(Inherited::Unix(listener));
    }
    let listener = TcpListener::from(fd);
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
}
