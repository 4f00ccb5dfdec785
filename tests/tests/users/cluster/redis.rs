//! A Redis server for one test.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    sync::Once,
};

/// A Redis server that ends with the test, stores nothing, and listens on loopback.
pub(crate) struct Redis {
    port: u16,
    server: Child,
}

impl Redis {
    /// Starts a server. Returns `None` if Redis is not installed, and prints so. CI must have it.
    pub(crate) fn start() -> Option<Self> {
        if Command::new("redis-server")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            assert!(
                env::var_os("CI").is_none(),
                "redis-server is not installed, and CI must not skip these tests"
            );
            say_that_it_is_missing();
            return None;
        }

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener
            .local_addr()
            .expect("a bound listener has an address")
            .port();

        drop(listener);
        Some(Self {
            port,
            server: serve(port),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server, which closes its connections.
    pub(crate) fn stop(&mut self) {
        self.server.kill().expect("it runs");
        self.server.wait().expect("it ends");
    }

    /// Starts the server again at the same port.
    pub(crate) fn restart(&mut self) {
        self.server = serve(self.port);
    }

    /// Suspends the server, which keeps its connections and does not answer.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let killed = Command::new("kill")
            .args([signal, &self.server.id().to_string()])
            .status();
        assert!(killed.expect("there is a kill").success());
    }
}

fn say_that_it_is_missing() {
    static ONCE: Once = Once::new();
    // Written directly, because the test harness shows the output of failed tests only.
    ONCE.call_once(|| {
        writeln!(
            io::stderr(),
            "SKIPPED: redis-server is not installed (Debian: apt-get install redis-server)"
        )
        .ok();
    });
}

/// Starts a server, and returns when it accepts connections.
fn serve(port: u16) -> Child {
    let options = [
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--port",
    ];
    let mut command = Command::new("redis-server");
    let mut server = command
        .args(options)
        .arg(port.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let said = BufReader::new(server.stdout.take().expect("its output is piped"));
    let ready = said
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("Ready to accept connections"));
    assert!(ready, "Redis ends");
    server
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may be stopped already.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
