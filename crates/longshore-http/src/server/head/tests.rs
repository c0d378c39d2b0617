use super::*;

fn read(head: &str) -> Result<Option<(usize, Framing)>, Refusal> {
    Head::default().read(head.as_bytes(), &Limits::default())
}

fn with(lines: &str) -> Result<Option<(usize, Framing)>, Refusal> {
    read(&format!("PUT /v2/ HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n"))
}

fn framing(lines: &str) -> Framing {
    with(lines).unwrap().unwrap().1
}

#[test]
fn a_head_that_comes_byte_by_byte_reads_like_one_that_comes_at_once() {
    let text = "\r\nPUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nrest of it";
    let end = text.len() - "rest of it".len();
    let mut head = Head::default();
    for upto in 0..end {
        assert_eq!(
            head.read(&text.as_bytes()[..upto], &Limits::default()),
            Ok(None)
        );
    }
    assert_eq!(
        head.read(text.as_bytes(), &Limits::default()),
        Ok(Some((end, Framing::Length(12))))
    );
    assert_eq!(read(text), Ok(Some((end, Framing::Length(12)))));
}

#[test]
fn what_has_two_readings_is_refused() {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: +5",
        "Content-Length: 5,5",
        "Content-Length:  5",
        "Content-Length: 5 ",
        "Content-Length: 0x5",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length:",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "A: b\r\n folded",
        "A: b\nC: d",
        "A: b\rC: d",
        "A: b\0c",
        "A\0: b",
        ": b",
        "no colon",
        "Host: y",
    ] {
        assert_eq!(with(lines), Err(Refusal::Malformed), "{lines:?}");
    }
}

#[test]
fn what_everybody_sends_is_taken() {
    assert_eq!(framing("Content-Length: 5"), Framing::Length(5));
    assert_eq!(framing("content-length:5"), Framing::Length(5));
    assert_eq!(framing("Transfer-Encoding: Chunked"), Framing::Chunked);
    assert_eq!(framing("X: \u{e9}t\u{e9}\ttab"), Framing::Length(0));
    assert!(
        read("GET / HTTP/1.0\r\n\r\n").unwrap().is_some(),
        "1.0 needs no Host"
    );
}

#[test]
fn a_request_line_is_three_words_of_a_version_we_speak() {
    for (line, refusal) in [
        ("GET /", Refusal::Malformed),
        ("GET  / HTTP/1.1", Refusal::Malformed),
        ("GET / HTTP/1.1 ", Refusal::Malformed),
        ("GET / http/1.1", Refusal::Malformed),
        ("G(T / HTTP/1.1", Refusal::Malformed),
        ("GET /\t HTTP/1.1", Refusal::Malformed),
        ("GET /a<b HTTP/1.1", Refusal::Malformed),
        ("GET /a\x7fb HTTP/1.1", Refusal::Malformed),
        ("GET http:// HTTP/1.1", Refusal::Malformed),
        ("GET / HTTP/3.0", Refusal::Version),
        ("PRI * HTTP/2.0", Refusal::Version),
        ("\x16\x03\x01\x02", Refusal::TlsOnPlain),
    ] {
        assert_eq!(
            read(&format!("{line}\r\nHost: x\r\n\r\n")),
            Err(refusal),
            "{line:?}"
        );
    }
    assert_eq!(read("GET / HTTP/1.1\nHost: x\n\n"), Err(Refusal::Malformed));
}

#[test]
fn targets_of_every_form_are_taken() {
    for target in [
        "/v2/a%2Fb/manifests/sha256:0?x=1&y[]={z}",
        "http://x/v2/",
        "*",
        "x:443",
    ] {
        let head = format!("OPTIONS {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(read(&head).unwrap().is_some(), "{target}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_read_the_same_however_they_come(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..20),
        cuts in proptest::collection::vec(1..40_usize, 1..40),
    ) {
        let text = words.concat();
        let mut head = Head::default();
        let mut pieces = Ok(None);
        let mut upto = 0;
        let mut cuts = cuts.into_iter().cycle();
        while upto < text.len() && pieces == Ok(None) {
            upto = text.len().min(upto + cuts.next().unwrap());
            pieces = head.read(&text.as_bytes()[..upto], &Limits::default());
        }
        proptest::prop_assert_eq!(pieces, read(&text));
    }
}

const WORDS: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "PUT /v2/ HTTP/1.0\r\n",
    "GET",
    " ",
    "/",
    "HTTP/1.1",
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\n",
    "Host: x\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "A",
    ":",
    "\t",
    "\0",
    "\u{16}",
    "\u{e9}",
];

#[test]
fn what_is_too_much_is_refused_before_it_has_all_come() {
    let long = |n: usize| "a".repeat(n);
    assert_eq!(
        read(&format!("GET /{}", long(9000))),
        Err(Refusal::TargetTooLong)
    );
    assert!(
        read(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(8000)))
            .unwrap()
            .is_some()
    );
    assert_eq!(
        with(&format!("A: {}", long(17_000))),
        Err(Refusal::HeadersTooLarge)
    );
    assert_eq!(
        read(&format!("GET / HTTP/1.1\r\nA: {}", long(17_000))),
        Err(Refusal::HeadersTooLarge)
    );
    let three = format!("A: {0}\r\nB: {0}\r\nC: {0}", long(12_000));
    assert_eq!(with(&three), Err(Refusal::HeadersTooLarge));
    assert_eq!(with(&"A: b\r\n".repeat(100)), Err(Refusal::HeadersTooLarge));
    assert!(with("A: b\r\n".repeat(98).trim_end()).unwrap().is_some());
}
