//! What one render may cost. Every step, every byte and every item that a template makes is paid here.
//!
//! **Invariant:** nothing in this module tree makes text or lists whose size a template decides without paying
//! first, so time and memory of a render are bounded by [`FUEL`], whatever the template does.

/// Units of one render: a byte of text costs one, a step [`STEP`], an item of a list [`ITEM`].
const FUEL: usize = 16 << 20;

/// The price of evaluating one node, so that a million nodes spend everything: tens of milliseconds.
pub(super) const STEP: usize = 16;

/// The price of one item of a list: about what it takes in memory.
pub(super) const ITEM: usize = 64;

/// The most text that one render may make, in bytes.
const MAX_OUTPUT: usize = 1 << 20;

/// A result whose error is the sentence that a person reads; who knows the place adds it.
pub(super) type Outcome<T> = Result<T, String>;

/// What is left of one render's allowance, over all its texts.
#[derive(Debug)]
pub(super) struct Budget {
    fuel: usize,
    room: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { fuel: FUEL, room: MAX_OUTPUT }
    }

    /// Pays for work.
    pub(super) fn spend(&mut self, units: usize) -> Outcome<()> {
        match self.fuel.checked_sub(units) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => Err("the template does more work than one render may".to_owned()),
        }
    }

    /// Appends text, if it fits into what may still be printed.
    pub(super) fn push(&mut self, out: &mut String, text: &str) -> Outcome<()> {
        self.repeat(out, text, 1)
    }

    /// Appends the text `count` times.
    pub(super) fn repeat(&mut self, out: &mut String, text: &str, count: usize) -> Outcome<()> {
        let bytes = text.len().saturating_mul(count);
        if bytes > self.room.saturating_sub(out.len()) {
            return Err(format!("the text would be longer than {} KiB", MAX_OUTPUT >> 10));
        }
        self.spend(bytes)?;
        if !text.is_empty() {
            (0..count).for_each(|_| out.push_str(text));
        }
        Ok(())
    }

    /// Takes a finished text out of the room that is left for the others.
    pub(super) fn printed(&mut self, text: &str) -> Outcome<()> {
        self.room = self.room.checked_sub(text.len()).ok_or("the texts together are longer than 1024 KiB")?;
        Ok(())
    }
}
