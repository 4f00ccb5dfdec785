//! Finds the ends of JSON values, without recursion.

use std::borrow::Cow;

use super::{JsonError, PRIVATE_PREFIX, Unescaped};

/// The bytes that end a string or need a closer look. A table halves the instructions for each byte.
const STOPS_STRING: [bool; 256] = {
    let mut stops = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        stops[control] = true;
        control += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops
};

/// A position in JSON ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)).
pub(super) struct Scanner<'a> {
    json: &'a str,
    position: usize,
    max_depth: u32,
    /// Whether a name that was passed, at any depth, is one of `serde_json`'s private ones.
    pub(super) has_private_name: bool,
    /// Whether the string that was skipped last has an escape in it.
    pub(super) has_escapes: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(json: &'a str, max_depth: u32) -> Self {
        Self {
            json,
            position: 0,
            max_depth,
            has_private_name: false,
            has_escapes: false,
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.position).copied()
    }

    /// Peeks at the first byte that is not white space.
    #[inline]
    fn peek_token(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.position += 1;
        }
        self.peek()
    }

    #[inline]
    fn take_token(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek_token().ok_or(JsonError::Malformed)?;
        self.position += 1;
        Ok(byte)
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.take_token()? == byte {
            Ok(())
        } else {
            Err(JsonError::Malformed)
        }
    }

    /// Moves to the next member or element of the outermost object or list. Returns `true` at its
    /// end, if nothing follows it.
    #[inline]
    pub(super) fn next_is_last(&mut self, end: u8, is_first: &mut bool) -> Result<bool, JsonError> {
        if self.peek_token() == Some(end) {
            self.position += 1;
            return if self.peek_token().is_none() {
                Ok(true)
            } else {
                Err(JsonError::Malformed)
            };
        }

        if !std::mem::take(is_first) {
            self.expect(b',')?;
        }

        Ok(false)
    }

    /// Skips a name and the colon after it. Returns the part between its quotes.
    #[inline]
    pub(super) fn name(&mut self) -> Result<&'a str, JsonError> {
        self.expect(b'"')?;
        let name = self.string()?;
        self.expect(b':')?;
        self.has_private_name |= is_private(name);
        Ok(name)
    }

    /// Skips one value of the outermost object or list.
    #[inline]
    pub(super) fn value(&mut self) -> Result<&'a str, JsonError> {
        let first = self.take_token()?;
        let start = self.position - 1;
        match first {
            b'{' | b'[' => self.container(first)?,
            _ => self.scalar(first)?,
        }
        Ok(&self.json[start..self.position])
    }

    /// Skips an object or a list after its first byte. The nested ones are kept on a stack.
    fn container(&mut self, mut first: u8) -> Result<(), JsonError> {
        let mut open = Containers::default();

        loop {
            let is_open = match first {
                b'{' => self.open(&mut open, b'}')?,
                b'[' => self.open(&mut open, b']')?,
                _ => {
                    self.scalar(first)?;
                    false
                }
            };
            if !is_open && self.close(&mut open)? {
                return Ok(());
            }
            first = self.take_token()?;
        }
    }

    /// Enters an object or a list. Returns `false` if it is empty, and so at its end already.
    fn open(&mut self, open: &mut Containers, end: u8) -> Result<bool, JsonError> {
        // The outermost one counts too.
        if open.depth() + 1 >= self.max_depth {
            return Err(JsonError::TooDeep);
        }

        open.push(end == b'}');
        if self.peek_token() == Some(end) {
            self.position += 1;
            open.pop();
            return Ok(false);
        }

        if end == b'}' {
            self.name()?;
        }
        Ok(true)
    }

    /// Moves on after a value: to the next one, or out of the objects and lists that end here.
    /// Returns whether all of them have ended.
    fn close(&mut self, open: &mut Containers) -> Result<bool, JsonError> {
        while let Some(is_object) = open.innermost() {
            match (self.take_token()?, is_object) {
                (b',', true) => {
                    self.name()?;
                    return Ok(false);
                }
                (b',', false) => return Ok(false),
                (b'}', true) | (b']', false) => open.pop(),
                _ => return Err(JsonError::Malformed),
            }
        }

        Ok(true)
    }

    #[inline]
    fn scalar(&mut self, first: u8) -> Result<(), JsonError> {
        match first {
            b'"' => self.string().map(drop),
            b'-' => {
                let first = self.peek().ok_or(JsonError::Malformed)?;
                self.position += 1;
                self.number(first)
            }
            b'0'..=b'9' => self.number(first),
            b't' => self.literal("rue"),
            b'f' => self.literal("alse"),
            b'n' => self.literal("ull"),
            _ => Err(JsonError::Malformed),
        }
    }

    /// Skips a string after its first quote. Returns the part between the quotes.
    #[inline]
    fn string(&mut self) -> Result<&'a str, JsonError> {
        let start = self.position;
        self.has_escapes = false;

        loop {
            let rest = &self.json.as_bytes()[self.position..];
            let length = rest
                .iter()
                .position(|byte| STOPS_STRING[usize::from(*byte)]);
            let end = self.position + length.ok_or(JsonError::Malformed)?;
            self.position = end + 1;
            match self.json.as_bytes()[end] {
                b'"' => return Ok(&self.json[start..end]),
                b'\\' => {
                    self.has_escapes = true;
                    self.escape()?;
                }
                _ => return Err(JsonError::Malformed),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = &self.json.as_bytes()[self.position..];
        let length = match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 1,
            [b'u', digits @ ..]
                if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) =>
            {
                5
            }
            _ => return Err(JsonError::Malformed),
        };

        self.position += length;
        Ok(())
    }

    /// Skips a number after its first digit.
    #[inline]
    fn number(&mut self, first: u8) -> Result<(), JsonError> {
        match first {
            // A zero is the only digit before the decimals.
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return Err(JsonError::Malformed),
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.some_digits()?;
        }

        Ok(())
    }

    fn some_digits(&mut self) -> Result<(), JsonError> {
        let start = self.position;
        self.digits();
        if self.position > start {
            Ok(())
        } else {
            Err(JsonError::Malformed)
        }
    }

    #[inline]
    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
    }

    fn literal(&mut self, rest: &str) -> Result<(), JsonError> {
        if !self.json.as_bytes()[self.position..].starts_with(rest.as_bytes()) {
            return Err(JsonError::Malformed);
        }
        self.position += rest.len();
        Ok(())
    }
}

