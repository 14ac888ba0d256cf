//! The whole platform in one process: every function on one port of 127.0.0.1, over the embedded engines.
//!
//! What runs here is what runs on AWS: the functions' own routers and handlers. This package only does what AWS does
//! around them: it creates tables and queues, feeds the functions from queue, stream and schedule, and ends cleanly.
//! To mount one more function: give it a place in `functions`, and a pump in `pumps` if events feed it.

// The futures of the AWS SDK are nested deeply, and ours stand around them.
#![recursion_limit = "256"]

mod admin_key;
mod args;
mod banner;
pub mod demo;
mod error;
mod functions;
mod invoke;
pub mod mock;
mod output;
mod platform;
mod pumps;
mod restore;
mod server;
mod signal;

use runtime::{Variables, log::LevelFilter};

pub use args::{Args, Command};
pub use error::StartError;
pub use output::Output;
pub use platform::{Platform, Settings};

/// Runs the platform until it is asked to end, or does what else the command line says.
pub async fn run(args: &Args) -> Result<(), StartError> {
    if let Some(Command::Restore(restore)) = &args.command {
        return Box::pin(restore.run(Output::new(args.quiet))).await;
    }
    let mut asked_to_end = std::pin::pin!(signal::asked_to_end()?);
    let mut variables = Variables::read();
    runtime::log::begin(&mut variables, if args.quiet { LevelFilter::WARN } else { LevelFilter::INFO });
    let settings = args.settings(variables)?;
    let output = Output::new(args.quiet);
    let platform = Platform::start(settings).await?;
    let ready = async {
        if !args.empty {
            demo::load(&platform, output).await.map_err(StartError::Demo)?;
        }
        banner::show(&platform, output).await.map_err(StartError::Platform)
    };
    tokio::select! {
        () = &mut asked_to_end => {}
        done = ready => match done {
            Ok(()) => asked_to_end.await,
            Err(error) => {
                platform.stop().await;
                return Err(error);
            }
        }
    }
    platform.stop().await;
    Ok(())
}
