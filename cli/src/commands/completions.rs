//! What a shell needs to complete commands.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{arguments::Arguments, failure::Result, output::print};

const EXAMPLES: &str = "\
Examples:
  cuecard completions bash > ~/.local/share/bash-completion/completions/cuecard
  cuecard completions zsh > ~/.zfunc/_cuecard
  cuecard completions fish > ~/.config/fish/completions/cuecard.fish";

/// Print what a shell needs to complete commands
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "cuecard", &mut script);
        print(&script)
    }
}
