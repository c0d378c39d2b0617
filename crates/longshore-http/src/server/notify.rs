//! Tells systemd how far we are (sd_notify(3)): one datagram, no library.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// What systemd is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Connections are taken.
    Ready,
    /// No more connections are taken, those that are open end.
    Stopping,
}

impl State {
    const fn line(self) -> &'static [u8] {
        match self {
            State::Ready => b"READY=1\n",
            State::Stopping => b"STOPPING=1\n",
        }
    }
}

/// Sends `state` to the socket of `NOTIFY_SOCKET`: a path, or an abstract name after `@`.
///
/// # Errors
/// Those of the socket; nothing depends on the message but what systemd shows.
pub(super) fn send(socket: &OsStr, state: State) -> io::Result<()> {
    let datagram = UnixDatagram::unbound()?;
    match socket.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt;
            datagram.send_to_addr(state.line(), &SocketAddr::from_abstract_name(name)?)?;
        }
        _ => {
            datagram.send_to_addr(state.line(), &SocketAddr::from_pathname(socket)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_reads_one_line_at_the_path_it_gave() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), State::Ready).unwrap();
        let mut buf = [0; 64];
        let read = systemd.recv(&mut buf).unwrap();
        assert_eq!(&buf[..read], b"READY=1\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abstract_name_begins_with_an_at_sign() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("longshore-notify-{}", std::process::id());
        let systemd =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(OsStr::new(&format!("@{name}")), State::Stopping).unwrap();
        let mut buf = [0; 64];
        let read = systemd.recv(&mut buf).unwrap();
        assert_eq!(&buf[..read], b"STOPPING=1\n");
    }
}
