//! Authenticated reads of the API with 1,000 checks, over kept connections, with many tokens. I/O.
//!
//! One token may ask so often and no oftener, so the load is spread over as many tokens as the measurement needs. What
//! authorization itself costs is measured inside of the process: `cargo test --release -p web -- --ignored authorization_costs`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::probes::{Folder, start_farero, write_plan};
use super::process::get_with;
use super::server::Server;

/// Tokens that share the load: each may ask 200 times at once and 50 times a second after that.
const TOKENS: usize = 120;

/// Connections at once.
const CONNECTIONS: usize = 8;

/// How long it is measured.
const LASTS: Duration = Duration::from_secs(5);

/// What is read.
const PATH: &str = "/api/farero/v1/checks/bench/s1/check";

pub(super) fn run(farero: &Path) -> Result<()> {
    let server = Server::start()?;
    let folder = Folder::make("access")?;
    write_plan(&folder.0.join("plan"), server.port, 1_000, Duration::from_secs(10))?;
    let (_process, port) = start_farero(farero, &folder.0)?;
    std::thread::sleep(Duration::from_secs(12));
    let cookie = super::overview::log_in(port, &folder.0.join("farero.log"))?;
    let tokens: Arc<Vec<String>> = Arc::new(make_tokens(port, &cookie)?);
    let path = first_check(port, &tokens[0])?;
    let (mut times, took) = load(port, &path, &tokens)?;
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 1_000).copied().unwrap_or(f64::NAN);
    println!(
        "access    {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms: reads of one check by token, 1,000 checks, {CONNECTIONS} connections",
        times.len() as f64 / took.as_secs_f64(),
        at(500),
        at(990)
    );
    Ok(())
}

/// The API path of a check that exists.
fn first_check(port: u16, token: &str) -> Result<String> {
    let (status, body) = get_with(port, "/api/farero/v1/checks", &format!("authorization: Bearer {token}\r\n"))?;
    ensure!(status == 200, "the checks answered {status}");
    let id = body.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(id.map_or_else(|| PATH.to_owned(), |id| format!("/api/farero/v1/checks/{id}")))
}

/// Makes tokens over the form that people use, as fast as one session may.
fn make_tokens(port: u16, cookie: &str) -> Result<Vec<String>> {
    let (status, page) = get_with(port, "/settings", &format!("cookie: {cookie}\r\n"))?;
    ensure!(status == 200, "the settings answered {status}");
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").context("the settings hold no form")?;
    let mut tokens = Vec::with_capacity(TOKENS);
    for i in 0..TOKENS {
        let form = format!("csrf={csrf}&name=bench{i}&scope=read&days=1");
        let head = format!(
            "POST /settings/tokens HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(head.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let token = between(&text, "id=\"made\">", "<").context("no token was made")?;
        tokens.push(token.to_owned());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(tokens)
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    text.split_once(begin)?.1.split(end).next()
}

/// Asks over all connections; the time of each answer in milliseconds, and how long all of it took.
fn load(port: u16, path: &str, tokens: &Arc<Vec<String>>) -> Result<(Vec<f64>, Duration)> {
    let began = Instant::now();
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|first| {
            let (path, tokens) = (path.to_owned(), tokens.clone());
            std::thread::spawn(move || worker(port, &path, &tokens, first, began))
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        match worker.join() {
            Ok(times) => all.extend(times?),
            Err(_) => bail!("a connection's thread ended in a panic"),
        }
    }
    Ok((all, began.elapsed()))
}

fn worker(port: u16, path: &str, tokens: &[String], first: usize, began: Instant) -> Result<Vec<f64>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let (mut out, mut answers, mut times) = (stream.try_clone()?, BufReader::new(stream), Vec::new());
    let mut next = first;
    while began.elapsed() < LASTS {
        let token = &tokens[next % tokens.len()];
        next += CONNECTIONS;
        let sent = Instant::now();
        let head = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n\r\n");
        out.write_all(head.as_bytes())?;
        let status = read_answer(&mut answers)?;
        if status == 429 {
            continue; // This token has asked its share; the others go on.
        }
        ensure!(status == 200, "{path} answered {status}");
        times.push(sent.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

/// Reads one answer with a known length; its status.
fn read_answer(answers: &mut BufReader<TcpStream>) -> Result<u16> {
    let (mut status, mut length, mut line) = (0, 0usize, String::new());
    loop {
        line.clear();
        ensure!(answers.read_line(&mut line)? > 0, "the connection ended");
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if status == 0 {
            status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no HTTP answer")?;
        } else if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(status)
}
