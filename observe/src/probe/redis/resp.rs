//! Redis's protocol, as far as it takes to ask and to read one answer. I/O.
//!
//! Source: RESP2, redis.io/docs/latest/develop/reference/protocol-spec.

use std::fmt;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// Longest answer taken; INFO has about 6 KB.
const MOST_REPLY_BYTES: usize = 1 << 20;

/// Why there is no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RespError {
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error("the server closed the connection")]
    Closed,
    #[error("it answers something else than Redis's protocol")]
    Garbled,
    #[error("{0}")]
    Refused(String),
}

/// An answer that is no error.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Text(String),
    Number(i64),
    Nothing,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{}`", text.chars().take(80).collect::<String>()),
            Self::Number(n) => n.fmt(f),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Wire<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends one command and reads its answer.
    pub(super) async fn ask(&mut self, command: &[&str]) -> Result<Reply, RespError> {
        let mut out = format!("*{}\r\n", command.len());
        for word in command {
            out.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        // A server that is full says so and closes before it is asked: its answer is worth more than our error.
        let sent = async {
            self.0.write_all(out.as_bytes()).await?;
            self.0.flush().await
        };
        let sent = sent.await;
        let reply = self.read().await;
        match (sent, reply) {
            (Err(e), Err(RespError::Closed | RespError::Broken(_))) => Err(e.into()),
            (_, reply) => reply,
        }
    }

    async fn read(&mut self) -> Result<Reply, RespError> {
        let line = self.read_line().await?;
        let (kind, rest) = line.split_at_checked(1).ok_or(RespError::Garbled)?;
        match kind {
            "+" => Ok(Reply::Text(rest.to_owned())),
            "-" => Err(RespError::Refused(rest.to_owned())),
            ":" => rest.parse().map(Reply::Number).map_err(|_| RespError::Garbled),
            "$" => self.read_bulk(rest).await,
            _ => Err(RespError::Garbled),
        }
    }

    async fn read_bulk(&mut self, length: &str) -> Result<Reply, RespError> {
        if length == "-1" {
            return Ok(Reply::Nothing);
        }
        let length: usize = length.parse().ok().filter(|n| *n <= MOST_REPLY_BYTES).ok_or(RespError::Garbled)?;
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).await?;
        bytes.truncate(length);
        Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn read_line(&mut self) -> Result<String, RespError> {
        let mut line = Vec::new();
        (&mut self.0).take(MOST_REPLY_BYTES as u64).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(RespError::Closed);
        }
        let text = std::str::from_utf8(&line).map_err(|_| RespError::Garbled)?;
        text.strip_suffix("\r\n").map(str::to_owned).ok_or(RespError::Garbled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(answer: &str, expect: Result<Reply, &str>) {
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(answer.as_bytes()).await.unwrap();
        let mut wire = Wire::new(near);
        let asking = async {
            let reply = wire.ask(&["PING"]).await;
            (reply, wire)
        };
        let closing = async {
            let mut asked = [0; 14];
            far.read_exact(&mut asked).await.unwrap();
            assert_eq!(&asked, b"*1\r\n$4\r\nPING\r\n");
            drop(far);
        };
        let ((reply, _), ()) = tokio::join!(asking, closing);
        match (reply, expect) {
            (Ok(reply), Ok(expect)) => assert_eq!(reply, expect),
            (Err(e), Err(part)) => assert!(e.to_string().contains(part), "{answer:?}: {e}"),
            (reply, _) => panic!("{answer:?}: {reply:?}"),
        }
    }

    #[tokio::test]
    async fn reads_every_kind_of_answer() {
        check("+PONG\r\n", Ok(Reply::Text("PONG".into()))).await;
        check("$5\r\na\r\nbc\r\n", Ok(Reply::Text("a\r\nbc".into()))).await;
        check("$-1\r\n", Ok(Reply::Nothing)).await;
        check(":42\r\n", Ok(Reply::Number(42))).await;
        check("-NOAUTH Authentication required.\r\n", Err("NOAUTH Authentication required.")).await;
        check("", Err("closed the connection")).await;
        check("HTTP/1.1 400 Bad Request\r\n", Err("something else than Redis's protocol")).await;
        check("$99999999999\r\n", Err("something else than Redis's protocol")).await;
        check("$5\r\nab", Err("the connection broke")).await;
    }
}
