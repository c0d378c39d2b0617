//! Reads one answer off a connection.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

use super::Answer;

/// The longest body a test may receive.
const MOST: u64 = 64 << 20;

/// The answer, and whether the connection can take another request.
pub(super) async fn answer(
    from: &mut BufReader<TcpStream>,
    method: &str,
) -> io::Result<(Answer, bool)> {
    loop {
        let status = status(&line(from).await?)?;
        let headers = headers(from).await?;
        // Interim answers such as 100 come before the one that counts.
        if status >= 200 {
            let mut answer = Answer {
                status,
                headers,
                body: Bytes::new(),
            };
            let ends = body(from, method, &mut answer).await?;
            let closes = answer
                .all("connection")
                .any(|value| value.eq_ignore_ascii_case("close"));
            return Ok((answer, ends && !closes));
        }
    }
}

/// Reads the body into `answer`; gives whether it ended before the connection did.
async fn body(
    from: &mut BufReader<TcpStream>,
    method: &str,
    answer: &mut Answer,
) -> io::Result<bool> {
    if method == "HEAD" || matches!(answer.status, 204 | 304) {
        return Ok(true);
    }
    let mut body = Vec::new();
    let chunked = answer
        .all("transfer-encoding")
        .any(|value| value.eq_ignore_ascii_case("chunked"));
    let ends = if chunked {
        chunks(from, &mut body).await?;
        true
    } else if let Some(length) = answer.header("content-length") {
        let length: u64 = length
            .parse()
            .map_err(|_| not_http("Content-Length is no number"))?;
        from.take(length.min(MOST)).read_to_end(&mut body).await?;
        if body.len() as u64 != length {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the body is shorter than Content-Length",
            ));
        }
        true
    } else {
        from.take(MOST).read_to_end(&mut body).await?;
        false
    };
    answer.body = body.into();
    Ok(ends)
}

async fn chunks(from: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(from).await?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size =
            u64::from_str_radix(digits, 16).map_err(|_| not_http("a chunk without a size"))?;
        if size == 0 {
            headers(from).await?;
            return Ok(());
        }
        if size > MOST || body.len() as u64 > MOST {
            return Err(not_http("a body longer than any test expects"));
        }
        let before = body.len() as u64;
        (&mut *from).take(size).read_to_end(body).await?;
        if body.len() as u64 - before != size || !line(from).await?.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a chunk is not as long as it says",
            ));
        }
    }
}

async fn headers(from: &mut BufReader<TcpStream>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(from).await?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| not_http("a header line without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

async fn line(from: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    from.take(MOST).read_until(b'\n', &mut line).await?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
        None if line.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
        None => Err(not_http("a line that does not end in CR LF")),
    }
}

fn status(line: &str) -> io::Result<u16> {
    let rest = line
        .strip_prefix("HTTP/1.1 ")
        .ok_or_else(|| not_http("no status line of HTTP/1.1"))?;
    rest.get(..3)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| not_http("a status line without a status"))
}

fn not_http(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
