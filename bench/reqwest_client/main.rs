// SPDX-License-Identifier: BSL-1.0

// The workload with reqwest, over OpenSSL: PORT CA_FILE REQUESTS IN_FLIGHT [h2] [post]

use reqwest::header::{HeaderMap, HeaderValue, ACCEPT, CONTENT_TYPE, USER_AGENT};
use reqwest::{Certificate, Client, StatusCode};
use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

type Failure = Box<dyn Error>;

struct Workload {
    port: u16,
    ca_file: String,
    requests: usize,
    in_flight: usize,
    http_2: bool,
    post: bool,
}

fn workload() -> Option<Workload> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.len() < 4 || words[4..].iter().any(|word| word != "h2" && word != "post") {
        return None;
    }
    Some(Workload {
        port: words[0].parse().ok()?,
        ca_file: words[1].clone(),
        requests: words[2].parse().ok().filter(|n| *n > 0)?,
        in_flight: words[3].parse().ok().filter(|n| *n > 0)?,
        http_2: words[4..].iter().any(|word| word == "h2"),
        post: words[4..].iter().any(|word| word == "post"),
    })
}

/// User and system, of the whole process, in microseconds.
fn cpu_time() -> f64 {
    let mut used = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    let used = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, used.as_mut_ptr());
        used.assume_init()
    };
    (used.ru_utime.tv_sec + used.ru_stime.tv_sec) as f64 * 1e6 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) as f64
}

/// Not ru_maxrss, which begins with that of the process that started this one.
fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// As measured.hpp has it: first the warm-up, then what is measured, without a pause.
struct Measured {
    warm_up: usize,
    all: usize,
    started: usize,
    finished: usize,
    now: Instant,
    begin: (Instant, f64),
    end: (Instant, f64),
    latencies: Vec<f64>,
}

impl Measured {
    fn new(w: &Workload) -> Self {
        let warm_up = 1000 + 40 * w.in_flight;
        let now = Instant::now();
        Measured {
            warm_up,
            all: warm_up + w.requests,
            started: 0,
            finished: 0,
            now,
            begin: (now, 0.0),
            end: (now, 0.0),
            latencies: Vec::with_capacity(w.requests),
        }
    }

    fn start(&mut self) -> Option<Instant> {
        if self.started == self.all {
            return None;
        }
        self.started += 1;
        Some(self.now)
    }

    fn finish(&mut self, begun: Instant) {
        self.now = Instant::now();
        self.finished += 1;
        if self.finished > self.warm_up {
            self.latencies.push((self.now - begun).as_secs_f64() * 1e6);
        } else if self.finished == self.warm_up {
            self.begin = (self.now, cpu_time());
        }
        if self.finished == self.all {
            self.end = (self.now, cpu_time());
        }
    }

    fn print(&mut self) {
        self.latencies.sort_by(f64::total_cmp);
        let n = self.latencies.len();
        let percentile = |share: f64| self.latencies[(share * (n - 1) as f64) as usize];
        println!(
            "{{\"requests\":{},\"seconds\":{:.6},\"cpu_us_per_request\":{:.3},\"p50_us\":{:.1},\"p99_us\":{:.1},\"p999_us\":{:.1},\"peak_rss_kib\":{}}}",
            n,
            (self.end.0 - self.begin.0).as_secs_f64(),
            (self.end.1 - self.begin.1) / n as f64,
            percentile(0.5),
            percentile(0.99),
            percentile(0.999),
            peak_rss_kib()
        );
    }
}

async fn send(client: &Client, url: &str, token: &str, body: Option<&'static str>) -> Result<(), Failure> {
    let request = match body {
        Some(json) => client.post(url).header(CONTENT_TYPE, "application/json").body(json),
        None => client.get(url),
    };
    let answer = request.bearer_auth(token).send().await?;
    if answer.status() != StatusCode::OK {
        return Err(format!("answered with {}", answer.status()).into());
    }
    answer.bytes().await?;
    Ok(())
}

async fn worker(
    client: Client,
    url: Rc<str>,
    token: Rc<str>,
    body: Option<&'static str>,
    measured: Rc<RefCell<Measured>>,
) -> Result<(), Failure> {
    loop {
        let begun = match measured.borrow_mut().start() {
            Some(begun) => begun,
            None => return Ok(()),
        };
        send(&client, &url, &token, body).await?;
        measured.borrow_mut().finish(begun);
    }
}

async fn run(w: Workload) -> Result<(), Failure> {
    let mut fields = HeaderMap::new();
    fields.insert(ACCEPT, HeaderValue::from_static("application/json"));
    fields.insert(USER_AGENT, HeaderValue::from_static("jeton/0.1.0"));
    let builder = Client::builder()
        .default_headers(fields)
        .tls_built_in_root_certs(false)
        .add_root_certificate(Certificate::from_pem(&std::fs::read(&w.ca_file)?)?)
        .resolve("localhost", ([127, 0, 0, 1], w.port).into())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(w.in_flight);
    let client = if w.http_2 { builder.http2_prior_knowledge() } else { builder.http1_only() }.build()?;

    let url: Rc<str> = format!("https://localhost:{}/api/status", w.port).into();
    let token: Rc<str> = "t".repeat(800).into();
    let json: &'static str = Box::leak(format!("{{\"order\":\"{}\"}}", "o".repeat(188)).into_boxed_str());
    let measured = Rc::new(RefCell::new(Measured::new(&w)));
    let workers: Vec<_> = (0..w.in_flight)
        .map(|_| {
            let body = if w.post { Some(json) } else { None };
            tokio::task::spawn_local(worker(client.clone(), url.clone(), token.clone(), body, measured.clone()))
        })
        .collect();
    for one in workers {
        one.await??;
    }
    measured.borrow_mut().print();
    Ok(())
}

fn main() -> Result<(), Failure> {
    let w = match workload() {
        Some(w) => w,
        None => {
            eprintln!("usage: bench_reqwest PORT CA_FILE REQUESTS IN_FLIGHT [h2] [post]");
            std::process::exit(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, run(w))
}
