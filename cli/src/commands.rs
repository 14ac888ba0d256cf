//! The commands: a module for each resource, with the nouns of the API.

mod audit;
mod canary;
mod completions;
mod doctor;
mod eval;
mod experiments;
mod export;
mod import;
mod keys;
mod lock;
mod login;
mod mcp;
mod metrics;
mod models;
mod moves;
mod prompts;
mod pull;
mod push;
mod render;
mod review;
mod test_sets;
mod try_out;
mod versions;
mod webhooks;

use clap::Subcommand;

use crate::{arguments::Arguments, failure::Result, output::Output, session::Session, sources};

/// What can be done.
#[derive(Subcommand)]
pub enum Command {
    /// Keep a key for later commands
    Login(login::Login),
    /// Prompts: what there is, and what each is held to
    #[command(subcommand)]
    Prompts(prompts::Prompts),
    /// Versions: read, write, compare and approve them
    #[command(subcommand)]
    Versions(versions::Versions),
    /// Render a version with values, as resolving it would
    Render(render::Render),
    /// Resolve a prompt, as applications do
    Resolve(render::Resolve),
    /// Call a model with a version or a draft
    Try(try_out::Try),
    /// Make a version live in an environment
    Promote(moves::Promote),
    /// Make live again what was live before
    Rollback(moves::Rollback),
    /// Freeze an environment, or take the freeze off
    Lock(lock::Lock),
    /// Who moved what, when and why
    History(moves::History),
    /// What moved lately, over all prompts
    Changes(moves::Changes),
    /// Test sets: what versions are evaluated on
    #[command(subcommand)]
    TestSets(test_sets::TestSets),
    /// Evaluations: ask for one, watch it, see its cases
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Evaluations that were too close to call
    #[command(subcommand)]
    Review(review::Review),
    /// Versions side by side until one is better
    #[command(subcommand)]
    Experiments(experiments::Experiments),
    /// A version for a few users, then for more
    #[command(subcommand)]
    Canary(canary::Canary),
    /// What calls came to: latency, cost, errors, ratings
    Metrics(metrics::Metrics),
    /// The audit: read it, take it along, verify it
    #[command(subcommand)]
    Audit(audit::Audit),
    /// API keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Webhooks: who is told of versions, verdicts, releases and trials
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// The model catalogue, and how versions did on models
    #[command(subcommand)]
    Models(models::Models),
    /// Make prompts of files: of a folder, or of JSON lines
    Import(import::Import),
    /// Write all prompts into files
    Export(export::Export),
    /// Write what changed in files as new versions
    Push(push::Push),
    /// Bring files up to the newest versions
    Pull(pull::Pull),
    /// Check the platform and what it depends on, and say what to do
    Doctor(doctor::Doctor),
    /// Serve prompts and tools to assistants (MCP, over standard input and output)
    Mcp(mcp::Mcp),
    /// Print what a shell needs to complete commands
    Completions(completions::Completions),
}

/// Does what the command line says.
pub async fn run(arguments: Arguments, output: Output) -> Result {
    let Arguments { globals, command } = arguments;
    match command {
        Command::Login(login) => login.run(&globals, output).await,
        Command::Completions(completions) => completions.run(),
        Command::Audit(audit::Audit::Verify(verify)) => verify.run(output),
        Command::Keys(keys::Keys::Draw) => keys::draw(output),
        Command::Mcp(mcp) => mcp.run(Session::new(&globals, output, sources::system())?).await,
        command => run_in(&Session::new(&globals, output, sources::system())?, command).await,
    }
}

async fn run_in(session: &Session, command: Command) -> Result {
    match command {
        Command::Prompts(prompts) => prompts.run(session).await,
        Command::Versions(versions) => versions.run(session).await,
        Command::Render(render) => render.run(session).await,
        Command::Resolve(resolve) => resolve.run(session).await,
        Command::Try(trial) => trial.run(session).await,
        Command::Promote(promote) => promote.run(session).await,
        Command::Rollback(rollback) => rollback.run(session).await,
        Command::Lock(lock) => lock.run(session).await,
        Command::History(history) => history.run(session).await,
        Command::Changes(changes) => changes.run(session).await,
        Command::TestSets(sets) => sets.run(session).await,
        Command::Eval(eval) => eval.run(session).await,
        Command::Review(review) => review.run(session).await,
        Command::Experiments(experiments) => experiments.run(session).await,
        Command::Canary(canary) => canary.run(session).await,
        Command::Metrics(metrics) => metrics.run(session).await,
        Command::Audit(audit) => audit.run(session).await,
        Command::Keys(keys) => keys.run(session).await,
        Command::Webhooks(webhooks) => webhooks.run(session).await,
        Command::Models(models) => models.run(session).await,
        Command::Import(import) => import.run(session).await,
        Command::Export(export) => export.run(session).await,
        Command::Push(push) => push.run(session).await,
        Command::Pull(pull) => pull.run(session).await,
        Command::Doctor(doctor) => doctor.run(session).await,
        // They work without the platform, or keep the session.
        Command::Login(_) | Command::Completions(_) | Command::Mcp(_) => Ok(()),
    }
}
