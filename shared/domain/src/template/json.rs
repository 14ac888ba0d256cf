//! Reads JSON into values without losing how its numbers were written.
//!
//! `serde_json` keeps that only with `arbitrary_precision`, a feature that would change every number of every package.

use serde_json::value::RawValue;

use super::{
    budget::Outcome,
    number::Number,
    value::{MAX_DEPTH, Value},
};

/// The value of JSON text. `RawValue` vouches that it is well formed, though not for its depth or its surrogates.
pub(super) fn read(json: &RawValue) -> Outcome<Value> {
    Reader { rest: json.get() }.value(0)
}

struct Reader<'j> {
    rest: &'j str,
}

impl<'j> Reader<'j> {
    fn value(&mut self, depth: usize) -> Outcome<Value> {
        if depth > MAX_DEPTH {
            return Err(format!("lists and objects nest more than {MAX_DEPTH} deep"));
        }
        match self.peek() {
            b'"' => Ok(Value::Text(self.string()?.into())),
            b'[' => {
                let mut items = Vec::new();
                self.members(b']', |reader| {
                    items.push(reader.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Value::list(items))
            }
            b'{' => {
                let mut members = Vec::new();
                self.members(b'}', |reader| {
                    let key = reader.string()?.into();
                    reader.peek();
                    reader.take(1);
                    members.push((key, reader.value(depth + 1)?));
                    Ok(())
                })?;
                Ok(Value::map(members))
            }
            _ => self.scalar(),
        }
    }

    /// Calls `member` for each part between brackets, standing at its first byte.
    fn members(&mut self, close: u8, mut member: impl FnMut(&mut Self) -> Outcome<()>) -> Outcome<()> {
        self.take(1);
        while self.peek() != close {
            if self.peek() == b',' {
                self.take(1);
                self.peek();
            }
            member(self)?;
        }
        self.take(1);
        Ok(())
    }

    fn string(&mut self) -> Outcome<String> {
        let mut escaped = false;
        let inside = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let json = self.take(inside.map_or(self.rest.len(), |length| length + 2));
        serde_json::from_str(json).map_err(|_| "holds text that is no valid Unicode".to_owned())
    }

    fn scalar(&mut self) -> Outcome<Value> {
        let length = self.rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(self.rest.len());
        Ok(match self.take(length) {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number => Value::Number(Number::read(number).ok_or("is no JSON value")?),
        })
    }

    /// The next byte that is no white space; 0 at the end.
    fn peek(&mut self) -> u8 {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.bytes().next().unwrap_or(0)
    }

    fn take(&mut self, length: usize) -> &'j str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}
