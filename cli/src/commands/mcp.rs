//! Serving the registry to assistants, by the Model Context Protocol.

mod prompts;
mod server;
mod tools;

use clap::Args;

use crate::{failure::Result, session::Session};

const EXAMPLES: &str = "\
Examples:
  cuecard mcp                                      what a client starts, and speaks to by its pipes
  cuecard mcp --env staging --profile support      prompts as staging has them
  cuecard mcp --dry-run                            tools say what they would change, and change nothing

In a client's settings:
  { \"mcpServers\": { \"cuecard\": { \"command\": \"cuecard\", \"args\": [\"mcp\"] } } }

Tools have the role of the profile's key. With --yes they promote to production without being told to twice.";

/// Serve prompts and tools to assistants (MCP, over standard input and output)
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Mcp {
    /// Where prompts are resolved
    #[arg(long, value_name = "ENVIRONMENT", default_value = domain::PRODUCTION)]
    env: String,
}

impl Mcp {
    pub async fn run(self, session: Session) -> Result {
        session.output.note(&format!("Serves {} to an MCP client.", session.client.url()));
        server::Server::new(session, self.env).run().await
    }
}
