//! Numbers for the names in a prompt's templates, and where each variable is used first.

use std::collections::{BTreeMap, HashMap};

/// The names of all templates of one prompt. Those given at the start are the declared variables.
#[derive(Debug, Default)]
pub(super) struct Names {
    list: Vec<String>,
    numbers: HashMap<String, usize>,
    /// The variables that the present template uses: by number, the byte where each is used first.
    uses: BTreeMap<usize, usize>,
}

impl Names {
    pub(super) fn declared<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let list: Vec<_> = names.map(str::to_owned).collect();
        let numbers = list.iter().enumerate().map(|(number, name)| (name.clone(), number)).collect();
        Self { list, numbers, uses: BTreeMap::new() }
    }

    pub(super) fn name(&self, number: usize) -> &str {
        &self.list[number]
    }

    /// The number of a name.
    pub(super) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.list.len();
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The number of a name that is used as a variable at this offset.
    pub(super) fn used(&mut self, name: &str, at: usize) -> usize {
        let number = self.number(name);
        let first = self.uses.entry(number).or_insert(at);
        *first = at.min(*first);
        number
    }

    /// The uses since the last call, number and offset, in the order of the text.
    pub(super) fn take_uses(&mut self) -> Vec<(usize, usize)> {
        let mut uses: Vec<_> = std::mem::take(&mut self.uses).into_iter().collect();
        uses.sort_unstable_by_key(|(_, at)| *at);
        uses
    }
}
