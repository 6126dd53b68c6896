//! Writing JSON in canonical form in one pass, without recursion.
//!
//! The time is linear in the length of the text: every byte is written once, and moved at most once
//! for each of the [`JSON_LEVELS`] levels around it whose keys are not sorted.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::JsonError;
use crate::limits::JSON_LEVELS;

/// Which nesting is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// At most [`JSON_LEVELS`] levels: new input.
    Limited,
    /// Any nesting. An object with more than [`JSON_LEVELS`] levels must have sorted keys already,
    /// as everything that was stored before has: otherwise sorting takes quadratic time.
    Stored,
}

/// Converts valid JSON to canonical form.
pub(super) fn canonical(text: &str, nesting: Nesting) -> Result<String, JsonError> {
    let mut writer = Writer {
        text,
        out: String::with_capacity(text.len()),
        nesting,
        open: Vec::new(),
        members: Vec::new(),
        at_key: false,
    };
    writer.write()?;
    Ok(writer.out)
}

/// The number of levels of JSON, in one pass and without recursion; 0 for a value without parts.
/// For text that is not JSON the number has no meaning.
pub fn levels(text: &[u8]) -> usize {
    let (mut level, mut most) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                level += 1;
                most = most.max(level);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// An object or array that is not closed yet.
struct Open {
    is_object: bool,
    /// Where it begins in the text.
    source: usize,
    /// Where its content begins in the output.
    start: usize,
    /// The index of its first member.
    first_member: usize,
    /// The number of levels inside it, so far.
    levels: usize,
}

/// A member of an open object.
struct Member<'a> {
    key: Cow<'a, str>,
    /// Where it begins in the output, with its key.
    start: usize,
}

struct Writer<'a> {
    text: &'a str,
    out: String,
    nesting: Nesting,
    open: Vec<Open>,
    /// The members of all open objects, the innermost last.
    members: Vec<Member<'a>>,
    /// Whether the next string is a key.
    at_key: bool,
}

impl<'a> Writer<'a> {
    fn write(&mut self) -> Result<(), JsonError> {
        let mut at = 0;
        while let Some(rest) = self.text.get(at..).filter(|rest| !rest.is_empty()) {
            at += match rest.as_bytes().first() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => 1,
                Some(bracket @ (b'{' | b'[')) => {
                    self.open(at, *bracket == b'{')?;
                    1
                }
                Some(b'}' | b']') => {
                    self.close()?;
                    1
                }
                Some(b',') => {
                    self.out.push(',');
                    self.at_key = self.open.last().is_some_and(|open| open.is_object);
                    1
                }
                Some(b'"') => self.string(rest)?,
                // A colon or a number, which keeps its digits, or a word.
                Some(b':') => {
                    self.out.push(':');
                    1
                }
                _ => {
                    let token = rest.split([',', ']', '}', ' ', '\n', '\r', '\t']).next();
                    let token = token.unwrap_or(rest);
                    self.out.push_str(token);
                    token.len()
                }
            };
        }
        Ok(())
    }

    fn open(&mut self, source: usize, is_object: bool) -> Result<(), JsonError> {
        if self.nesting == Nesting::Limited && self.open.len() >= JSON_LEVELS {
            return Err(self.too_deep());
        }
        self.out.push(if is_object { '{' } else { '[' });
        let (start, first_member) = (self.out.len(), self.members.len());
        self.open.push(Open { is_object, source, start, first_member, levels: 0 });
        self.at_key = is_object;
        Ok(())
    }

    fn close(&mut self) -> Result<(), JsonError> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        if closed.is_object {
            self.sort_members(&closed)?;
            self.members.truncate(closed.first_member);
        }
        self.out.push(if closed.is_object { '}' } else { ']' });
        if let Some(around) = self.open.last_mut() {
            around.levels = around.levels.max(closed.levels + 1);
        }
        Ok(())
    }

    /// Writes a string and returns the length of its token.
    fn string(&mut self, rest: &'a str) -> Result<usize, JsonError> {
        let (token, has_escapes) = string_token(rest);
        let start = self.out.len();
        let text = if has_escapes {
            let text: String = match serde_json::from_str(token) {
                Ok(text) => text,
                Err(_) if self.at_key => return Err(self.bad_member()),
                Err(error) => return Err(error.into()),
            };
            self.out.push_str(&serde_json::to_string(&text)?);
            Cow::Owned(text)
        } else {
            // A string without escapes has only one spelling.
            self.out.push_str(token);
            Cow::Borrowed(token.get(1..token.len() - 1).unwrap_or_default())
        };
        if std::mem::take(&mut self.at_key) {
            self.members.push(Member { key: text, start });
        }
        Ok(token.len())
    }

    /// Sorts the members of an object by key.
    fn sort_members(&mut self, object: &Open) -> Result<(), JsonError> {
        let members = self.members.get(object.first_member..).unwrap_or_default();
        if members.is_sorted_by(|a, b| a.key < b.key) {
            return Ok(());
        }
        if object.levels >= JSON_LEVELS {
            return Err(self.too_deep());
        }
        // A comma separates two members.
        let ends = members.iter().skip(1).map(|next| next.start - 1).chain([self.out.len()]);
        let mut sorted: Vec<(&str, &str)> = members
            .iter()
            .zip(ends)
            .map(|(member, end)| {
                (member.key.as_ref(), self.out.get(member.start..end).unwrap_or_default())
            })
            .collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        if !sorted.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(self.bad_object(object.source));
        }
        let mut content = String::with_capacity(self.out.len() - object.start);
        for (index, (_, member)) in sorted.into_iter().enumerate() {
            if index > 0 {
                content.push(',');
            }
            content.push_str(member);
        }
        self.out.truncate(object.start);
        self.out.push_str(&content);
        Ok(())
    }

    fn too_deep(&self) -> JsonError {
        JsonError::TooDeep { limit: JSON_LEVELS, found: levels(self.text.as_bytes()) }
    }

    /// The error of the innermost open object, which has a key that cannot be read.
    fn bad_member(&self) -> JsonError {
        self.bad_object(self.open.last().map_or(0, |object| object.source))
    }

    /// The error of the object that begins at `source`, with line and column counted from there.
    fn bad_object(&self, source: usize) -> JsonError {
        let object = self.text.get(source..).unwrap_or_default();
        match serde_json::from_str::<DistinctKeys>(object) {
            Err(error) => error.into(),
            Ok(DistinctKeys) => serde_json::Error::custom("a key is not valid").into(),
        }
    }
}

/// The token of the string at the beginning of valid JSON, and whether it has escapes.
fn string_token(text: &str) -> (&str, bool) {
    let (mut escaped, mut has_escapes) = (false, false);
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => (escaped, has_escapes) = (true, true),
            b'"' => return (text.get(..=index).unwrap_or(text), has_escapes),
            _ => {}
        }
    }
    (text, has_escapes)
}

/// An object without a duplicate key. A duplicate is an error, because keeping one member would
/// lose the other. Only errors are made from it.
struct DistinctKeys;

impl<'de> Deserialize<'de> for DistinctKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = DistinctKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut keys = BTreeSet::new();
                while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                    // The endpoints of the old application return this text, so its bytes are
                    // frozen.
                    let twice = format!("the key {key:?} occurs twice in one object");
                    if !keys.insert(key) {
                        return Err(A::Error::custom(twice));
                    }
                }
                Ok(DistinctKeys)
            }
        }
        deserializer.deserialize_map(KeysVisitor)
    }
}