/// The objects and lists that are open at a position, below the outermost one.
#[derive(Default)]
struct Containers {
    /// Whether each is an object; the innermost one is the last.
    are_objects: Vec<bool>,
}

impl Containers {
    fn depth(&self) -> u32 {
        u32::try_from(self.are_objects.len()).unwrap_or(u32::MAX)
    }

    fn push(&mut self, is_object: bool) {
        self.are_objects.push(is_object);
    }

    fn pop(&mut self) {
        self.are_objects.pop();
    }

    fn innermost(&self) -> Option<bool> {
        self.are_objects.last().copied()
    }
}

/// Returns whether a name, still escaped, is one of `serde_json`'s private ones in any spelling.
fn is_private(name: &str) -> bool {
    match name.as_bytes() {
        [b'$', ..] if name.starts_with(PRIVATE_PREFIX) => true,
        // Only an escape can still hide the prefix.
        [b'$' | b'\\', ..] => unescape(name).is_some_and(|name| name.starts_with(PRIVATE_PREFIX)),
        _ => false,
    }
}

/// Unescapes the part of a string between its quotes.
pub(super) fn unescape(content: &str) -> Option<Cow<'_, str>> {
    if !content.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(content));
    }
    serde_json::from_str(&format!("\"{content}\""))
        .ok()
        .map(|Unescaped(string)| Cow::Owned(string.into_owned()))
}
