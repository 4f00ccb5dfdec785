//! A connection to Redis that sees what the store does, without its driver.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use crate::cluster::redis::Redis;

pub(crate) struct RawRedis(BufReader<TcpStream>);

impl RawRedis {
    pub(crate) fn connect(redis: &Redis) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port())).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        Self(BufReader::new(stream))
    }

    /// Runs a command, and returns the strings of its answer.
    pub(crate) fn run(&mut self, command: &[&str]) -> Vec<String> {
        let mut request = format!("*{}\r\n", command.len());
        for part in command {
            request += &format!("${}\r\n{part}\r\n", part.len());
        }
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        self.read(&mut answer);
        answer
    }

    pub(crate) fn run_one(&mut self, command: &[&str]) -> String {
        self.run(command).remove(0)
    }

    /// Returns how often each command was called since the last `CONFIG RESETSTAT`.
    pub(crate) fn calls(&mut self) -> Vec<(String, u32)> {
        let info = self.run_one(&["INFO", "commandstats"]);
        let lines = info
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_"));
        let calls = lines.map(|line| {
            let (name, rest) = line.split_once(":calls=").unwrap();
            let number = rest.split(',').next().unwrap();
            (name.to_owned(), number.parse().unwrap())
        });

        // Commands of this connection itself.
        calls
            .filter(|(name, _)| !name.starts_with("config") && name != "info")
            .collect()
    }

    fn read(&mut self, answer: &mut Vec<String>) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();

        let (kind, rest) = line.trim_end().split_at(1);
        match kind {
            "+" | ":" => answer.push(rest.to_owned()),
            "$" if rest == "-1" => answer.push("(nil)".to_owned()),
            "$" => {
                let mut text = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut text).unwrap();
                text.truncate(text.len() - 2);
                answer.push(String::from_utf8(text).unwrap());
            }
            "*" => {
                for _ in 0..rest.parse::<usize>().unwrap() {
                    self.read(answer);
                }
            }
            _ => panic!("{line}"),
        }
    }
}
