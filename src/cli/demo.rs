//! `entente demo`: one eventful quarter of a partnership of two firms, played on a server of its
//! own, and printed for a person to read.
//!
//! The two firms do nothing but call the public gRPC API, each with its own key, so this is also an
//! example of how to use it: [`setup`], [`history`], [`promise`] and [`bargain`] are the acts of
//! the play, [`proof`] checks the journal, and [`show`] prints what came of it.

pub mod bargain;
pub mod blind;
pub mod desk;
pub mod history;
pub mod hurry;
pub mod promise;
pub mod proof;
pub mod quarter;
pub mod quoting;
pub mod sale;
pub mod serve;
pub mod setup;
pub mod show;
pub mod stage;
pub mod tale;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;

use super::CliError;
use super::serve::until_signal;
use crate::proto::v1::{self, Cadence};
use quarter::LocalTime;
use stage::Stage;

/// The seed of the tickets unless said otherwise.
pub const SEED_DEFAULT: u64 = 1;
/// The port with `--serve`, unless said otherwise; without it, any free one.
const PORT: u16 = 50_051;
/// How often the line that shows progress moves.
const TICK: Duration = Duration::from_millis(100);

/// Play one quarter of a partnership of two firms and show what came of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Demo {
    /// Leave the server up afterwards, and show how to call it.
    #[arg(long)]
    serve: bool,
    /// Address to listen on with `--serve`. [default: 127.0.0.1:50051]
    #[arg(long, requires = "serve")]
    listen: Option<SocketAddr>,
    /// Another seed makes other tickets; the same seed always makes the same.
    #[arg(long, default_value_t = SEED_DEFAULT)]
    seed: u64,
}

/// Hears how the play goes on.
pub trait Progress: Send + Sync {
    /// What begins now.
    fn step(&self, words: &str);
}

/// All that came of the play.
#[derive(Clone, Debug)]
pub struct Played {
    /// The partnership and what the firms agreed.
    pub setting: setup::Setting,
    /// The quarter of tickets.
    pub quarter: history::Quarter,
    /// The expectation.
    pub expectation: v1::Expectation,
    /// The joint quote and its concession.
    pub bargain: bargain::Bargain,
    /// The joint quote that was divided by margins.
    pub blind: blind::Blind,
    /// What became of both.
    pub sale: sale::Sale,
    /// A quote in a hurry, and the check-up after it.
    pub hurry: hurry::Hurry,
    /// The journal, verified.
    pub proof: proof::Proof,
}

impl Demo {
    /// Plays, prints, and, with `--serve`, leaves the server up until SIGINT or SIGTERM. The exit
    /// code is 1 if the journal cannot be verified.
    ///
    /// # Errors
    /// If the server cannot be started or refuses something.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let default = if self.serve { PORT } else { 0 };
        let listen = self
            .listen
            .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, default).into());
        let line = ProgressLine::new();
        line.step("starting a server on a database in a temporary folder");
        let stage = Stage::open(listen).await?;
        let outcome = self.perform(&stage, &line).await;
        line.finish();
        let closed = stage.close().await;
        let code = outcome?;
        closed?;
        Ok(code)
    }

    async fn perform(&self, stage: &Stage, line: &ProgressLine) -> Result<ExitCode, CliError> {
        let time = LocalTime::new()?;
        let played = play(stage, &time, self.seed, line).await?;
        line.finish();
        print!(
            "{}",
            show::text(&played, &time, std::io::stdout().is_terminal())
        );
        if self.serve {
            print!("{}", serve::hints(stage, &played));
            until_signal().await?;
        } else {
            println!("\n  To call the server yourself: entente demo --serve");
        }
        Ok(if played.proof.holds() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Plays all acts.
///
/// # Errors
/// If the server refuses something.
pub async fn play(
    stage: &Stage,
    time: &LocalTime,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Played, CliError> {
    progress.step("forming the partnership, its terms and its agreements");
    let setting = Box::pin(setup::play(stage)).await?;
    let quarter = Box::pin(history::play(stage, &setting, time, seed, progress)).await?;
    progress.step("offering, countering and agreeing an expectation");
    let expectation = Box::pin(promise::play(stage, &setting, time)).await?;
    progress.step("splitting a discount on a joint quote");
    let bargain = Box::pin(bargain::play(stage, &setting, time)).await?;
    progress.step("dividing another one by margins that nobody shows");
    let blind = Box::pin(blind::play(stage, &setting, time)).await?;
    progress.step("winning, booking and settling both");
    let quotes = [
        (&bargain.seen_by_harbour, Cadence::OneTime),
        (&blind.seen_by_harbour, Cadence::Monthly),
    ];
    let sale = Box::pin(sale::play(stage, &setting, &quotes)).await?;
    progress.step("one more discount in a hurry, and a check-up");
    let hurry = Box::pin(hurry::play(stage, &setting, time)).await?;
    progress.step("verifying the journal");
    let proof = Box::pin(proof::play(stage, &setting, &bargain.receipt)).await?;
    Ok(Played {
        setting,
        quarter,
        expectation,
        bargain,
        blind,
        sale,
        hurry,
        proof,
    })
}

/// One line on standard error that shows what goes on; where that is no terminal, one line for
/// each step.
#[derive(Debug)]
struct ProgressLine {
    bar: Option<ProgressBar>,
}

impl ProgressLine {
    fn new() -> Self {
        let bar = std::io::stderr()
            .is_terminal()
            .then(ProgressBar::new_spinner);
        if let Some(bar) = &bar {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for ProgressLine {
    fn step(&self, words: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(words.to_owned()),
            None => eprintln!("{words}"),
        }
    }
}
